/**
 * Work of kind `check`: a file of several chunks that are all done is judged as a whole; a held file that a person released
 * is cut into batches. One fenced transaction holds the verdict, the exclusions, the totals and the batches.
 */

import { commitForCertain } from '../../pipeline/deliveries/certain-transaction.ts';
import { type CutJob, type CutOutput, prepareBatches } from '../../pipeline/deliveries/cutting/batch-cutter.ts';
import { insertCutBatches } from '../../pipeline/deliveries/cutting/batch-insert.ts';
import type { WorkItem } from '../../pipeline/deliveries/work-queue-port.ts';
import type { ChunkContext, ChunkSummary } from '../../pipeline/engine/chunk.ts';
import type { ReceiptRedrive } from '../../pipeline/ledger/receipt.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import { recordEvents } from '../../platform/events/event-log.ts';
import type { SealedObject } from '../../platform/storage/object-store.ts';
import { withSpan } from '../../platform/telemetry/tracing.ts';
import { type TenantTx, withTenant } from '../../platform/tenancy/tenant-scope.ts';
import { clearObstacle, markObstacle, obstacleAgainMs } from './closing/job-obstacles.ts';
import type { ChunkParts } from './groups/chunk-parts.ts';
import { isAccepted } from './groups/group-finish.ts';
import type { FileResult, FileRun } from './groups/group-run.ts';
import { insertSegments, partsWithoutStripes, readSegments, readStripes } from './groups/segment-rows.ts';
import type { EngineThreads } from './groups/thread-pool.ts';
import { jobErrors } from './job-errors.ts';
import { flowOfJob } from './job-flow.ts';
import type { JobFlow, JobServices } from './job-services.ts';
import type { JobState } from './job-state.ts';
import type { JobTotals } from './job-totals.ts';
import { lockJobs, recordVerdicts } from './job-verdicts.ts';
import { addUsage } from './tenant-usage.ts';

interface JobToCheck {
  readonly jobId: string;
  readonly state: JobState;
  readonly flowVersionId: string;
  readonly lineageId: string;
  readonly acceptedNumber: number;
  readonly bytes: number;
  readonly chunks: number;
  readonly recordsRead: number;
  readonly startedAt: Date | null;
  readonly totals: JobTotals | null;
  readonly redrive: ReceiptRedrive | null;
  readonly file: SealedObject;
  readonly traceId: string | null;
  readonly traceParent: string | null;
}

interface DoneChunk {
  readonly number: number;
  readonly start: number;
  readonly end: number;
  readonly firstRecord: number;
  readonly context: ChunkContext;
  readonly summary: ChunkSummary;
  readonly parts: ChunkParts;
}

interface LoadedJob {
  readonly job: JobToCheck;
  readonly flow: JobFlow;
  /** Without their stripes, where these are very many. */
  readonly chunks: readonly DoneChunk[];
  readonly isStriped: boolean;
  readonly objects: ReadonlyMap<string, SealedObject>;
}

const selectJob = `/* read job to check */
  select j.job_id as "jobId", j.state, j.flow_version_id as "flowVersionId", j.lineage_id as "lineageId", j.accepted_number as "acceptedNumber", j.bytes, j.chunks, j.records_read as "recordsRead",
    j.started_at as "startedAt", j.totals, j.redrive, f.object as file, j.trace_id as "traceId", j.trace_parent as "traceParent"
  from headgate.jobs j join headgate.files f on f.tenant_id = j.tenant_id and f.file_id = j.file_id
  where j.tenant_id = $1 and j.job_id = $2`;

const selectChunks = (parts: string) => `/* read done chunks */
  select c.chunk_number as number, c.start_byte as start, c.end_byte as "end", c.first_record as "firstRecord", c.context, c.summary, ${parts} as parts
  from headgate.chunks c where c.tenant_id = $1 and c.job_id = $2 and c.done_at is not null order by c.chunk_number`;

/** In memory at once. A batch has one stripe or more. */
const stripesMax = 5_000;

function isStripedBeyond({ recordsRead }: JobToCheck, { plan }: JobFlow): boolean {
  return plan.targets.reduce((sum, { batchRecords }) => sum + recordsRead / batchRecords, 0) > stripesMax;
}

