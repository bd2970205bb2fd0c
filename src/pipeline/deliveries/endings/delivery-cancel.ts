/**
 * What cancelling a job means for its deliveries: batches that were never sent are cancelled, and those that wait for a
 * person too; what is being sent ends as it ends, and what nobody knows about as its target says. Other jobs in a shared batch go on in a child.
 */
import type { Ids, Sleep } from '../../../platform/base/ports.ts';
import type { SealedStore } from '../../../platform/storage/object-store.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { resolveAttempts } from '../attempts/attempt-store.ts';
import { type BatchChange, moveBatches } from '../batch-changes.ts';
import { type LoadedBatch, loadBatches } from '../batch-load.ts';
import { batchesInHand, batchesOfPageMax, batchIdsOfJob, hasMoreBatches, pageOfBatches } from '../batches-of-job.ts';
import { deliverWork, insertBatches, recordCut } from '../cutting/batch-insert.ts';
import { partsOfJob, type TakenPart } from '../cutting/collected-parts.ts';
import type { NewWork, WorkQueue } from '../work-queue-port.ts';
import { splitByMembers } from './batch-split.ts';
import { addCounts, type CountDelta, countBatch } from './target-counts.ts';

export interface CancelServices {
  readonly store: SealedStore;
  readonly queue: WorkQueue;
  readonly ports: { readonly ids: Ids; readonly sleep: Sleep };
}

export interface CancelRequest {
  readonly jobId: string;
  readonly actor: string;
}

export interface CancelledDeliveries {
  readonly records: number;
  /** Batches of the job that are still on their way; null: they are very many, and whoever closes the job goes on cancelling them. */
  readonly openBatches: number | null;
}

/** Batches that the transaction of a decision goes through: who delivers for the tenant waits for what it has locked. */
const cancelledAtOnceMax = 5_000;

const isWaiting = `b.tenant_id = $1 and b.batch_id = any ($2::uuid[]) and b.state in ('ready', 'unknown', 'held', 'parked')`;
const ofWork = `b.batch_id as "batchId", b.flow_id as "flowId", b.target_id as "targetId", b.lane, b.order_number as "orderNumber", b.order_offset as "orderOffset", b.records`;
const listWaiting = `/* list cancellable batches */ select ${ofWork} from headgate.batches b where ${isWaiting} order by b.batch_id`;
/** Of these, with their work locked, what nobody has in hand or locked; what was parked may have none. Nobody waits for another. */
const listFree = `/* list free cancellable batches */ select ${ofWork} from headgate.batches b
  left join lateral (select w.work_id from headgate.work_items w
    where w.tenant_id = $1 and w.kind = 'deliver' and w.reference_id = b.batch_id and w.lease_until is null limit 1 for update skip locked) w on true
  left join lateral (select o.work_id from headgate.work_items o
    where o.tenant_id = $1 and o.kind = 'deliver' and o.reference_id = b.batch_id limit 1) o on true
  where ${isWaiting} and (w.work_id is not null or o.work_id is null) order by b.batch_id`;
const lockWaiting = `/* lock cancellable batches */
  select b.batch_id as "batchId" from headgate.batches b where ${isWaiting} order by b.batch_id for update`;

const countOpen = `/* count open batches */
  select count(*)::int as count from headgate.batches b
  where b.tenant_id = $1 and b.batch_id = any (array(select h.batch_id from headgate.batch_jobs h where h.tenant_id = $1 and h.job_id = $2))
    and b.state in ('ready', 'sending', 'unknown', 'held', 'parked')`;

/**
 * In the transaction that writes the decision. The job is sent to be closed when nothing of it is open any more. Work items
 * of cancelled batches are due at once and dropped when they are claimed, so that what waits behind them in a lane goes on.
 * Of a job of very many batches those that workers have in hand are cancelled; it is sent to be closed, by which the others are.
 */
export async function cancelDeliveries(tx: TenantTx, services: CancelServices, request: CancelRequest): Promise<CancelledDeliveries> {
  const { jobId } = request;
  const cancelled = new CancelledRecords();
  const areMany = await hasMoreBatches(tx, jobId, cancelledAtOnceMax);
  for await (const page of areMany ? batchesInHand(tx, jobId) : batchIdsOfJob(tx, jobId))
    cancelled.add(await cancelPage(tx, services, request, page));
  for await (const parts of partsOfJob(tx, jobId)) cancelled.add(await cancelParts(tx, services, request, parts));
  await countCancelled(tx, services, cancelled, areMany ? [jobId] : []);
  if (areMany) return { records: cancelled.records, openBatches: null };
  const open = await tx.query<{ count: number }>(countOpen, [tx.tenantId, jobId]);
  return { records: cancelled.records, openBatches: open.rows[0]!.count };
}

/**
 * Once a decision is committed: those that workers had claimed before they could see it, and would send. What is claimed later is
 * cancelled by whoever claims it.
 */
export async function cancelInHand(tx: TenantTx, services: CancelServices, request: CancelRequest): Promise<void> {
  const cancelled = new CancelledRecords();
  for await (const page of batchesInHand(tx, request.jobId)) cancelled.add(await cancelPage(tx, services, request, page));
  await countCancelled(tx, services, cancelled);
}

/**
 * After that, the next of them behind `after`, in a transaction of their own; what somebody has in hand by now is for them to cancel.
 * The last that was looked at; null: there are no more.
 */
export async function cancelNext(
  tx: TenantTx,
  services: CancelServices,
  request: CancelRequest,
  after: string | null,
): Promise<string | null> {
  const page = await pageOfBatches(tx, request.jobId, after);
  const cancelled = new CancelledRecords();
  cancelled.add(await cancelPage(tx, services, request, page, listFree));
  await countCancelled(tx, services, cancelled);
  return page.length < batchesOfPageMax ? null : page.at(-1)!;
}

