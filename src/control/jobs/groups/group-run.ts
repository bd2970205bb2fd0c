/**
 * What the engine threads are asked and what they answer: plain data that can cross to a thread or a child process. A run
 * is made once for each attempt; what it wrote counts only if the transaction that names it commits.
 */
import type { BigBody } from '../../../pipeline/deliveries/cutting/cut-input.ts';
import type { ChunkSpec, ChunkSummary, Finding, FindingGroup } from '../../../pipeline/engine/chunk.ts';
import type { Exclusion } from '../../../pipeline/engine/file/duplicates.ts';
import type { FileCheck } from '../../../pipeline/engine/file/file-checks.ts';
import type { Plan } from '../../../pipeline/engine/plan.ts';
import type { SealedObject } from '../../../platform/storage/object-store.ts';
import type { ChunkParts, SegmentPart } from './chunk-parts.ts';
import type { NewSegment } from './segment-set.ts';

/** A chunk to be run. */
export interface ChunkToRun {
  readonly jobId: string;
  readonly spec: ChunkSpec;
  readonly file: SealedObject;
  /** Where the file's first record starts: its header record, if it has one, is read there. */
  readonly fileStart: number;
  /** The file has no other chunk: it is judged as a whole at once. */
  readonly isWholeFile: boolean;
  readonly splitDamage: readonly Finding[];
  /** Most samples of findings to bring back. */
  readonly errorSamples: number;
  readonly warningSamples: number;
}

export interface GroupRun {
  readonly kind: 'group';
  readonly tenantId: string;
  readonly flowVersionId: string;
  readonly plan: Plan;
  readonly label: string;
  readonly chunks: readonly ChunkToRun[];
  /** Records that ended a worker before: they are rejected without being looked at. */
  readonly poison: readonly PoisonRecord[];
}

/** A record by the place of its content in the file; `length` leaves the line end out. */
export interface PoisonRecord {
  readonly jobId: string;
  readonly offset: number;
  readonly length: number;
}

/** Whole records of one chunk, `[start, end)` in the file. `contentEnd` leaves the last line end out. */
export interface Piece {
  readonly jobId: string;
  readonly chunkNumber: number;
  readonly start: number;
  readonly end: number;
  readonly contentEnd: number;
  /** The number in the file of its first record. */
  readonly firstRecord: number;
  readonly records: number;
}

export interface Sample extends Finding {
  readonly severity: 'error' | 'warn';
}

/** A file judged as a whole. */
export interface CheckedFile {
  /** Without the warnings of excluded records. */
  readonly summary: Pick<ChunkSummary, 'warned' | 'errors' | 'warnings'>;
  readonly check: FileCheck;
  readonly exclusions: readonly Exclusion[];
  readonly exclusionGroups: readonly FindingGroup[];
}

export interface FinishedChunkRun {
  readonly jobId: string;
  readonly number: number;
  /** Without stripes: those are beside the parts. */
  readonly summary: ChunkSummary;
  readonly parts: ChunkParts;
  readonly samples: readonly Sample[];
  /** Of a whole file only. */
  readonly checked: CheckedFile | null;
  readonly exclusions: SegmentPart | null;
}

/** A chunk whose stored input cannot be used: trying again would not help, and the others of the group are not to blame. */
export interface FailedChunkRun {
  readonly jobId: string;
  readonly number: number;
  readonly failure: { readonly code: string; readonly message: string };
}

export interface GroupResult {
  readonly chunks: readonly FinishedChunkRun[];
  readonly failed: readonly FailedChunkRun[];
  readonly segments: readonly NewSegment[];
  /** Of the engine alone. */
  readonly seconds: number;
}

/** A chunk that is done, for judging its file. */
export interface ChunkToCheck {
  readonly spec: ChunkSpec;
  /** Without stripes. */
  readonly summary: ChunkSummary;
  readonly outcomes: { readonly object: SealedObject; readonly start: number };
}

/** Judges a file as a whole, from the rows of its chunks. */
export interface FileRun {
  readonly kind: 'file';
  readonly tenantId: string;
  readonly flowVersionId: string;
  readonly plan: Plan;
  readonly label: string;
  readonly file: SealedObject;
  readonly splitDamage: readonly Finding[];
  readonly chunks: readonly ChunkToCheck[];
  /** False when the exclusions were written before. */
  readonly writesExclusions: boolean;
}

/** Hashes the body of a big batch; the answer is its SHA-256. */
export interface BodyRun extends BigBody {
  readonly kind: 'body';
}

export interface FileResult {
  readonly checked: CheckedFile;
  readonly segments: readonly NewSegment[];
  /** Bytes and hash of the exclusions; null when there are none or they were written before. */
  readonly exclusions: SegmentPart | null;
}