async function loadJob(tx: TenantTx, services: JobServices, jobId: string): Promise<LoadedJob> {
  const job = (await tx.query<JobToCheck>(selectJob, [tx.tenantId, jobId])).rows[0]!;
  const flow = flowOfJob(await services.flows.load(tx, job.flowVersionId), job.redrive);
  const isStriped = !isStripedBeyond(job, flow);
  const chunks = (await tx.query<DoneChunk>(selectChunks(isStriped ? 'c.segments' : partsWithoutStripes), [tx.tenantId, jobId])).rows;
  const segmentIds = chunks.flatMap(({ parts }) =>
    [parts.outcomes, ...parts.outputs].flatMap((part) => (part === null ? [] : [part.segmentId])),
  );
  return { job, chunks, flow, isStriped, objects: await readSegments(tx, segmentIds) };
}

type OnFailure = (error: unknown) => Promise<void>;

/**
 * True when it is done. `onFailure` gets what it fails with, inside its span: E_FENCED, E_THREAD_DIED, and the errors of storage and
 * database; then nothing of it counts.
 */
export async function checkJob(services: JobServices, threads: EngineThreads, item: WorkItem, onFailure: OnFailure): Promise<boolean> {
  let loaded: LoadedJob | null;
  try {
    loaded = await loadOpenJob(services, item);
  } catch (error) {
    await onFailure(error);
    return false;
  }
  return loaded === null || (await judge(services, threads, { item, loaded, onFailure }));
}

/** Null when nothing is left to be judged; then the work is done. */
async function loadOpenJob(services: JobServices, item: WorkItem): Promise<LoadedJob | null> {
  const loaded = await withTenant(services.db, item.tenantId, (tx) => loadJob(tx, services, item.referenceId), { readOnly: true });
  if (loaded.job.state === 'checking' || loaded.job.state === 'delivering') return loaded;
  await commitForCertain(services, item.tenantId, (tx) => services.queue.finishWork(tx, [item]));
  return null;
}

async function judge(
  services: JobServices,
  threads: EngineThreads,
  { item, loaded, onFailure }: { readonly item: WorkItem; readonly loaded: LoadedJob; readonly onFailure: OnFailure },
): Promise<boolean> {
  const { job, flow } = loaded;
  const work = { tenant: flow.plan.flow.tenant, flow: flow.flowName, jobId: job.jobId };
  return await withSpan('check file', { parent: job.traceParent, work, attributes: { bytes: job.bytes } }, async (span) => {
    let result: FileResult | undefined;
    try {
      result = await threads.checkFile(fileRunOf(item, loaded, job.state === 'delivering'));
      services.crashPoints.reach('jobs.after-check');
      span.set({ records: result.checked.check.records.read, outcome: result.checked.check.verdict });
      await finishCheck(services, threads, item, loaded, result);
      return true;
    } catch (error) {
      if (error instanceof HeadgateError && error.code === 'E_FENCED')
        for (const { object } of result?.segments ?? []) services.store.remove(object.name);
      span.fail(error);
      await onFailure(error);
      return false;
    }
  });
}

function fileRunOf(item: WorkItem, { job, flow, chunks, objects }: LoadedJob, isReleased: boolean): FileRun {
  return {
    kind: 'file',
    tenantId: item.tenantId,
    flowVersionId: job.flowVersionId,
    plan: flow.plan,
    label: `job-${job.jobId}-${item.fence}`,
    file: job.file,
    splitDamage: job.totals?.splitDamage ?? [],
    chunks: chunks.map(({ number, start, end, firstRecord, context, summary, parts }) => ({
      spec: { number, start, end, firstRecord, context },
      summary,
      outcomes: { object: objects.get(parts.outcomes.segmentId)!, start: parts.outcomes.start },
    })),
    writesExclusions: !isReleased,
  };
}

