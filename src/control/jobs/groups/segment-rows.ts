/** Rows of what a run wrote: segments, chunks, samples of findings. Written in the transaction that finishes the work. */
import type { ChunkSummary, Stripe } from '../../../pipeline/engine/chunk.ts';
import type { Plan } from '../../../pipeline/engine/plan.ts';
import type { SealedObject } from '../../../platform/storage/object-store.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import type { FinishedChunkRun } from './group-run.ts';
import type { NewSegment } from './segment-set.ts';

const insertSegmentRows = `/* add segments */
  insert into headgate.segments (tenant_id, segment_id, group_id, kind, target_id, bytes, sha256, object_id, object, fence, created_at)
  select $1, s.segment_id, $2, s.kind, s.target_id, s.bytes, s.sha256, s.object_id, s.object::json, $3, (select headgate.clock())
  from unnest($4::uuid[], $5::text[], $6::text[], $7::bigint[], $8::text[], $9::uuid[], $10::text[])
    as s (segment_id, kind, target_id, bytes, sha256, object_id, object)`;

/** `owner`: the chunk group that wrote them, or the job whose check did. */
export async function insertSegments(
  tx: TenantTx,
  owner: { readonly id: string; readonly fence: number; readonly plan: Plan },
  segments: readonly NewSegment[],
): Promise<void> {
  if (segments.length === 0) return;
  await tx.query(insertSegmentRows, [
    tx.tenantId,
    owner.id,
    owner.fence,
    segments.map((segment) => segment.segmentId),
    segments.map((segment) => segment.kind),
    segments.map((segment) => (segment.target === null ? null : owner.plan.targets[segment.target]!.id)),
    segments.map((segment) => segment.object.bytes),
    segments.map((segment) => segment.object.sha256),
    segments.map((segment) => segment.storedId),
    segments.map((segment) => JSON.stringify(segment.object)),
  ]);
}

const selectObjects = `/* read segments */
  select segment_id as "segmentId", object from headgate.segments where tenant_id = $1 and segment_id = any ($2::uuid[])`;

/** By segment id. */
export async function readSegments(tx: TenantTx, segmentIds: readonly string[]): Promise<Map<string, SealedObject>> {
  const { rows } = await tx.query<{ segmentId: string; object: SealedObject }>(selectObjects, [tx.tenantId, [...new Set(segmentIds)]]);
  return new Map(rows.map((row) => [row.segmentId, row.object]));
}

/** As `c.segments` of a chunk, without the stripes: where batches are very many, these are too. */
export const partsWithoutStripes = `json_build_object('outcomes', c.segments -> 'outcomes', 'rejections', c.segments -> 'rejections', 'outputs', array(
      select case when json_typeof(o.part) = 'null' then null else json_build_object('segmentId', o.part -> 'segmentId', 'start', o.part -> 'start', 'end', o.part -> 'end',
        'sha256', o.part -> 'sha256', 'stripes', '[]'::json) end
      from json_array_elements(c.segments -> 'outputs') with ordinality as o (part, place) order by o.place))`;

/** As `c.segments` of a chunk, of its outcomes alone, for whoever looks at single records. */
export const outcomesOfChunk = `case when c.segments is null then null else json_build_object('outcomes', c.segments -> 'outcomes') end`;

const selectStripes = `/* read stripes */
  select c.segments -> 'outputs' -> $4::int -> 'stripes' as stripes from headgate.chunks c where c.tenant_id = $1 and c.job_id = $2 and c.chunk_number = $3`;

/** Of what a chunk wrote for a target, by its index in the plan. */
export async function readStripes(
  tx: TenantTx,
  of: { readonly jobId: string; readonly chunkNumber: number; readonly target: number },
): Promise<readonly Stripe[]> {
  return (await tx.query<{ stripes: readonly Stripe[] }>(selectStripes, [tx.tenantId, of.jobId, of.chunkNumber, of.target])).rows[0]!
    .stripes;
}

const updateChunkRows = `/* finish chunks */
  update headgate.chunks c set summary = d.summary::json, segments = d.segments::json, fence = $2, done_at = (select headgate.clock())
  from unnest($3::uuid[], $4::int[], $5::text[], $6::text[]) as d (job_id, chunk_number, summary, segments)
  where c.tenant_id = $1 and c.job_id = any ($3::uuid[]) and c.job_id = d.job_id and c.chunk_number = d.chunk_number`;

export async function finishChunks(tx: TenantTx, fence: number, chunks: readonly FinishedChunkRun[]): Promise<void> {
  if (chunks.length === 0) return;
  await tx.query(updateChunkRows, [
    tx.tenantId,
    fence,
    chunks.map((chunk) => chunk.jobId),
    chunks.map((chunk) => chunk.number),
    chunks.map((chunk) => JSON.stringify(keptSummary(chunk))),
    chunks.map((chunk) => JSON.stringify(chunk.parts)),
  ]);
}

/** A summary is read again when the file is judged, or released after it was held; else the job's totals say it all. */
function keptSummary({ summary, checked }: FinishedChunkRun): Partial<ChunkSummary> {
  return checked === null || checked.check.verdict === 'held' ? summary : { records: summary.records };
}

const insertSampleRows = `/* add samples of findings */
  insert into headgate.rejections (tenant_id, job_id, record_number, finding, byte_offset, severity, code, field, rule, message)
  select $1, r.job_id, r.record_number, r.finding, r.byte_offset, r.severity, r.code, r.field, r.rule, r.message
  from unnest($2::uuid[], $3::bigint[], $4::int[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[])
    as r (job_id, record_number, finding, byte_offset, severity, code, field, rule, message)`;

/** Rows of one statement. */
const rowsMax = 5_000;

export async function insertSamples(tx: TenantTx, chunks: readonly FinishedChunkRun[]): Promise<void> {
  const rows = chunks.flatMap(({ jobId, samples }) => {
    const counts = new Map<number, number>();
    return samples.map((sample) => {
      const finding = counts.get(sample.record) ?? 0;
      counts.set(sample.record, finding + 1);
      return { jobId, finding, ...sample };
    });
  });
  for (let at = 0; at < rows.length; at += rowsMax) {
    const some = rows.slice(at, at + rowsMax);
    await tx.query(insertSampleRows, [
      tx.tenantId,
      some.map((row) => row.jobId),
      some.map((row) => row.record),
      some.map((row) => row.finding),
      some.map((row) => row.offset),
      some.map((row) => row.severity),
      some.map((row) => row.code),
      some.map((row) => row.field),
      some.map((row) => row.rule),
      some.map((row) => row.message),
    ]);
  }
}
