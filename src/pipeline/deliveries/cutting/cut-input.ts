/** What batches are cut from: the accepted jobs of a group, their chunks, and where each chunk's outputs lie. */
import type { SealedObject } from '../../../platform/storage/object-store.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import type { Stripe } from '../../engine/chunk.ts';
import type { Exclusion } from '../../engine/file/duplicates.ts';
import type { Plan } from '../../engine/plan.ts';
import type { BatchSpan, NewBatch } from '../batch.ts';

export interface CutInput {
  readonly tenantId: string;
  readonly flowId: string;
  readonly flowVersionId: string;
  readonly plan: Plan;
  readonly traceParent: string | null;
  readonly actor: string;
  /** Records of it may be at their target already: the first attempt says so too. */
  readonly possibleDuplicate?: boolean;
  /** In order of acceptance. More than one: small jobs of one group, which may share batches. */
  readonly jobs: readonly CutJob[];
  /** Where stripes are very many: outputs come without theirs. Asked within the transaction that cuts, if there is one. */
  readonly loadStripes?: (output: CutOutput, tx: TenantTx | null) => Promise<readonly Stripe[]>;
}

export interface CutJob {
  readonly jobId: string;
  readonly lineageId: string;
  readonly acceptedNumber: number;
  /** The raw file: read only where lanes by key need the amounts of single records. */
  readonly file: SealedObject;
  readonly chunks: readonly CutChunk[];
  readonly outputs: readonly CutOutput[];
  readonly exclusions: readonly Exclusion[];
}

export interface CutChunk {
  readonly chunkNumber: number;
  /** Of the chunk's context. */
  readonly columns: readonly string[] | null;
  /** Where the chunk's outcome segments lie, one behind the other. */
  readonly outcomes: { readonly segmentId: string; readonly object: SealedObject; readonly start: number; readonly end: number };
}

/** A chunk's part of a target's segment. */
export interface CutOutput {
  /** Index into `plan.targets`. */
  readonly target: number;
  readonly chunkNumber: number;
  readonly segment: { readonly segmentId: string; readonly object: SealedObject };
  /** Where the part starts in the segment; stripes count from here. */
  readonly start: number;
  readonly stripes: readonly Stripe[];
}

/** A body that is too big for one piece of memory, to be hashed elsewhere. */
export interface BigBody {
  readonly tenantId: string;
  readonly spans: readonly BatchSpan[];
  /** Of its segments, by their ids. */
  readonly objects: ReadonlyMap<string, SealedObject>;
}

/** Hashes big bodies beside the calling thread. */
export interface BigBodies {
  /** So many at the same time. */
  readonly size: number;
  /** SHA-256, 64 lower-case hex digits. */
  hashBody(body: BigBody): Promise<string>;
}

/** What `prepareBatches` found: to be written in the transaction that starts the deliveries. */
export interface PreparedCut {
  readonly input: CutInput;
  readonly batches: readonly NewBatch[];
  /** In place of `batches` where they are many: all of them, cut anew each time it is called, a page at a time. */
  readonly pages: ((tx: TenantTx) => AsyncIterable<readonly NewBatch[]>) | null;
}
