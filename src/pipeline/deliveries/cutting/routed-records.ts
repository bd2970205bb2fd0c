/**
 * Which records the lines of a target segment are: a segment holds lines only, so the numbers come from the chunk's
 * outcomes, in the same order.
 */
import type { ByteSource } from '../../../platform/base/byte-source.ts';
import { OutcomeSegment } from '../../engine/outcomes/outcome-segment.ts';
import type { BatchMember } from '../batch.ts';

export interface RoutedRecord {
  readonly record: number;
  /** Byte offset in the member of the file. */
  readonly offset: number;
}

/** The outcome segments that lie one behind the other in `[start, end)`. */
export function readOutcomes(source: ByteSource, start: number, end: number): OutcomeSegment[] {
  const segments: OutcomeSegment[] = [];
  for (let at = start; at < end; ) {
    const segment = new OutcomeSegment(source, at);
    segments.push(segment);
    at += segment.bytes;
  }
  return segments;
}

/** The records of a chunk that were routed to a target, from a record number on, excluded ones included. */
export function* routedRecords(segments: readonly OutcomeSegment[], target: number, firstRecord: number): Generator<RoutedRecord> {
  for (const segment of segments) {
    const isRouted = segment.header.routeSets.map((targets) => targets.includes(target));
    if (!isRouted.includes(true)) continue;
    const { records, firstRecord: segmentFirst } = segment.header;
    for (let position = Math.max(0, firstRecord - segmentFirst); position < records; position++) {
      const outcome = segment.outcome(position);
      if (outcome.status === 'valid' && outcome.targets.includes(target)) yield outcome;
    }
  }
}

/** The records of a batch member, in the order of its lines. */
export function* memberRecords(segments: readonly OutcomeSegment[], target: number, member: BatchMember): Generator<RoutedRecord> {
  const excluded = new Set(member.excluded);
  const only = member.only === undefined ? null : new Set(member.only);
  let left = member.records;
  if (left === 0) return;
  for (const routed of routedRecords(segments, target, member.firstRecord)) {
    if (excluded.has(routed.record) || (only !== null && !only.has(routed.record))) continue;
    yield routed;
    if (--left === 0) return;
  }
  throw new Error('the outcomes of a chunk hold fewer records than a batch says');
}
