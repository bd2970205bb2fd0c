/**
 * Writes cut batches with all that must be there at once: what was routed per job and target, the work that sends each
 * batch, the events. A job with nothing to deliver goes to be closed.
 */
import type { Ids } from '../../../platform/base/ports.ts';
import { recordEvents } from '../../../platform/events/event-log.ts';
import { parseTraceparent } from '../../../platform/telemetry/trace-context.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { laneKeyOf, type NewBatch, recordsByJob } from '../batch.ts';
import type { NewWork, WorkQueue } from '../work-queue-port.ts';
import { collectParts, collects } from './collected-parts.ts';
import type { PreparedCut } from './cut-input.ts';
import { numberFiles } from './file-sequences.ts';

/** Rows of one statement; their spans and members are the bulk of it. */
const rowsMax = 500;

const insertBatchRows = `/* insert batches */
  with held as (
    insert into headgate.batch_jobs (tenant_id, job_id, batch_id) select $1, h.job_id, h.batch_id from unnest($18::uuid[], $19::uuid[]) as h (job_id, batch_id)
  )
  insert into headgate.batches (tenant_id, batch_id, flow_id, flow_version_id, target_id, parent_batch_id, lane, lane_scheme, order_number, order_offset, state,
    spans, members, job_ids, records, bytes, body_sha256, attempts, unknown_attempts, held_attempts, decided_attempts, trace_parent, file_sequence, via, created_at, changed_at)
  select $1, b.batch_id, $2, $3, b.target_id, b.parent_batch_id, b.lane, b.lane_scheme, b.order_number, b.order_offset, 'ready',
    b.spans::jsonb, b.members::jsonb, array(select jsonb_array_elements_text(b.job_ids::jsonb)::uuid), b.records, b.bytes, b.body_sha256, b.attempts, b.unknown_attempts, b.held_attempts, b.decided_attempts, $4, b.file_sequence, b.via,
    (select headgate.clock()), (select headgate.clock())
  from unnest($5::uuid[], $6::text[], $7::uuid[], $8::int[], $9::bigint[], $10::text[], $11::text[], $12::text[], $13::int[], $14::bigint[], $15::text[],
      $16::int[], $17::int[], $20::int[], $21::bigint[], $22::text[], $23::int[], $24::int[], $25::int[])
    as b (batch_id, target_id, parent_batch_id, lane, order_number, spans, members, job_ids, records, bytes, body_sha256, attempts, unknown_attempts, held_attempts, file_sequence, via, order_offset, lane_scheme, decided_attempts)`;

const insertJobTargets = `/* count routed records */
  insert into headgate.job_targets as t (tenant_id, job_id, target_id, routed)
  select $1, r.job_id, r.target_id, r.routed from unnest($2::uuid[], $3::text[], $4::bigint[]) as r (job_id, target_id, routed)
  on conflict (tenant_id, job_id, target_id) do update set routed = t.routed + excluded.routed`;

export interface BatchOrigin {
  readonly flowId: string;
  readonly flowVersionId: string;
  readonly traceParent: string | null;
}

/** Rows only; the caller writes events and work. */
export async function insertBatches(tx: TenantTx, origin: BatchOrigin, batches: readonly NewBatch[]): Promise<void> {
  for (let at = 0; at < batches.length; at += rowsMax) {
    const rows = batches.slice(at, at + rowsMax);
    const held = rows.flatMap(({ batchId, members }) => [...recordsByJob(members).keys()].map((jobId) => ({ jobId, batchId })));
    await tx.query(insertBatchRows, [
      tx.tenantId,
      origin.flowId,
      origin.flowVersionId,
      origin.traceParent,
      rows.map((batch) => batch.batchId),
      rows.map((batch) => batch.targetId),
      rows.map((batch) => batch.parentBatchId),
      rows.map((batch) => batch.lane),
      rows.map((batch) => batch.orderNumber),
      rows.map((batch) => JSON.stringify(batch.spans)),
      rows.map((batch) => JSON.stringify(batch.members)),
      rows.map((batch) => JSON.stringify([...recordsByJob(batch.members).keys()])),
      rows.map((batch) => batch.records),
      rows.map((batch) => batch.bytes),
      rows.map((batch) => batch.bodySha256),
      rows.map((batch) => batch.attempts),
      rows.map((batch) => batch.unknownAttempts),
      held.map(({ jobId }) => jobId),
      held.map(({ batchId }) => batchId),
      rows.map((batch) => batch.heldAttempts),
      rows.map((batch) => batch.fileSequence),
      rows.map((batch) => batch.via),
      rows.map((batch) => batch.orderOffset),
      rows.map((batch) => batch.laneScheme),
      rows.map((batch) => batch.decidedAttempts),
    ]);
  }
}

