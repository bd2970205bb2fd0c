/**
 * Opens what backs the receipt of a closed job, for its export: the raw file, the definition, the segments' own parts, the
 * list of batches made anew by the same function as for the receipt. Content in the clear: each opening is an event, written
 * before anything is read. Nothing of the database is held while the export is sent.
 */
import { encodeBatchEntry } from '../../../pipeline/ledger/batch-list.ts';
import { type ClosableSource, type ExportedJob, sourceOf } from '../../../pipeline/ledger/export/export-entries.ts';
import { decodeReceipt } from '../../../pipeline/ledger/receipt-schema.ts';
import { recordEvents } from '../../../platform/events/event-log.ts';
import type { SealedObject, SealedStore } from '../../../platform/storage/object-store.ts';
import { type TenantTx, withTenant } from '../../../platform/tenancy/tenant-scope.ts';
import { BatchList, batchPages, createRangeHasher, type EndedBatch, type ListedBatches } from '../closing/closing-batches.ts';
import { type ClosingFacts, readClosingFacts } from '../closing/closing-facts.ts';
import type { ChunkParts, SegmentPart } from '../groups/chunk-parts.ts';
import { readSegments } from '../groups/segment-rows.ts';
import type { JobServices } from '../job-services.ts';
import { getReceipt } from './job-views.ts';

export interface ExportRequest {
  readonly jobId: string;
  /** `key:<id>`, for the event. */
  readonly actor: string;
  /** Why someone looks at content in the clear. */
  readonly reason?: string;
  /** Thumbprint of the auditor's key that the export is sealed for; without it, it is in the clear. */
  readonly sealedFor?: string;
}

export interface OpenedExport {
  readonly job: ExportedJob;
  /** As the sender named it. */
  readonly fileName: string;
}

interface StoredFile {
  readonly object: SealedObject;
  readonly container: SealedObject | null;
}

const selectFile = `/* find file to export */ select x.object, coalesce(x.container_object, a.object) as container from headgate.jobs j
  join headgate.files x on x.tenant_id = j.tenant_id and x.file_id = j.file_id
  left join headgate.arrivals a on a.tenant_id = x.tenant_id and a.arrival_id = x.container_arrival_id where j.tenant_id = $1 and j.job_id = $2`;

/** Fails with E_JOB_UNKNOWN, and with E_JOB_STATE while the job is open. */
export async function openJobExport(services: JobServices, tenantId: string, request: ExportRequest): Promise<OpenedExport> {
  const { jobId, actor, reason, sealedFor } = request;
  const { receipt, facts, file, objects, list } = await withTenant(services.db, tenantId, async (tx) => {
    const issued = await getReceipt(tx, jobId);
    const [closed] = (await readClosingFacts(tx, services, [jobId])).jobs;
    const stored = (await tx.query<StoredFile>(selectFile, [tx.tenantId, jobId])).rows[0]!;
    const { state, traceId } = closed!.job;
    const detail = { ...(reason !== undefined && { reason }), ...(sealedFor !== undefined && { sealedFor }) };
    await recordEvents(tx, services.ports.ids, [{ type: 'job.exported', objectId: jobId, from: state, to: state, actor, traceId, detail }]);
    const objects = await readSegments(tx, segmentsOf(closed!));
    const list = closed!.listed === null ? null : await listInPages(tx, services.store, { ...closed!, listed: closed!.listed }, objects);
    return { receipt: issued, facts: closed!, file: stored, objects, list };
  });
  const body = Buffer.from(receipt.body);
  const parts = new Map(facts.chunks.map((chunk) => [chunk.number, chunk.parts]));
  const open = (part: SegmentPart): ClosableSource => openPart(services.store, tenantId, objects.get(part.segmentId)!, part);
  const partsOf = (chunk: number): ChunkParts => parts.get(chunk)!;
  return {
    fileName: facts.job.fileName,
    job: {
      receipt: decodeReceipt(body),
      receiptBytes: body,
      signature: receipt.signature,
      definition: Buffer.from(facts.flow.source),
      openMember: () => services.store.open(tenantId, file.object),
      openContainer: () => services.store.open(tenantId, file.container ?? file.object),
      openExclusions: () => open(facts.job.totals!.checked!.exclusions!),
      openBatches: () => sourceOf(list ?? listBatches(services.store, tenantId, facts, objects)),
      openOutcomes: (chunk) => open(partsOf(chunk).outcomes),
      openRejections: (chunk) => open(partsOf(chunk).rejections!),
      openOutput: (chunk, target) => open(partsOf(chunk).outputs[target]!),
    },
  };
}

function segmentsOf({ chunks, job }: ClosingFacts): string[] {
  const parts = chunks.flatMap(({ parts: { outcomes, rejections, outputs } }) => [outcomes, rejections, ...outputs]);
  return [...parts, job.totals?.checked?.exclusions ?? null].flatMap((part) => (part === null ? [] : [part.segmentId]));
}

function listBatches(store: SealedStore, tenantId: string, facts: ClosingFacts, objects: ReadonlyMap<string, SealedObject>): Buffer {
  const hasher = createRangeHasher(store, tenantId, objects);
  try {
    return linesOf(new BatchList(facts.job.jobId, facts.chunks, hasher.hash), facts.batches);
  } finally {
    hasher.close();
  }
}

/** Of a job with very many: the bytes of their lines are kept, and nothing else of them. */
async function listInPages(
  tx: TenantTx,
  store: SealedStore,
  { job, chunks, listed }: ClosingFacts & { readonly listed: ListedBatches },
  objects: ReadonlyMap<string, SealedObject>,
): Promise<Buffer> {
  const hasher = createRangeHasher(store, tx.tenantId, objects);
  try {
    const list = new BatchList(job.jobId, chunks, hasher.hash);
    // So many as were counted in this transaction: pages that are joined would be there twice.
    const lines = Buffer.allocUnsafe(listed.identity.bytes);
    let filled = 0;
    for await (const page of batchPages(tx, job.jobId)) filled += linesOf(list, page).copy(lines, filled);
    if (filled !== lines.length) throw new Error('the list of batches is not as long as it was counted');
    return lines;
  } finally {
    hasher.close();
  }
}

/** A job is exported once it is closed, and so are its batches. */
function linesOf(list: BatchList, batches: readonly EndedBatch[]): Buffer {
  return Buffer.from(batches.map((batch) => encodeBatchEntry(list.entryOf(batch)!)).join(''));
}

/** Exactly the part's bytes of a segment that others may share. */
function openPart(store: SealedStore, tenantId: string, object: SealedObject, { start, end }: SegmentPart): ClosableSource {
  const reader = store.open(tenantId, object);
  return {
    size: end - start,
    read: (into, at, length, position) => reader.read(into, at, Math.min(length, end - start - position), start + position),
    close: () => reader.close(),
  };
}
