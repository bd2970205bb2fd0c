/**
 * The list of a job's batches as its receipt pins it: which lines of the job's own output each batch holds, and how it
 * ended. Where jobs shared a batch, each list holds its own part of it. The same rows always give the same list.
 */
import { createHash } from 'node:crypto';
import type { BatchMember, BatchSpan } from '../../../pipeline/deliveries/batch.ts';
import type { BatchState } from '../../../pipeline/deliveries/batch-state.ts';
import { batchIdsOfJob } from '../../../pipeline/deliveries/batches-of-job.ts';
import { bodyPieces } from '../../../pipeline/deliveries/cutting/body-hash.ts';
import { SegmentReaders } from '../../../pipeline/deliveries/cutting/segment-readers.ts';
import { addAmounts } from '../../../pipeline/engine/amount-totals.ts';
import type { FieldAmounts } from '../../../pipeline/engine/chunk.ts';
import type { StageTotals } from '../../../pipeline/ledger/balance.ts';
import {
  type BatchEntry,
  type BatchEntryState,
  encodeBatchEntry,
  isDecidedByPerson,
  type SegmentRange,
} from '../../../pipeline/ledger/batch-list.ts';
import type { SealedObject, SealedStore } from '../../../platform/storage/object-store.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import type { ChunkParts, OutputPart } from '../groups/chunk-parts.ts';

export interface EndedBatch {
  readonly batchId: string;
  readonly parentBatchId: string | null;
  readonly targetId: string;
  readonly state: BatchState;
  readonly spans: readonly BatchSpan[];
  readonly members: readonly BatchMember[];
  readonly jobIds: readonly string[];
  readonly bytes: number;
  readonly bodySha256: string;
  readonly unknownAttempts: number;
  readonly evidence: string | null;
}

/** A chunk of the job, with what it wrote. */
export interface WrittenChunk {
  readonly number: number;
  readonly parts: ChunkParts;
}

const columns = `batch_id as "batchId", parent_batch_id as "parentBatchId", target_id as "targetId", state, spans, members, job_ids as "jobIds", bytes,
    body_sha256 as "bodySha256", unknown_attempts as "unknownAttempts", resolution_evidence as evidence`;
const selectBatches = `/* read batches of jobs */
  select ${columns} from headgate.batches where tenant_id = $1 and batch_id = any (array(
    select distinct h.batch_id from headgate.batch_jobs h where h.tenant_id = $1 and h.job_id = any ($2::uuid[]) order by h.batch_id limit $3)) order by batch_id`;
const selectPage = `/* read some batches of job */
  select ${columns} from headgate.batches where tenant_id = $1 and batch_id = any ($2::uuid[]) order by batch_id`;

/** In memory at once. */
const batchesMax = 5_000;

/** In ascending order of id. Null: they are more than a process should hold at once. */
export async function readBatches(tx: TenantTx, jobIds: readonly string[]): Promise<EndedBatch[] | null> {
  const { rows } = await tx.query<EndedBatch>(selectBatches, [tx.tenantId, jobIds, batchesMax + 1]);
  return rows.length > batchesMax ? null : rows;
}

/** The same of one job, a page at a time. */
export async function* batchPages(tx: TenantTx, jobId: string): AsyncGenerator<readonly EndedBatch[]> {
  for await (const batchIds of batchIdsOfJob(tx, jobId)) yield (await tx.query<EndedBatch>(selectPage, [tx.tenantId, batchIds])).rows;
}

const entryStates: Readonly<Partial<Record<BatchState, BatchEntryState>>> = {
  acked: 'delivered',
  refused: 'refused',
  dead: 'dead',
  cancelled: 'cancelled',
  split: 'divided',
};

/** The list of a job's batches as its receipt pins it, made batch by batch. */
export class BatchList {
  readonly #jobId: string;

  readonly #parts: ReadonlyMap<string, PartOfChunk[]>;

  readonly #hashSpans: (spans: readonly BatchSpan[]) => string;

  constructor(jobId: string, chunks: readonly WrittenChunk[], hashSpans: (spans: readonly BatchSpan[]) => string) {
    this.#jobId = jobId;
    this.#parts = outputParts(chunks);
    this.#hashSpans = hashSpans;
  }

