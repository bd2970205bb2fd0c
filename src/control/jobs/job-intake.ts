/**
 * Makes the jobs of files in the transaction that accepts them: jobs, chunk groups, chunks, their work, what the tenant has
 * in flight, and the events, each in one statement whatever the number of files. Files of one chunk that come together for
 * one flow version share a group, which is run and committed as one.
 */

import type { AcceptedFile, CreateJobs } from '../../pipeline/arrivals/accepted-file.ts';
import type { NewWork } from '../../pipeline/deliveries/work-queue-port.ts';
import type { ChunkSpec } from '../../pipeline/engine/chunk.ts';
import type { Ids } from '../../platform/base/ports.ts';
import { type NewEvent, recordEvents } from '../../platform/events/event-log.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import { emptyTotals, type JobTotals } from './job-totals.ts';
import { addWork } from './queue/work-queue.ts';
import { addUsage } from './tenant-usage.ts';

export const groupFilesMax = 256;
export const groupBytesMax = 8 * 1024 * 1024;
/** A unit of cost is this many bytes, or one file. */
const costBytes = 64 * 1024;

interface NewJob {
  readonly jobId: string;
  readonly file: AcceptedFile;
}

/** What the event of a job's creation tells. */
export interface CreatedJob {
  readonly jobId: string;
  readonly file: Pick<AcceptedFile, 'fileId' | 'arrivalId' | 'chunks' | 'bytes' | 'traceId' | 'actor'>;
}

export interface NewGroup {
  readonly groupId: string;
  readonly flowVersionId: string;
  readonly chunks: { readonly jobId: string; readonly spec: ChunkSpec }[];
  bytes: number;
}

/** The jobs exist exactly when the accepting transaction commits. */
export function createJobIntake(ids: Ids): CreateJobs {
  return async (tx, accepted) => {
    if (accepted.length === 0) return;
    const jobs = accepted.map((file) => ({ jobId: ids.next(), file }));
    const groups = groupChunks(ids, jobs);
    await insertJobs(tx, jobs);
    await insertGroups(tx, groups);
    await insertChunks(tx, groups);
    await addWork(tx, ids, groups.map(workOf));
    await recordEvents(tx, ids, createdEvents(jobs, groups));
    const chunks = groups.reduce((sum, group) => sum + group.chunks.length, 0);
    await addUsage(tx, { storedBytes: jobs.reduce((sum, job) => sum + job.file.bytes, 0), heldBytes: 0, chunksInFlight: chunks });
  };
}

export function workOf({ groupId, bytes, chunks }: NewGroup): NewWork {
  return { kind: 'chunks', referenceId: groupId, cost: Math.ceil(bytes / costBytes) + chunks.length };
}

function groupChunks(ids: Ids, jobs: readonly NewJob[]): NewGroup[] {
  const groups: NewGroup[] = [];
  const open = new Map<string, NewGroup>();
  const start = (flowVersionId: string): NewGroup => {
    const group = { groupId: ids.next(), flowVersionId, chunks: [], bytes: 0 };
    groups.push(group);
    return group;
  };
  for (const { jobId, file } of jobs) {
    const { flowVersionId } = file;
    if (file.chunks.length !== 1) {
      for (const spec of file.chunks) addChunk(start(flowVersionId), jobId, spec);
      continue;
    }
    let group = open.get(flowVersionId);
    if (group === undefined || group.chunks.length >= groupFilesMax || group.bytes + file.bytes > groupBytesMax) {
      group = start(flowVersionId);
      open.set(flowVersionId, group);
    }
    addChunk(group, jobId, file.chunks[0]!);
  }
  return groups;
}

function addChunk(group: NewGroup, jobId: string, spec: ChunkSpec): void {
  group.chunks.push({ jobId, spec });
  group.bytes += spec.end - spec.start;
}

const insertJobRows = `/* create jobs */
  insert into headgate.jobs (tenant_id, job_id, flow_id, flow_version_id, file_id, lineage_id, accepted_number, state, chunks, bytes, totals,
    trace_id, trace_parent, created_at, changed_at)
  select $1, j.job_id, j.flow_id, j.flow_version_id, j.file_id, j.job_id, j.accepted_number, 'queued', j.chunks, j.bytes, j.totals::json,
    j.trace_id, j.trace_parent, (select headgate.clock()), (select headgate.clock())
  from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::bigint[], $7::int[], $8::bigint[], $9::text[], $10::text[], $11::text[])
    as j (job_id, flow_id, flow_version_id, file_id, accepted_number, chunks, bytes, totals, trace_id, trace_parent)`;

