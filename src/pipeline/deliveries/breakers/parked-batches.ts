/**
 * Batches that wait because their target's breaker is open. A parked batch takes no memory and no look of a worker: one without
 * a lane leaves the queue, the first of a lane stays in it so that its lane waits. The breaker's own work (breaker-keeper.ts)
 * lets them go on, in order, as many as the target may have.
 */
import type { Ids } from '../../../platform/base/ports.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { noLane } from '../batch.ts';
import { moveBatches } from '../batch-changes.ts';
import { loadBatches } from '../batch-load.ts';
import { deliverWork } from '../cutting/batch-insert.ts';
import { deliveryErrors } from '../delivery-errors.ts';
import type { BatchEnding } from '../endings/batch-ending.ts';
import { changeOf, type EndingContext, endingOfWork } from '../endings/batch-endings.ts';
import type { WorkQueue } from '../work-queue-port.ts';
import { countedAttempts } from './breaker-rules.ts';
import type { BreakerKey } from './breaker-store.ts';

/** Until a parked batch of a lane looks by itself; its breaker is faster. */
export const parkedLookMs = 3_600_000;

export function endingAsParked(context: EndingContext, breakerId: string): BatchEnding {
  const { batch } = context;
  return {
    ...endingOfWork(context, batch.lane === noLane ? null : parkedLookMs),
    changes: [changeOf(context, 'ready', 'park', { reasonCode: deliveryErrors.E_BREAKER_OPEN })],
    breakerWork: [breakerId],
  };
}

/** Its breaker lets batches through and did not see it. */
export function endingAsResumed(context: EndingContext): BatchEnding {
  return { ...endingOfWork(context, 0), changes: [changeOf(context, 'parked', 'resume', { reasonCode: null })] };
}

const isResumed = `r.tenant_id = $1 and r.flow_id = $2 and r.target_id = $3 and r.parked_at is not null and r.state in ('ready', 'sending') and r.unknown_attempts = 0`;

const countWaiting = `/* count parked batches */
  select (select count(*) from (select from headgate.batches p where p.tenant_id = $1 and p.flow_id = $2 and p.target_id = $3 and p.state = 'parked' limit $4) x)::int as parked,
    (select count(*) from (select from headgate.batches r where ${isResumed} limit $4) y)::int as resumed`;

/**
 * Each counted up to `most`. `resumed`: were parked, go on, and have not ended. Those that wait for the answer to an attempt, or for
 * the backup that they went to, may do so for hours, and take nobody's place meanwhile.
 */
export async function countParked(
  tx: TenantTx,
  key: BreakerKey,
  most: number,
): Promise<{ readonly parked: number; readonly resumed: number }> {
  return (await tx.query<{ parked: number; resumed: number }>(countWaiting, [tx.tenantId, key.flowId, key.targetId, most])).rows[0]!;
}

const findWanted = `/* find waiting batch */
  select 1 from headgate.batches b where b.tenant_id = $1 and b.flow_id = $2 and b.target_id = $3 and b.state in ('ready', 'unknown', 'parked') limit 1`;

/** Whether a batch of the target waits to be sent. */
export async function isWanted(tx: TenantTx, { flowId, targetId }: BreakerKey): Promise<boolean> {
  return (await tx.query(findWanted, [tx.tenantId, flowId, targetId])).rows.length > 0;
}

const isParked = `b.tenant_id = $1 and b.flow_id = $2 and b.target_id = $3 and b.state = 'parked'`;
const isTriedOften = `(b.attempts > ${countedAttempts})`;

/** Each part reads one row of the index of parked batches. */
const selectLast = `/* find last parked batch */
  select l.flow_version_id as "flowVersionId" from (
    (select b.batch_id, b.flow_version_id from headgate.batches b where ${isParked} and ${isTriedOften} order by b.batch_id desc limit 1) union all
    (select b.batch_id, b.flow_version_id from headgate.batches b where ${isParked} and not ${isTriedOften} order by b.batch_id desc limit 1)) l
  order by l.batch_id desc limit 1`;

/** Under which version of the flow the last one was cut: the target may have moved with it. Undefined: nothing is parked. */
export async function lastParkedVersion(tx: TenantTx, { flowId, targetId }: BreakerKey): Promise<string | undefined> {
  return (await tx.query<{ flowVersionId: string }>(selectLast, [tx.tenantId, flowId, targetId])).rows[0]?.flowVersionId;
}

/**
 * What was tried often comes last, so that a batch that its target can't take is not what the target is judged by; before that, what was
 * cut under an earlier version than the one whose target was asked. That may lead where nothing answers, and would open the breaker in
 * front of the others: it waits until they are through, but for those that were tried often.
 */
const firstParked = (which: string) => `select b.batch_id, ${isTriedOften} as often, b.flow_version_id <> $5 as earlier
    from headgate.batches b where ${which} order by ${isTriedOften}, b.batch_id limit $4`;
const selectFirst = `/* list first parked batches */
  with asked as (${firstParked(`${isParked} and b.flow_version_id = $5`)})
  select f.batch_id as "batchId" from (select * from asked union (${firstParked(isParked)})) f
  where not f.earlier or not (exists (select from asked a where not a.often) or exists (select from headgate.batches r where ${isResumed} and r.attempts <= ${countedAttempts} and r.flow_version_id = $5))
  order by f.often, f.earlier, f.batch_id limit $4`;

const lockParked = `/* lock parked batches */
  select b.batch_id as "batchId" from headgate.batches b
  where b.tenant_id = $1 and b.batch_id = any ($2::uuid[]) and b.state = 'parked' order by b.batch_id for update`;

/** Part of the caller's transaction. How many go on. */
export async function resumeParked(
  tx: TenantTx,
  { queue, ids }: { readonly queue: WorkQueue; readonly ids: Ids },
  request: BreakerKey & { readonly flowVersionId: string; readonly count: number; readonly actor: string },
): Promise<number> {
  const { flowId, targetId, flowVersionId, count, actor } = request;
  if (count <= 0) return 0;
  const found = (await tx.query<{ batchId: string }>(selectFirst, [tx.tenantId, flowId, targetId, count, flowVersionId])).rows;
  const batchIds = found.map(({ batchId }) => batchId);
  // Work is locked before the batch it is about, as its worker locks them.
  const batches = await loadBatches(tx, batchIds);
  await queue.addWork(
    tx,
    batches.map((batch) => deliverWork(flowId, batch)),
  );
  const { rows } = await tx.query<{ batchId: string }>(lockParked, [tx.tenantId, batchIds]);
  const locked = new Set(rows.map(({ batchId }) => batchId));
  const resumed = batches.filter(({ batchId }) => locked.has(batchId));
  await moveBatches(
    tx,
    ids,
    resumed.map(({ batchId, traceParent }) => ({ batchId, traceParent, actor, from: 'parked', event: 'resume' })),
  );
  return resumed.length;
}