async function finishCheck(
  services: JobServices,
  threads: EngineThreads,
  item: WorkItem,
  loaded: LoadedJob,
  result: FileResult,
): Promise<void> {
  const { job, flow } = loaded;
  const isReleased = job.state === 'delivering';
  const { checked } = result;
  const goesOn = isReleased || isAccepted(checked.check.verdict);
  const input = {
    tenantId: item.tenantId,
    flowId: flow.flowId,
    flowVersionId: job.flowVersionId,
    plan: flow.plan,
    traceParent: job.traceParent,
    possibleDuplicate: job.redrive?.possibleDuplicate ?? false,
  };
  const loadStripes = ({ chunkNumber, target }: CutOutput, tx: TenantTx | null) => {
    const read = (own: TenantTx) => readStripes(own, { jobId: job.jobId, chunkNumber, target });
    return tx === null ? withTenant(services.db, item.tenantId, read, { readOnly: true }) : read(tx);
  };
  const cut = { ...input, actor: 'system', jobs: [cutJobOf(loaded, result)], ...(loaded.isStriped ? {} : { loadStripes }) };
  const prepared = goesOn ? await prepareBatches(cut, { ...services, bigBodies: threads }) : null;
  await commitForCertain(services, item.tenantId, async (tx) => {
    await services.queue.finishWork(tx, [item]);
    const states = await lockJobs(tx, [job.jobId]);
    if (states.get(job.jobId) !== job.state || (isReleased && (await isCut(tx, job.jobId)))) return;
    await insertSegments(tx, { id: job.jobId, fence: item.fence, plan: flow.plan }, result.segments);
    let heldBytes = 0;
    if (!isReleased) {
      const judged = { ...job, startedAt: job.startedAt!, plan: flow.plan, splitDamage: job.totals?.splitDamage ?? [] };
      const effects = await recordVerdicts(tx, [{ ...judged, checked, failure: null, exclusions: result.exclusions }], states);
      await services.queue.addWork(tx, effects.work);
      await recordEvents(tx, services.ports.ids, effects.events);
      heldBytes = effects.heldBytes;
    }
    if (prepared !== null) await insertCutBatches(tx, prepared, services);
    if (isReleased) await clearObstacle(tx, job.jobId);
    await addUsage(tx, { storedBytes: 0, heldBytes, chunksInFlight: 0 });
    services.crashPoints.reach('jobs.before-check-commit');
  });
  services.crashPoints.reach('jobs.after-check-commit');
}

const selectCut = '/* find cut job */ select from headgate.job_targets where tenant_id = $1 and job_id = $2 limit 1';

async function isCut(tx: TenantTx, jobId: string): Promise<boolean> {
  return (await tx.query(selectCut, [tx.tenantId, jobId])).rowCount > 0;
}

/**
 * Holds a job whose file cannot be judged, so that a person sees it. One that a person released stays released, says what is
 * in its way, and is tried again. Fails with E_FENCED.
 */
export async function failCheck(services: JobServices, item: WorkItem, error: unknown): Promise<void> {
  const failure = {
    code: error instanceof HeadgateError ? error.code : jobErrors.E_CHUNK_FAILED,
    message: 'the file as a whole could not be checked',
  };
  await commitForCertain(services, item.tenantId, async (tx) => {
    const { job, flow } = await loadJob(tx, services, item.referenceId);
    if (job.state === 'delivering') {
      await services.queue.releaseWork(tx, [{ ...item, delayMs: obstacleAgainMs }]);
      await markObstacle(tx, services.ports.ids, [job.jobId], failure.code);
      return;
    }
    await services.queue.finishWork(tx, [item]);
    const states = await lockJobs(tx, [job.jobId]);
    if (states.get(job.jobId) !== 'checking') return;
    const judged = { ...job, startedAt: job.startedAt!, plan: flow.plan, splitDamage: job.totals?.splitDamage ?? [] };
    const effects = await recordVerdicts(tx, [{ ...judged, checked: null, failure, exclusions: null }], states);
    await recordEvents(tx, services.ports.ids, effects.events);
    await addUsage(tx, { storedBytes: 0, heldBytes: effects.heldBytes, chunksInFlight: 0 });
  });
}

function cutJobOf({ job, chunks, objects }: LoadedJob, result: FileResult): CutJob {
  const { jobId, lineageId, acceptedNumber, file } = job;
  return {
    jobId,
    lineageId,
    acceptedNumber,
    file,
    chunks: chunks.map(({ number, context, parts }) => ({
      chunkNumber: number,
      columns: context.columns,
      outcomes: { ...parts.outcomes, object: objects.get(parts.outcomes.segmentId)! },
    })),
    outputs: chunks.flatMap(({ number, parts }) =>
      parts.outputs.flatMap((part, target) => {
        if (part === null) return [];
        const segment = { segmentId: part.segmentId, object: objects.get(part.segmentId)! };
        return [{ target, chunkNumber: number, segment, start: part.start, stripes: part.stripes }];
      }),
    ),
    exclusions: result.checked.exclusions,
  };
}
