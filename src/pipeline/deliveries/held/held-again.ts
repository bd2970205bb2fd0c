/**
 * Held batches that are sent again: one that a person decided about, or all of a tenant's that wait for settings to be mended,
 * once a connection or policy was applied. Each is ready from then on, labelled as a possible duplicate where an attempt of it
 * is unknown.
 */
import type { Ids } from '../../../platform/base/ports.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { resolveAttempts } from '../attempts/attempt-store.ts';
import { type BatchChange, moveBatches } from '../batch-changes.ts';
import { type LoadedBatch, loadBatches } from '../batch-load.ts';
import { commitForCertain } from '../certain-transaction.ts';
import { deliverWork } from '../cutting/batch-insert.ts';
import type { WorkQueue } from '../work-queue-port.ts';
import { configurationList } from './configuration-codes.ts';

export interface AgainServices {
  readonly queue: WorkQueue;
  readonly ids: Ids;
}

/** Part of the caller's transaction, which has added their work and locked them. */
export async function makeReady(
  tx: TenantTx,
  ids: Ids,
  batches: readonly LoadedBatch[],
  /** `isAbsent`: its target was asked, and has nothing of it. */
  by: Pick<BatchChange, 'actor' | 'detail'> & { readonly evidence: string; readonly isAbsent?: boolean },
): Promise<void> {
  const { actor, evidence, detail, isAbsent } = by;
  const change = { actor, evidence, from: 'held', event: 'retry', ...(detail && { detail }) } as const;
  await moveBatches(
    tx,
    ids,
    batches.map(({ batchId, traceParent, reasonCode }) => ({ ...change, batchId, traceParent, reasonCode })),
  );
  await resolveAttempts(
    tx,
    batches.map(({ batchId }) => ({ batchId, resolvedAs: 'resent', evidence, ...(isAbsent && { isAbsent }) })),
  );
}

/** Batches that one transaction sends again: who delivers for the tenant waits for what it has locked. */
const pageMax = 500;

const selectPage = `/* list batches held for configuration */
  select b.batch_id as "batchId" from headgate.batches b
  where b.tenant_id = $1 and b.state = 'held' and b.reason_code in (${configurationList}) and ($2::uuid is null or b.batch_id > $2)
    and ($3::uuid is null or b.flow_id = $3) and ($4::text is null or b.target_id = $4)
  order by b.batch_id limit $5`;

const lockHeld = `/* lock batches held for configuration */
  select b.batch_id as "batchId" from headgate.batches b
  where b.tenant_id = $1 and b.batch_id = any ($2::uuid[]) and b.state = 'held' and b.reason_code in (${configurationList})
  order by b.batch_id for update`;

const findHeld = `/* find batch held for configuration */
  select 1 from headgate.batches b where b.tenant_id = $1 and b.flow_id = $2 and b.target_id = $3 and b.flow_version_id = $4
    and b.state = 'held' and b.reason_code = any ($5::text[]) limit 1`;

/** Whether a batch that was cut for the target under the same version waits for one of these faults of its settings to be mended. */
export async function isTargetHeld(
  tx: TenantTx,
  { flowId, targetId, flowVersionId }: Pick<LoadedBatch, 'flowId' | 'targetId' | 'flowVersionId'>,
  codes: readonly string[],
): Promise<boolean> {
  return (await tx.query(findHeld, [tx.tenantId, flowId, targetId, flowVersionId, codes])).rows.length > 0;
}

export interface Mended {
  readonly actor: string;
  readonly evidence: string;
  /** Left out, of all flows. */
  readonly flowId?: string;
  readonly targetId?: string;
}

/**
 * The next of the tenant's, or of one target, behind `after`. How many were sent, and where there may be more, the last that was looked
 * at. What is still not mended is held again after one try.
 */
export async function sendMendedAgain(
  tx: TenantTx,
  { queue, ids }: AgainServices,
  by: Mended,
  after: string | null = null,
): Promise<{ readonly sent: number; readonly last: string | null }> {
  const values = [tx.tenantId, after, by.flowId ?? null, by.targetId ?? null, pageMax];
  const found: readonly string[] = (await tx.query<{ batchId: string }>(selectPage, values)).rows.map(({ batchId }) => batchId);
  const batches = await loadBatches(tx, found);
  const workOf = (batch: LoadedBatch) => deliverWork(batch.flowId, batch);
  // Work is locked before the batch it is about, as its worker locks them; what another has sent meanwhile is left to who has it in hand.
  await queue.keepWork(tx, batches.map(workOf));
  const { rows } = await tx.query<{ batchId: string }>(lockHeld, [tx.tenantId, found]);
  const locked = new Set(rows.map(({ batchId }) => batchId));
  const again = batches.filter(({ batchId }) => locked.has(batchId));
  await queue.addWork(tx, again.map(workOf));
  await makeReady(tx, ids, again, by);
  return { sent: locked.size, last: found.length < pageMax ? null : found.at(-1)! };
}

/** All of them, or those behind `after`, each page in a transaction of its own. How many. A process that ends leaves the others to their own rechecks. */
export async function sendAllMendedAgain(
  scope: Parameters<typeof commitForCertain>[0] & { readonly queue: WorkQueue; readonly ports: { readonly ids: Ids } },
  tenantId: string,
  by: Mended,
  after: string | null = null,
): Promise<number> {
  let sent = 0;
  for (let place = after; ; ) {
    let page = { sent: 0, last: null as string | null };
    await commitForCertain(scope, tenantId, async (tx) => {
      page = await sendMendedAgain(tx, { queue: scope.queue, ids: scope.ports.ids }, by, place);
    });
    sent += page.sent;
    place = page.last;
    if (place === null) return sent;
  }
}