/** What they count is for the caller to add. */
async function cancelPage(
  tx: TenantTx,
  services: CancelServices,
  request: CancelRequest,
  batchIds: readonly string[],
  list = listWaiting,
): Promise<CountDelta[]> {
  const locked = await lockBatches(tx, services.queue, batchIds, list);
  return locked.length === 0 ? [] : await cancelBatches(tx, services, request, await loadBatches(tx, locked));
}

/** Last: who ends a batch locks its work before these rows. */
async function countCancelled(
  tx: TenantTx,
  { queue }: CancelServices,
  cancelled: CancelledRecords,
  toClose: readonly string[] = [],
): Promise<void> {
  const ended = await addCounts(tx, cancelled.counts());
  await queue.addWork(
    tx,
    [...new Set([...ended, ...toClose])].map((referenceId) => ({ kind: 'close', referenceId })),
  );
}

/** By job and target, of however many batches. */
class CancelledRecords {
  readonly #counts = new Map<string, CountDelta>();

  records = 0;

  add(deltas: readonly CountDelta[]): void {
    for (const delta of deltas) {
      const name = `${delta.jobId} ${delta.targetId}`;
      this.#counts.set(name, { ...delta, cancelled: (this.#counts.get(name)?.cancelled ?? 0) + delta.cancelled });
      this.records += delta.cancelled;
    }
  }

  counts(): readonly CountDelta[] {
    return [...this.#counts.values()];
  }
}

/** Batches that are locked. What they count is for the caller to add. */
async function cancelBatches(
  tx: TenantTx,
  services: CancelServices,
  { jobId, actor }: CancelRequest,
  batches: readonly LoadedBatch[],
): Promise<CountDelta[]> {
  const { queue, ports } = services;
  const changes: BatchChange[] = [];
  const counts: CountDelta[] = [];
  const resolved: string[] = [];
  const due: NewWork[] = [];
  for (const batch of batches.toSorted((a, b) => (a.batchId < b.batchId ? -1 : 1))) {
    const basics = { batchId: batch.batchId, actor, traceParent: batch.traceParent };
    const kept = batch.members.flatMap((member, at) => (member.jobId === jobId ? [] : [at]));
    // Its worker ends it, as soon as the target was asked where it can be; whoever has it in hand knows nothing of this decision.
    if (batch.state === 'unknown') {
      if (batch.isCancelled) due.push(workOf(batch));
    } else if (kept.length === 0 || batch.isCancelled) {
      changes.push({ ...basics, from: batch.state, event: 'cancel', detail: { records: batch.records } });
      counts.push(...countBatch(batch, 'cancelled'));
      resolved.push(batch.batchId);
      due.push(workOf(batch));
    } else if ((batch.state === 'ready' || batch.state === 'parked') && !batch.isInDoubt) {
      // One that may be there is sent again whole: its rest would go by another id.
      const gone = batch.members.flatMap((member, at) => (member.jobId === jobId ? [at] : []));
      const [child, cancelled] = [await splitByMembers(services, batch, kept), await splitByMembers(services, batch, gone)];
      await insertBatches(tx, batch, [child, cancelled]);
      await queue.addWork(tx, [deliverWork(batch.flowId, child)]);
      due.push(workOf(batch));
      changes.push({ ...basics, from: batch.state, event: 'split', detail: { children: 2 } });
      changes.push({ ...basics, batchId: cancelled.batchId, from: 'ready', event: 'cancel', detail: { records: cancelled.records } });
      counts.push(...countBatch(cancelled, 'cancelled'));
    }
  }
  await queue.addWork(tx, due);
  await moveBatches(tx, ports.ids, changes);
  const evidence = 'the job was cancelled while the batch waited for a decision';
  await resolveAttempts(
    tx,
    resolved.map((batchId) => ({ batchId, resolvedAs: 'cancelled', evidence })),
  );
  return counts;
}

/** What waited for the end of its window: each becomes a batch, so that the receipt can tell of it. */
async function cancelParts(
  tx: TenantTx,
  { ports }: CancelServices,
  { actor }: CancelRequest,
  parts: readonly TakenPart[],
): Promise<CountDelta[]> {
  const changes: BatchChange[] = [];
  for (const { origin, batch } of parts) {
    await insertBatches(tx, { ...origin, traceParent: null }, [batch]);
    changes.push({ batchId: batch.batchId, actor, traceParent: null, from: 'ready', event: 'cancel', detail: { records: batch.records } });
  }
  await recordCut(
    tx,
    ports.ids,
    { traceParent: null, actor },
    parts.map(({ batch }) => batch),
  );
  await moveBatches(tx, ports.ids, changes);
  return parts.flatMap(({ batch }) => countBatch(batch, 'cancelled'));
}

/** Work is locked before the batch it is about, as its worker locks them. Gives the ids of those that may be cancelled. */
async function lockBatches(tx: TenantTx, queue: WorkQueue, batchIds: readonly string[], list: string): Promise<readonly string[]> {
  const waiting = await tx.query<WorkedBatch>(list, [tx.tenantId, batchIds]);
  await queue.keepWork(tx, waiting.rows.map(workOf));
  const locked = await tx.query<{ batchId: string }>(lockWaiting, [tx.tenantId, waiting.rows.map(({ batchId }) => batchId)]);
  return locked.rows.map(({ batchId }) => batchId);
}

type WorkedBatch = Pick<LoadedBatch, 'flowId'> & Parameters<typeof deliverWork>[1];
const workOf = (batch: WorkedBatch) => deliverWork(batch.flowId, batch);
