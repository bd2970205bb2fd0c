/**
 * A delivery batch as data: which bytes it is (`spans`), whose records they are (`members`), and where it stands in its
 * lane. All of it is written once, before the first send, and never changes (decisions 16).
 */
import type { FieldAmounts } from '../engine/chunk.ts';

/** Parts of one sealed segment: start and end, start and end, … in order, no two adjacent. */
export interface BatchSpan {
  readonly segmentId: string;
  readonly ranges: readonly number[];
}

/** The records of one chunk of one job in a batch, in record order. */
export interface BatchMember {
  readonly jobId: string;
  readonly lineageId: string;
  readonly chunkNumber: number;
  /** Where the chunk's outcomes lie: one or more outcome segments one behind the other. */
  readonly outcomes: { readonly segmentId: string; readonly start: number; readonly end: number };
  /** The records are those routed to the target from this number on, `records` of them, without the excluded ones … */
  readonly firstRecord: number;
  readonly records: number;
  /** Of its lines, which follow those of the member before it. */
  readonly bytes: number;
  readonly amounts: FieldAmounts;
  readonly excluded?: readonly number[];
  /** … or, where a batch was split record by record, exactly these. */
  readonly only?: readonly number[];
}

/** No order between batches. */
export const noLane = -1;

/** A batch before it is written. */
export interface NewBatch {
  readonly batchId: string;
  readonly parentBatchId: string | null;
  readonly targetId: string;
  /** `noLane`, or which of the target's lanes, from 0. */
  readonly lane: number;
  /** What its lanes mean (`laneSchemeOf`); 0: it has none. */
  readonly laneScheme: number;
  /** Place in the lane, by acceptance of the file and then by position in it. Children keep their parent's. */
  readonly orderNumber: number;
  /** Of children: not more than the place of their first record in the batch that was cut. Orders what a batch was split into. */
  readonly orderOffset: number;
  /** Where the target numbers its files; null until it is written, and for other targets. Children keep their parent's. */
  readonly fileSequence: number | null;
  readonly spans: readonly BatchSpan[];
  readonly members: readonly BatchMember[];
  readonly records: number;
  readonly bytes: number;
  readonly bodySha256: string;
  /** Of the parent, for children: a split alone gives no new tries, and a possible duplicate stays one. */
  readonly attempts: number;
  readonly unknownAttempts: number;
  readonly heldAttempts: number;
  /** Attempts up to the last one in which the target took or refused for good a part of the records that it is the rest of. */
  readonly decidedAttempts: number;
  /** Of the parent, where an attempt's outcome is unknown: the backup that it went to. */
  readonly via: string | null;
}

/** Batches of one file that can be told apart in an order number. */
export const batchesPerFileMax = 2 ** 24;

export function orderNumberOf(acceptedNumber: number, sequence: number): number {
  if (sequence >= batchesPerFileMax) throw new Error('a file has more batches than its order numbers can tell apart');
  return acceptedNumber * batchesPerFileMax + sequence;
}

/** Position of a batch among those cut with it: the `{part}` of a file's name. */
export function sequenceOf(orderNumber: number): number {
  return orderNumber % batchesPerFileMax;
}

/** Bytes in an ascending list of start, end, start, end, … */
export function bytesOfRanges(ranges: readonly number[]): number {
  return ranges.reduce((sum, at, index) => (index % 2 === 0 ? sum - at : sum + at), 0);
}

export function bytesOfSpans(spans: readonly BatchSpan[]): number {
  return spans.reduce((sum, { ranges }) => sum + bytesOfRanges(ranges), 0);
}

/** What a batch counts for each of its jobs. */
export function recordsByJob(members: readonly BatchMember[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { jobId, records } of members) counts.set(jobId, (counts.get(jobId) ?? 0) + records);
  return counts;
}

/** Appends a range, joined with the last one where they touch. */
export function appendRange(spans: { segmentId: string; ranges: number[] }[], segmentId: string, start: number, end: number): void {
  const last = spans.at(-1);
  if (last?.segmentId !== segmentId) spans.push({ segmentId, ranges: [start, end] });
  else if (last.ranges.at(-1) === start) last.ranges[last.ranges.length - 1] = end;
  else last.ranges.push(start, end);
}

/** The key under which the work queue keeps batches of one lane apart. */
export function laneKeyOf(flowId: string, targetId: string, lane: number): string {
  return lane === noLane ? '' : `${flowId}/${targetId}/${lane}`;
}