async function insertJobs(tx: TenantTx, jobs: readonly NewJob[]): Promise<void> {
  await tx.query(insertJobRows, [
    tx.tenantId,
    jobs.map((job) => job.jobId),
    jobs.map((job) => job.file.flowId),
    jobs.map((job) => job.file.flowVersionId),
    jobs.map((job) => job.file.fileId),
    jobs.map((job) => job.file.acceptedNumber),
    jobs.map((job) => job.file.chunks.length),
    jobs.map((job) => job.file.bytes),
    jobs.map(({ file }) => firstTotals(file)),
    jobs.map((job) => job.file.traceId),
    jobs.map((job) => job.file.traceParent),
  ]);
}

function firstTotals({ damage, warnings, blankLines, comments }: AcceptedFile): string | null {
  const hasNotes = warnings.length > 0 || blankLines > 0 || comments > 0;
  if (damage.length === 0 && !hasNotes) return null;
  const split = { ...(warnings.length === 0 ? {} : { warnings }), blankLines, comments };
  const totals: JobTotals = { ...emptyTotals, splitDamage: damage, ...(hasNotes ? { split } : {}) };
  return JSON.stringify(totals);
}

const insertGroupRows = `/* create chunk groups */
  insert into headgate.chunk_groups (tenant_id, group_id, flow_version_id, state, chunks, bytes, created_at, changed_at)
  select $1, g.group_id, g.flow_version_id, 'ready', g.chunks, g.bytes, (select headgate.clock()), (select headgate.clock())
  from unnest($2::uuid[], $3::uuid[], $4::int[], $5::bigint[]) as g (group_id, flow_version_id, chunks, bytes)`;

export async function insertGroups(tx: TenantTx, groups: readonly NewGroup[]): Promise<void> {
  await tx.query(insertGroupRows, [
    tx.tenantId,
    groups.map((group) => group.groupId),
    groups.map((group) => group.flowVersionId),
    groups.map((group) => group.chunks.length),
    groups.map((group) => group.bytes),
  ]);
}

const insertChunkRows = `/* create chunks */
  insert into headgate.chunks (tenant_id, job_id, chunk_number, group_id, start_byte, end_byte, first_record, context)
  select $1, c.job_id, c.chunk_number, c.group_id, c.start_byte, c.end_byte, c.first_record, c.context::json
  from unnest($2::uuid[], $3::int[], $4::uuid[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[])
    as c (job_id, chunk_number, group_id, start_byte, end_byte, first_record, context)`;

export async function insertChunks(tx: TenantTx, groups: readonly NewGroup[]): Promise<void> {
  const rows = groups.flatMap(({ groupId, chunks }) => chunks.map(({ jobId, spec }) => ({ groupId, jobId, spec })));
  await tx.query(insertChunkRows, [
    tx.tenantId,
    rows.map((row) => row.jobId),
    rows.map((row) => row.spec.number),
    rows.map((row) => row.groupId),
    rows.map((row) => row.spec.start),
    rows.map((row) => row.spec.end),
    rows.map((row) => row.spec.firstRecord),
    rows.map((row) => JSON.stringify(row.spec.context)),
  ]);
}

export function createdEvents(jobs: readonly CreatedJob[], groups: readonly NewGroup[]): NewEvent[] {
  const { actor, traceId } = jobs[0]!.file;
  return [
    ...jobs.map(
      ({ jobId, file }): NewEvent => ({
        type: 'job.created',
        objectId: jobId,
        from: '',
        to: 'queued',
        actor: file.actor,
        traceId: file.traceId,
        detail: { fileId: file.fileId, arrivalId: file.arrivalId, chunks: file.chunks.length, bytes: file.bytes },
      }),
    ),
    ...groups.map(
      ({ groupId, chunks, bytes }): NewEvent => ({
        type: 'chunk_group.created',
        objectId: groupId,
        from: '',
        to: 'ready',
        actor,
        traceId,
        detail: { jobs: new Set(chunks.map((chunk) => chunk.jobId)).size, chunks: chunks.length, bytes },
      }),
    ),
  ];
}
