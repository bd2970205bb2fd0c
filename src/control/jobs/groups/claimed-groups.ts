/**
 * Takes claimed work on chunks up: marks groups and jobs as running, and reads everything that running them needs, in one
 * transaction for all claims of a tenant. Claims whose group is not waiting any more (cancelled meanwhile) are dropped.
 */

import type { WorkItem } from '../../../pipeline/deliveries/work-queue-port.ts';
import type { ChunkContext, Finding } from '../../../pipeline/engine/chunk.ts';
import type { ReceiptRedrive } from '../../../pipeline/ledger/receipt.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { type NewEvent, recordEvents } from '../../../platform/events/event-log.ts';
import type { SealedObject } from '../../../platform/storage/object-store.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { flowOfJob } from '../job-flow.ts';
import type { JobFlow, JobServices } from '../job-services.ts';
import { isClosed, type JobState } from '../job-state.ts';
import { lockWork } from '../queue/work-queue.ts';
import type { ChunkToRun, GroupRun, PoisonRecord } from './group-run.ts';

export interface ClaimedChunk {
  readonly groupId: string;
  readonly jobId: string;
  readonly chunkNumber: number;
  readonly startByte: number;
  readonly endByte: number;
  readonly firstRecord: number;
  readonly context: ChunkContext;
  readonly fileStart: number;
  readonly file: SealedObject;
  readonly jobState: JobState;
  readonly jobChunks: number;
  readonly jobBytes: number;
  readonly lineageId: string;
  readonly acceptedNumber: number;
  readonly splitDamage: readonly Finding[] | null;
  /** The same for all jobs of a group: those of a re-drive have groups of their own. */
  readonly redrive: ReceiptRedrive | null;
  readonly traceId: string | null;
  readonly traceParent: string | null;
}

export interface ClaimedGroup {
  readonly item: WorkItem;
  readonly groupId: string;
  readonly flowVersionId: string;
  readonly flow: JobFlow;
  /** Runs that were begun and neither finished nor given back for a passing cause, this one included. */
  readonly attempts: number;
  readonly startedAt: Date;
  /** Of the group, those of closed jobs included. */
  readonly chunkCount: number;
  /** In order of acceptance. Those of closed jobs are left out. */
  readonly chunks: readonly ClaimedChunk[];
}

/** A group that runs under an older fence than ours was left behind: its work would not have come to us otherwise. */
const startGroups = `/* start chunk groups */
  update headgate.chunk_groups g set state = 'running', fence = b.new_fence, attempts = g.attempts + 1, changed_at = (select headgate.clock())
  from (select x.group_id, x.state, i.fence as new_fence from headgate.chunk_groups x join unnest($2::uuid[], $3::bigint[]) as i (group_id, fence) on i.group_id = x.group_id
        where x.tenant_id = $1 and x.group_id = any ($2::uuid[]) and (x.state = 'ready' or x.state = 'running' and x.fence < i.fence) for update of x) b
  where g.tenant_id = $1 and g.group_id = any ($2::uuid[]) and g.group_id = b.group_id
  returning g.group_id as "groupId", g.flow_version_id as "flowVersionId", g.attempts, g.chunks as "chunkCount", g.changed_at as "startedAt", b.state as "from"`;

const selectChunks = `/* read claimed chunks */
  select c.group_id as "groupId", c.job_id as "jobId", c.chunk_number as "chunkNumber", c.start_byte as "startByte", c.end_byte as "endByte",
    c.first_record as "firstRecord", c.context, f.object as file, j.state as "jobState", j.chunks as "jobChunks", j.bytes as "jobBytes",
    j.lineage_id as "lineageId", j.accepted_number as "acceptedNumber", j.totals -> 'splitDamage' as "splitDamage",
    j.redrive, j.trace_id as "traceId", j.trace_parent as "traceParent",
    case when c.chunk_number = 0 then c.start_byte else
      (select z.start_byte from headgate.chunks z where z.tenant_id = c.tenant_id and z.job_id = c.job_id and z.chunk_number = 0) end as "fileStart"
  from headgate.chunks c
  cross join lateral (select * from headgate.jobs o where o.tenant_id = $1 and o.job_id = c.job_id limit 1) j
  cross join lateral (select * from headgate.files o where o.tenant_id = $1 and o.file_id = j.file_id limit 1) f
  where c.tenant_id = $1 and c.group_id = any ($2::uuid[])
  order by j.accepted_number, c.chunk_number`;

const startJobs = `/* start jobs */
  update headgate.jobs set state = 'running', started_at = (select headgate.clock()), changed_at = (select headgate.clock())
  where tenant_id = $1 and job_id = any ($2::uuid[]) and state = 'queued' returning job_id as "jobId"`;

