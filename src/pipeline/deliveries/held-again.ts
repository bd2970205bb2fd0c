/**
 * Held batches that are sent again: one that a person decided about, or all of a tenant's that wait for settings to be mended,
 * once a connection or policy was applied. Each is ready from then on, labelled as a possible duplicate where an attempt of it
 * is unknown.
 */
import type { Ids } from '../../platform/base/ports.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import { resolveAttempts } from './attempt-store.ts';
import { moveBatches } from './batch-changes.ts';
import { deliverWork } from './batch-insert.ts';
import { type LoadedBatch, loadBatches } from './batch-load.ts';
import { configurationCodes } from './configuration-codes.ts';
import type { WorkQueue } from './work-queue-port.ts';

export interface AgainServices {
  readonly queue: WorkQueue;
  readonly ids: Ids;
}

/** Part of the caller's transaction, which has locked them. */
export async function sendAgain(
  tx: TenantTx,
  { queue, ids }: AgainServices,
  batches: readonly LoadedBatch[],
  by: { readonly actor: string; readonly evidence: string },
): Promise<void> {
  const changes = batches.map(({ batchId, traceParent }) => ({ ...by, batchId, traceParent, from: 'held', event: 'retry' }) as const);
  await moveBatches(tx, ids, changes);
  await resolveAttempts(
    tx,
    batches.map(({ batchId }) => ({ batchId, resolvedAs: 'resent', evidence: by.evidence })),
  );
  await queue.addWork(
    tx,
    batches.map((batch) => deliverWork(batch.flowId, batch)),
  );
}

/** Batches that one transaction sends again are read this many at a time. */
const pageMax = 500;

const lockPage = `/* lock batches held for configuration */
  select b.batch_id as "batchId" from headgate.batches b
  where b.tenant_id = $1 and b.state = 'held' and b.reason_code = any ($2::text[]) order by b.batch_id limit $3 for update skip locked`;

/** How many there were. What is still not mended is held again after one try. */
export async function sendMendedAgain(tx: TenantTx, services: AgainServices, actor: string): Promise<number> {
  for (let count = 0; ; ) {
    const { rows } = await tx.query<{ batchId: string }>(lockPage, [tx.tenantId, configurationCodes, pageMax]);
    const batches = await loadBatches(
      tx,
      rows.map(({ batchId }) => batchId),
    );
    if (batches.length > 0) await sendAgain(tx, services, batches, { actor, evidence: `${actor} applied a definition` });
    count += batches.length;
    if (rows.length < pageMax) return count;
  }
}