  /** Null when the batch has not ended yet. */
  entryOf(batch: EndedBatch): BatchEntry | null {
    const state = entryStates[batch.state];
    if (state === undefined) return null;
    const members = batch.members.filter((member) => member.jobId === this.#jobId);
    const own = ownSpans(batch.spans, this.#parts);
    const ranges = own.flatMap(({ chunk, part, ranges: absolute }) => relativeRanges(chunk, part, absolute));
    return {
      id: batch.batchId,
      parentId: batch.parentBatchId,
      target: batch.targetId,
      state,
      ranges,
      records: members.reduce((sum, member) => sum + member.records, 0),
      bytes: ranges.reduce((sum, range) => sum + range.end - range.start, 0),
      sha256: batch.jobIds.length === 1 ? batch.bodySha256 : hashOwn(own, this.#hashSpans),
      body: { sha256: batch.bodySha256, bytes: batch.bytes },
      amounts: members.reduce<FieldAmounts>((sum, member) => addAmounts(sum, member.amounts), {}),
      unknownAttempts: batch.unknownAttempts,
      ...(isDecidedByPerson(batch.evidence) ? { evidence: batch.evidence! } : {}),
    };
  }
}

/** What of the list goes into the receipt. */
export class BatchListSummary {
  readonly #digest = createHash('sha256');

  readonly #stages = new Map<string, StageTotals>();

  #bytes = 0;

  #count = 0;

  #isEnded = true;

  add(entry: BatchEntry | null): void {
    if (entry === null) {
      this.#isEnded = false;
      return;
    }
    const line = encodeBatchEntry(entry);
    this.#digest.update(line);
    this.#bytes += Buffer.byteLength(line);
    this.#count += 1;
    const name = `${entry.target} ${entry.state}`;
    const { records, amounts } = this.#stages.get(name) ?? noTotals;
    this.#stages.set(name, { records: records + entry.records, amounts: addAmounts(amounts, entry.amounts) });
  }

  /** Once all of them were added. */
  end(): ListedBatches {
    const stages = this.#stages;
    return {
      isEnded: this.#isEnded,
      identity: { sha256: this.#digest.digest('hex'), bytes: this.#bytes },
      count: this.#count,
      totalsOf: (target, state) => stages.get(`${target} ${state}`) ?? noTotals,
    };
  }
}

export interface ListedBatches {
  /** No batch of the job is open. */
  readonly isEnded: boolean;
  readonly identity: { readonly sha256: string; readonly bytes: number };
  readonly count: number;
  totalsOf(target: string, state: BatchEntryState): StageTotals;
}

const noTotals: StageTotals = { records: 0, amounts: {} };

interface PartOfChunk {
  readonly chunk: number;
  readonly part: OutputPart;
}

function outputParts(chunks: readonly WrittenChunk[]): Map<string, PartOfChunk[]> {
  const found = new Map<string, PartOfChunk[]>();
  for (const { number, parts } of chunks) {
    for (const part of parts.outputs) {
      if (part === null) continue;
      const known = found.get(part.segmentId);
      if (known === undefined) found.set(part.segmentId, [{ chunk: number, part }]);
      else known.push({ chunk: number, part });
    }
  }
  return found;
}

type OwnSpan = PartOfChunk & { readonly ranges: readonly number[] };

/** What of the spans lies in the job's own parts: ranges of a shared segment may go on into those of others. */
function ownSpans(spans: readonly BatchSpan[], parts: ReadonlyMap<string, PartOfChunk[]>): OwnSpan[] {
  return spans.flatMap((span) =>
    (parts.get(span.segmentId) ?? []).flatMap(({ chunk, part }) => {
      const ranges: number[] = [];
      for (let index = 0; index < span.ranges.length; index += 2) {
        const start = Math.max(part.start, span.ranges[index]!);
        const end = Math.min(part.end, span.ranges[index + 1]!);
        if (start < end) ranges.push(start, end);
      }
      return ranges.length === 0 ? [] : [{ chunk, part, ranges }];
    }),
  );
}

function relativeRanges(chunk: number, part: OutputPart, ranges: readonly number[]): SegmentRange[] {
  const found: SegmentRange[] = [];
  for (let index = 0; index < ranges.length; index += 2) {
    found.push({ chunk, start: ranges[index]! - part.start, end: ranges[index + 1]! - part.start });
  }
  return found;
}

function hashOwn(own: readonly OwnSpan[], hashSpans: (spans: readonly BatchSpan[]) => string): string {
  const [only] = own;
  const isWholePart =
    own.length === 1 && only!.ranges.length === 2 && only!.ranges[0] === only!.part.start && only!.ranges[1] === only!.part.end;
  if (isWholePart) return only!.part.sha256;
  return hashSpans(own.map(({ part, ranges }) => ({ segmentId: part.segmentId, ranges })));
}

/** Hashes ranges of sealed segments; close it when done. */
export function createRangeHasher(
  store: SealedStore,
  tenantId: string,
  objects: ReadonlyMap<string, SealedObject>,
): { hash(spans: readonly BatchSpan[]): string; close(): void } {
  const readers = new SegmentReaders(store, tenantId);
  return {
    hash(spans) {
      const digest = createHash('sha256');
      for (const piece of bodyPieces(spans, (id) => readers.open(objects.get(id)!), { isReused: true })) digest.update(piece);
      return digest.digest('hex');
    },
    close: () => readers.close(),
  };
}
