/** Reads all that closing jobs needs, for many jobs of a tenant at once: rows of jobs, files, chunks, batches and counts. */
import type { ChunkContext, RecordCounts } from '../../../pipeline/engine/chunk.ts';
import type { ReceiptRedrive } from '../../../pipeline/ledger/receipt.ts';
import type { Unpack } from '../../../platform/packing/packings.ts';
import type { SealedObject } from '../../../platform/storage/object-store.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import type { ChunkParts } from '../groups/chunk-parts.ts';
import { partsWithoutStripes, readSegments } from '../groups/segment-rows.ts';
import { flowOfJob } from '../job-flow.ts';
import type { JobFlow, JobServices } from '../job-services.ts';
import type { JobState } from '../job-state.ts';
import type { JobTotals } from '../job-totals.ts';
import {
  BatchList,
  BatchListSummary,
  batchPages,
  createRangeHasher,
  type EndedBatch,
  type ListedBatches,
  readBatches,
} from './closing-batches.ts';

export interface ClosingJob {
  readonly jobId: string;
  readonly lineageId: string;
  readonly state: JobState;
  readonly flowId: string;
  readonly flowVersionId: string;
  readonly decision: 'release' | 'reject' | 'cancel' | null;
  readonly reason: string | null;
  readonly decidedBy: string | null;
  /** Of the event that was written with the decision. */
  readonly decisionEventId: string | null;
  readonly decidedAt: Date | null;
  readonly totals: JobTotals | null;
  readonly redrive: ReceiptRedrive | null;
  readonly records: RecordCounts;
  readonly createdAt: Date;
  readonly acceptedAt: Date;
  readonly startedAt: Date | null;
  readonly closedAt: Date | null;
  readonly traceId: string | null;
  readonly traceParent: string | null;
  readonly fileName: string;
  readonly fileBytes: number;
  readonly fileSha256: string;
  readonly containerName: string;
  readonly containerBytes: number;
  readonly containerSha256: string;
  readonly via: Unpack;
  readonly hasReceipt: boolean;
}

export interface ClosingChunk {
  readonly jobId: string;
  readonly number: number;
  readonly start: number;
  readonly end: number;
  readonly firstRecord: number;
  readonly context: ChunkContext;
  readonly records: RecordCounts;
  readonly parts: ChunkParts;
}

export interface TargetCounts {
  readonly jobId: string;
  readonly targetId: string;
  readonly routed: number;
  readonly delivered: number;
  readonly refused: number;
  readonly dead: number;
  readonly cancelled: number;
}

export interface ClosingFacts {
  readonly job: ClosingJob;
  readonly flow: JobFlow;
  readonly chunks: readonly ClosingChunk[];
  /** None, where `listed` says what of them goes into the receipt, because they are too many. */
  readonly batches: readonly EndedBatch[];
  readonly listed: ListedBatches | null;
  readonly counts: readonly TargetCounts[];
}

export interface TenantFacts {
  readonly name: string;
  readonly cell: string;
  readonly region: string;
  /** The database's time. */
  readonly now: Date;
}

const selectTenant =
  '/* read tenant to close for */ select name, cell, region, headgate.clock() as now from headgate.tenants where tenant_id = $1';

const selectJobs = `/* read jobs to close */
  select j.job_id as "jobId", j.lineage_id as "lineageId", j.state, j.flow_id as "flowId", j.flow_version_id as "flowVersionId", j.decision, j.reason, j.totals, j.redrive,
    j.decided_by as "decidedBy", d.event_id as "decisionEventId", d.at as "decidedAt",
    json_build_object('read', j.records_read, 'valid', j.records_valid, 'rejected', j.records_rejected, 'filtered', j.records_filtered) as records,
    j.created_at as "createdAt", f.accepted_at as "acceptedAt", j.started_at as "startedAt", j.closed_at as "closedAt",
    j.trace_id as "traceId", j.trace_parent as "traceParent", f.name as "fileName", f.bytes as "fileBytes", f.sha256 as "fileSha256",
    f.container_name as "containerName", f.container_bytes as "containerBytes", f.container_sha256 as "containerSha256", f.via,
    exists (select from headgate.receipts r where r.tenant_id = j.tenant_id and r.job_id = j.job_id) as "hasReceipt"
  from headgate.jobs j
  cross join lateral (select * from headgate.files o where o.tenant_id = $1 and o.file_id = j.file_id limit 1) f
  left join lateral (select e.event_id, e.at from headgate.events e where j.decision is not null and e.tenant_id = $1 and e.object_id = j.job_id
    and e.type = any (case j.decision when 'release' then '{job.released}'::text[] when 'reject' then '{job.rejected}' else '{job.cancelled,job.cancel_requested}' end)
    order by e.event_id desc limit 1) d on true
  where j.tenant_id = $1 and j.job_id = any ($2::uuid[]) order by j.job_id`;

