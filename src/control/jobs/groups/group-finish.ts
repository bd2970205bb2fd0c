/**
 * Commits what a run of a chunk group gave: the work, the group, chunks, segments, samples, totals, and for files of one
 * chunk the verdict and their batches, in one fenced transaction. Of several runs of a group one commits; what the others
 * wrote is removed at once, or by the orphan sweep.
 */

import { commitForCertain } from '../../../pipeline/deliveries/certain-transaction.ts';
import { type CutJob, type PreparedCut, prepareBatches } from '../../../pipeline/deliveries/cutting/batch-cutter.ts';
import { insertCutBatches } from '../../../pipeline/deliveries/cutting/batch-insert.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { isPlanted } from '../../../platform/base/planted-faults.ts';
import { type NewEvent, recordEvents } from '../../../platform/events/event-log.ts';
import type { SealedObject } from '../../../platform/storage/object-store.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { withoutObstacle } from '../closing/job-obstacles.ts';
import type { JobServices } from '../job-services.ts';
import { isClosed, nextJobState } from '../job-state.ts';
import { type JudgedJob, lockJobs, recordVerdicts } from '../job-verdicts.ts';
import { addUsage } from '../tenant-usage.ts';
import type { ClaimedChunk, ClaimedGroup } from './claimed-groups.ts';
import type { FailedChunkRun, FinishedChunkRun, GroupResult } from './group-run.ts';
import { finishChunks, insertSamples, insertSegments } from './segment-rows.ts';

/** A job was closed by a person while its batches were being prepared. */
class JobsClosed extends Error {
  readonly jobIds: readonly string[];

  constructor(jobIds: readonly string[]) {
    super('jobs were closed meanwhile');
    this.jobIds = jobIds;
  }
}

/** Fails with E_FENCED, and then nothing of the run is left. */
export async function finishGroup(services: JobServices, group: ClaimedGroup, result: GroupResult): Promise<void> {
  const closed = new Set<string>();
  for (;;) {
    try {
      const prepared = await prepareCut(services, group, result, closed);
      await commitForCertain(services, group.item.tenantId, async (tx) => {
        await writeResult(tx, services, group, result, prepared);
        services.crashPoints.reach('jobs.before-commit');
      });
      services.crashPoints.reach('jobs.after-commit');
      return;
    } catch (error) {
      if (error instanceof JobsClosed) for (const jobId of error.jobIds) closed.add(jobId);
      else {
        if (error instanceof HeadgateError && error.code === 'E_FENCED') removeSegments(services, result);
        throw error;
      }
    }
  }
}

/** Best effort: what stays is found by the orphan sweep. */
function removeSegments({ store, logger }: JobServices, result: GroupResult): void {
  for (const name of new Set(result.segments.map((segment) => segment.object.name))) {
    try {
      store.remove(name);
    } catch (error) {
      logger.warn('a segment that counts for nothing could not be removed', { error });
    }
  }
}

/** Null when no file of the group goes on to its deliveries. */
async function prepareCut(
  services: JobServices,
  group: ClaimedGroup,
  result: GroupResult,
  closed: ReadonlySet<string>,
): Promise<PreparedCut | null> {
  const objects = new Map(result.segments.map((segment) => [segment.segmentId, segment.object]));
  const chunks = new Map(group.chunks.map((chunk) => [chunk.jobId, chunk]));
  const jobs = result.chunks
    .filter(({ checked, jobId }) => checked !== null && isAccepted(checked.check.verdict) && !closed.has(jobId))
    .map((run) => cutJobOf(run, chunks.get(run.jobId)!, objects));
  if (jobs.length === 0) return null;
  const { flow, flowVersionId, item } = group;
  const input = {
    tenantId: item.tenantId,
    flowId: flow.flowId,
    flowVersionId,
    plan: flow.plan,
    traceParent: chunks.get(jobs[0]!.jobId)!.traceParent,
    actor: 'system',
    possibleDuplicate: chunks.get(jobs[0]!.jobId)!.redrive?.possibleDuplicate ?? false,
    jobs,
  };
  return await prepareBatches(input, services);
}