export interface TakenUp {
  readonly groups: readonly ClaimedGroup[];
  /** Their flow version cannot be loaded by this program; they run, and are to be given back. */
  readonly unloadable: readonly { readonly groupId: string; readonly item: WorkItem; readonly error: HeadgateError }[];
}

type StartedGroup = Pick<ClaimedGroup, 'groupId' | 'flowVersionId' | 'attempts' | 'chunkCount' | 'startedAt'> & { readonly from: string };

/** One transaction's worth. Claims that were lost meanwhile are passed over. */
export async function takeUpGroups(tx: TenantTx, services: JobServices, items: readonly WorkItem[]): Promise<TakenUp> {
  const ours = await lockWork(tx, items);
  const { rows } = await tx.query<StartedGroup>(startGroups, [
    tx.tenantId,
    ours.map((item) => item.referenceId),
    ours.map((item) => item.fence),
  ]);
  const started = new Map(rows.map((row) => [row.groupId, row]));
  await services.queue.finishWork(
    tx,
    ours.filter((item) => !started.has(item.referenceId)),
  );
  const groups: ClaimedGroup[] = [];
  const unloadable: TakenUp['unloadable'][number][] = [];
  if (started.size === 0) return { groups, unloadable };
  const chunks = (await tx.query<ClaimedChunk>(selectChunks, [tx.tenantId, [...started.keys()]])).rows;
  await recordEvents(tx, services.ports.ids, [...rows.map(claimedEvent), ...(await startWaitingJobs(tx, chunks))]);
  const byGroup = Map.groupBy(
    chunks.filter((chunk) => !isClosed(chunk.jobState)),
    (chunk) => chunk.groupId,
  );
  for (const item of ours) {
    const row = started.get(item.referenceId);
    if (row === undefined) continue;
    try {
      const own = byGroup.get(row.groupId) ?? [];
      const flow = flowOfJob(await services.flows.load(tx, row.flowVersionId), own[0]?.redrive ?? null);
      groups.push({ item, ...row, flow, chunks: own });
    } catch (error) {
      if (!(error instanceof HeadgateError) || error.retryable) throw error;
      unloadable.push({ groupId: row.groupId, item, error });
    }
  }
  return { groups, unloadable };
}

function claimedEvent({ groupId, attempts, from }: StartedGroup): NewEvent {
  return { type: 'chunk_group.claimed', objectId: groupId, from, to: 'running', actor: 'system', detail: { attempts } };
}

/** A job of several chunks runs from its first claim on; one of a single chunk is queued until its group's only commit. */
async function startWaitingJobs(tx: TenantTx, chunks: readonly ClaimedChunk[]): Promise<NewEvent[]> {
  const waiting = new Map(
    chunks.filter((chunk) => chunk.jobChunks > 1 && chunk.jobState === 'queued').map((chunk) => [chunk.jobId, chunk]),
  );
  if (waiting.size === 0) return [];
  const { rows } = await tx.query<{ jobId: string }>(startJobs, [tx.tenantId, [...waiting.keys()].sort()]);
  return rows.map(({ jobId }) => ({
    type: 'job.started',
    objectId: jobId,
    from: 'queued',
    to: 'running',
    actor: 'system',
    traceId: waiting.get(jobId)!.traceId,
  }));
}

/** Most samples of findings that a job keeps in the database. */
const errorSamplesMax = 9_000;
const warningSamplesMax = 1_000;

/** What the engine is asked to run. */
export function groupRunOf(group: ClaimedGroup, poison: readonly PoisonRecord[] = []): GroupRun {
  return {
    kind: 'group',
    tenantId: group.item.tenantId,
    flowVersionId: group.flowVersionId,
    plan: group.flow.plan,
    label: `group-${group.groupId}-${group.item.fence}`,
    chunks: group.chunks.map(chunkToRun),
    poison,
  };
}

function chunkToRun(chunk: ClaimedChunk): ChunkToRun {
  const { jobId, chunkNumber, startByte, endByte, firstRecord, context, file, fileStart, jobChunks, splitDamage } = chunk;
  return {
    jobId,
    spec: { number: chunkNumber, start: startByte, end: endByte, firstRecord, context },
    file,
    fileStart,
    isWholeFile: jobChunks === 1,
    splitDamage: splitDamage ?? [],
    errorSamples: Math.ceil(errorSamplesMax / jobChunks),
    warningSamples: Math.ceil(warningSamplesMax / jobChunks),
  };
}