/** Writes what `prepareBatches` made, in the transaction that starts the deliveries. */
export async function insertCutBatches(
  tx: TenantTx,
  prepared: PreparedCut,
  services: { readonly queue: WorkQueue; readonly ports: { readonly ids: Ids } },
): Promise<void> {
  const { input } = prepared;
  const routed = new RoutedCounts(input);
  for await (const batches of prepared.pages?.(tx) ?? [prepared.batches]) {
    routed.add(batches);
    await insertPage(tx, input, batches, services);
  }
  await countRouted(tx, routed);
  await services.queue.addWork(
    tx,
    routed.jobsWithout().map((jobId) => ({ kind: 'close', referenceId: jobId })),
  );
}

async function insertPage(
  tx: TenantTx,
  input: PreparedCut['input'],
  page: readonly NewBatch[],
  { queue, ports }: { readonly queue: WorkQueue; readonly ports: { readonly ids: Ids } },
): Promise<void> {
  const isCollected = (batch: NewBatch) => collects(input, batch);
  const batches = await numberFiles(tx, { input, batches: page.filter((batch) => !isCollected(batch)) });
  await insertBatches(tx, input, batches);
  await collectParts(tx, input, page.filter(isCollected), { queue, ids: ports.ids });
  await queue.addWork(
    tx,
    batches.map((batch) => deliverWork(input.flowId, batch)),
  );
  await recordCut(tx, ports.ids, input, batches);
}

/** With each batch that is cut. */
export async function recordCut(
  tx: TenantTx,
  ids: Ids,
  { traceParent, actor }: Pick<PreparedCut['input'], 'traceParent' | 'actor'>,
  batches: readonly NewBatch[],
): Promise<void> {
  const traceId = parseTraceparent(traceParent)?.traceId ?? null;
  await recordEvents(
    tx,
    ids,
    batches.map((batch) => ({
      type: 'batch.cut',
      objectId: batch.batchId,
      from: '',
      to: 'ready',
      actor,
      traceId,
      detail: { target: batch.targetId, records: batch.records, jobs: recordsByJob(batch.members).size },
    })),
  );
}

/** The work of sending a batch: in its lane, after all batches before it have ended. */
export function deliverWork(
  flowId: string,
  batch: Pick<NewBatch, 'batchId' | 'targetId' | 'lane' | 'orderNumber' | 'orderOffset' | 'records'>,
): NewWork {
  return {
    kind: 'deliver',
    referenceId: batch.batchId,
    laneKey: laneKeyOf(flowId, batch.targetId, batch.lane),
    laneOrder: batch.orderNumber,
    laneOffset: batch.orderOffset,
    cost: batch.records,
  };
}

/** What was routed to each target of each job: nothing, too. */
class RoutedCounts {
  readonly #input: PreparedCut['input'];

  readonly #counts: ReadonlyMap<string, Map<string, number>>;

  constructor(input: PreparedCut['input']) {
    this.#input = input;
    const none = () => new Map(input.plan.targets.map(({ id }) => [id, 0] as const));
    this.#counts = new Map(input.jobs.map(({ jobId }) => [jobId, none()]));
  }

  add(batches: readonly NewBatch[]): void {
    for (const { members, targetId } of batches) {
      for (const [jobId, records] of recordsByJob(members)) {
        const own = this.#counts.get(jobId)!;
        own.set(targetId, own.get(targetId)! + records);
      }
    }
  }

  rows(): readonly { readonly jobId: string; readonly targetId: string; readonly count: number }[] {
    return [...this.#counts].flatMap(([jobId, own]) => [...own].map(([targetId, count]) => ({ jobId, targetId, count })));
  }

  /** Jobs without a record to deliver. */
  jobsWithout(): readonly string[] {
    const jobIds = this.#input.jobs.map(({ jobId }) => jobId);
    return jobIds.filter((jobId) => [...this.#counts.get(jobId)!.values()].every((count) => count === 0));
  }
}

async function countRouted(tx: TenantTx, counts: RoutedCounts): Promise<void> {
  const rows = counts.rows();
  await tx.query(insertJobTargets, [
    tx.tenantId,
    rows.map((row) => row.jobId),
    rows.map((row) => row.targetId),
    rows.map((row) => row.count),
  ]);
}