export function isAccepted(verdict: string): boolean {
  return verdict === 'accepted' || verdict === 'partial';
}

function cutJobOf(run: FinishedChunkRun, chunk: ClaimedChunk, objects: ReadonlyMap<string, SealedObject>): CutJob {
  const { jobId, lineageId, acceptedNumber, file, chunkNumber, context } = chunk;
  const { outcomes, outputs } = run.parts;
  return {
    jobId,
    lineageId,
    acceptedNumber,
    file,
    chunks: [{ chunkNumber, columns: context.columns, outcomes: { ...outcomes, object: objects.get(outcomes.segmentId)! } }],
    outputs: outputs.flatMap((part, target) =>
      part === null
        ? []
        : [
            {
              target,
              chunkNumber,
              segment: { segmentId: part.segmentId, object: objects.get(part.segmentId)! },
              start: part.start,
              stripes: part.stripes,
            },
          ],
    ),
    exclusions: run.checked!.exclusions,
  };
}

async function writeResult(
  tx: TenantTx,
  services: JobServices,
  group: ClaimedGroup,
  result: GroupResult,
  prepared: PreparedCut | null,
): Promise<void> {
  const { queue, ports } = services;
  const { item, groupId, flow } = group;
  await queue.finishWork(tx, [item]);
  const isFailed = result.chunks.length === 0 && result.failed.length > 0;
  await endGroup(tx, groupId, item.fence, isFailed ? 'failed' : 'done');
  const states = await lockJobs(tx, [...new Set(group.chunks.map((chunk) => chunk.jobId))]);
  const isOpen = ({ jobId }: { readonly jobId: string }) => !isClosed(states.get(jobId)!);
  const gone = prepared?.input.jobs.filter((job) => !isOpen(job)) ?? [];
  if (gone.length > 0) throw new JobsClosed(gone.map((job) => job.jobId));
  const finished = result.chunks.filter(isOpen);
  await insertSegments(tx, { id: groupId, fence: item.fence, plan: flow.plan }, result.segments);
  await finishChunks(tx, item.fence, finished);
  await insertSamples(tx, finished);
  const judged = judgedJobs(group, finished, result.failed.filter(isOpen)).filter(({ jobId }) => states.get(jobId) !== 'held');
  const effects = await recordVerdicts(tx, judged, states);
  const parts = finished.filter((chunk) => chunk.checked === null);
  const checking = await countChunks(tx, parts, states);
  await queue.addWork(tx, [...effects.work, ...checking.map(({ jobId }) => ({ kind: 'check' as const, referenceId: jobId }))]);
  const events: NewEvent[] = [groupEvent(group, result, isFailed), ...effects.events, ...checking.map(({ event }) => event)];
  await recordEvents(tx, ports.ids, events);
  if (prepared !== null) await insertCutBatches(tx, prepared, services);
  await addUsage(tx, { storedBytes: 0, heldBytes: effects.heldBytes, chunksInFlight: -group.chunkCount });
}

const endRow = `/* end chunk group */
  update headgate.chunk_groups set state = $4, changed_at = headgate.clock() where tenant_id = $1 and group_id = $2
    and ${isPlanted('no-fence') ? '$3::bigint is not null' : 'fence = $3'}`;

async function endGroup(tx: TenantTx, groupId: string, fence: number, state: 'done' | 'failed'): Promise<void> {
  const { rowCount } = await tx.query(endRow, [tx.tenantId, groupId, fence, state]);
  if (rowCount !== 1) throw new Error('a chunk group is not the one that was claimed');
}

const firstOfEach = (failed: readonly FailedChunkRun[]) => [...new Map(failed.toReversed().map((run) => [run.jobId, run])).values()];