const selectChunks = (parts: string) => `/* read chunks to close */
  select c.job_id as "jobId", c.chunk_number as number, c.start_byte as start, c.end_byte as "end", c.first_record as "firstRecord", c.context,
    c.summary -> 'records' as records, ${parts} as parts
  from headgate.chunks c where c.tenant_id = $1 and c.job_id = any ($2::uuid[]) and c.done_at is not null order by c.job_id, c.chunk_number`;
const selectCounts = `/* read targets to close */
  select job_id as "jobId", target_id as "targetId", routed, delivered, refused, dead, cancelled
  from headgate.job_targets where tenant_id = $1 and job_id = any ($2::uuid[])`;

export interface LoadedFacts {
  readonly tenant: TenantFacts;
  readonly jobs: readonly ClosingFacts[];
  /** Segments that shared batches may have to be hashed from, and those that say which records a re-drive sent. */
  readonly objects: ReadonlyMap<string, SealedObject>;
}

/** Batches of these jobs together are more than are read at once: each is to be closed alone. */
export class TooManyBatches extends Error {}

/** Fails with TooManyBatches, where it is asked for more than one job. */
export async function readClosingFacts(tx: TenantTx, services: JobServices, jobIds: readonly string[]): Promise<LoadedFacts> {
  const parameters = [tx.tenantId, jobIds];
  let ended = await readBatches(tx, jobIds);
  if (ended === null && jobIds.length > 1) throw new TooManyBatches('jobs have too many batches to be closed together');
  const tenant = (await tx.query<TenantFacts>(selectTenant, [tx.tenantId])).rows[0]!;
  const jobs = (await tx.query<ClosingJob>(selectJobs, parameters)).rows;
  // Of a thousand records at the most, each of which is looked for in its batches.
  if (ended === null && jobs[0]!.redrive !== null) ended = (await Array.fromAsync(batchPages(tx, jobIds[0]!))).flat();
  const written = (await tx.query<ClosingChunk>(selectChunks(ended === null ? partsWithoutStripes : 'c.segments'), parameters)).rows;
  const chunks = Map.groupBy(written, (chunk) => chunk.jobId);
  const counts = Map.groupBy((await tx.query<TargetCounts>(selectCounts, parameters)).rows, (row) => row.jobId);
  const batches = new Map<string, EndedBatch[]>();
  const shared = new Set<string>();
  for (const batch of ended ?? []) {
    for (const jobId of batch.jobIds) {
      const own = batches.get(jobId);
      if (own === undefined) batches.set(jobId, [batch]);
      else own.push(batch);
    }
    if (batch.jobIds.length > 1) for (const span of batch.spans) shared.add(span.segmentId);
  }
  const facts: ClosingFacts[] = [];
  for (const job of jobs) {
    facts.push({
      job,
      flow: flowOfJob(await services.flows.load(tx, job.flowVersionId), job.redrive),
      chunks: chunks.get(job.jobId) ?? [],
      batches: batches.get(job.jobId) ?? [],
      listed: ended === null ? await listInPages(tx, services, job.jobId, written) : null,
      counts: counts.get(job.jobId) ?? [],
    });
  }
  for (const { job, batches: own } of facts)
    if (job.redrive !== null) for (const { members } of own) for (const { outcomes } of members) shared.add(outcomes.segmentId);
  return { tenant, jobs: facts, objects: shared.size === 0 ? new Map() : await readSegments(tx, [...shared]) };
}

async function listInPages(tx: TenantTx, { store }: JobServices, jobId: string, chunks: readonly ClosingChunk[]): Promise<ListedBatches> {
  const objects = new Map<string, SealedObject>();
  const hasher = createRangeHasher(store, tx.tenantId, objects);
  try {
    const list = new BatchList(jobId, chunks, hasher.hash);
    const summary = new BatchListSummary();
    for await (const page of batchPages(tx, jobId)) {
      const shared = page.filter(({ jobIds }) => jobIds.length > 1).flatMap(({ spans }) => spans.map(({ segmentId }) => segmentId));
      const unknown = shared.filter((segmentId) => !objects.has(segmentId));
      if (unknown.length > 0) for (const [segmentId, object] of await readSegments(tx, unknown)) objects.set(segmentId, object);
      for (const batch of page) summary.add(list.entryOf(batch));
    }
    return summary.end();
  } finally {
    hasher.close();
  }
}