/** Files of one chunk, and files of which a part cannot be processed. */
function judgedJobs(group: ClaimedGroup, finished: readonly FinishedChunkRun[], failed: readonly FailedChunkRun[]): JudgedJob[] {
  const chunks = new Map(group.chunks.map((chunk) => [chunk.jobId, chunk]));
  const common = (jobId: string) => {
    const { jobBytes, jobChunks, traceId, splitDamage } = chunks.get(jobId)!;
    const { startedAt, flow } = group;
    return { jobId, bytes: jobBytes, chunks: jobChunks, startedAt, traceId, plan: flow.plan, splitDamage: splitDamage ?? [] };
  };
  return [
    ...finished
      .filter((run) => run.checked !== null)
      .map(({ jobId, checked, exclusions }) => ({ ...common(jobId), checked, exclusions, failure: null })),
    // A group of a redrive holds many chunks of one job.
    ...firstOfEach(failed).map(({ jobId, failure }) => ({ ...common(jobId), checked: null, exclusions: null, failure })),
  ];
}

const addChunk = `/* count finished chunks */
  update headgate.jobs j set chunks_done = j.chunks_done + d.chunks, records_read = j.records_read + d.read, records_valid = j.records_valid + d.valid,
    records_rejected = j.records_rejected + d.rejected, records_filtered = j.records_filtered + d.filtered, records_warned = j.records_warned + d.warned,
    state = case when j.state = 'running' and j.chunks_done + d.chunks = j.chunks then $8 else j.state end,
    reason_code = ${withoutObstacle}, changed_at = (select headgate.clock())
  from (select x.job_id, sum(x.chunks)::int as chunks, sum(x.read) as read, sum(x.valid) as valid, sum(x.rejected) as rejected, sum(x.filtered) as filtered,
      sum(x.warned) as warned
    from unnest($2::uuid[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $9::bigint[]) as x (job_id, chunks, read, valid, rejected, filtered, warned)
    group by x.job_id) d
  where j.tenant_id = $1 and j.job_id = any ($2::uuid[]) and j.job_id = d.job_id returning j.job_id as "jobId", j.state, j.trace_id as "traceId"`;

/** Chunks of bigger files. Returns the jobs of which this was the last: their files are checked next. */
async function countChunks(
  tx: TenantTx,
  chunks: readonly FinishedChunkRun[],
  states: ReadonlyMap<string, string>,
): Promise<{ readonly jobId: string; readonly event: NewEvent }[]> {
  if (chunks.length === 0) return [];
  const checking = nextJobState('running', 'check');
  const { rows } = await tx.query<{ jobId: string; state: string; traceId: string | null }>(addChunk, [
    tx.tenantId,
    chunks.map((chunk) => chunk.jobId),
    chunks.map(() => 1),
    chunks.map((chunk) => chunk.summary.records.read),
    chunks.map((chunk) => chunk.summary.records.valid),
    chunks.map((chunk) => chunk.summary.records.rejected),
    chunks.map((chunk) => chunk.summary.records.filtered),
    checking,
    chunks.map((chunk) => chunk.summary.warned),
  ]);
  return rows
    .filter(({ jobId, state }) => state === checking && states.get(jobId) === 'running')
    .map(({ jobId, traceId }) => ({
      jobId,
      event: { type: 'job.checking', objectId: jobId, from: 'running', to: checking, actor: 'system', traceId },
    }));
}

function groupEvent(group: ClaimedGroup, result: GroupResult, isFailed: boolean): NewEvent {
  const records = result.chunks.reduce((sum, chunk) => sum + chunk.summary.records.read, 0);
  return {
    type: isFailed ? 'chunk_group.failed' : 'chunk_group.finished',
    objectId: group.groupId,
    from: 'running',
    to: isFailed ? 'failed' : 'done',
    actor: 'system',
    traceId: group.chunks[0]?.traceId ?? null,
    detail: { chunks: result.chunks.length, failed: result.failed.length, records, attempts: group.attempts },
  };
}
