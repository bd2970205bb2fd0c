/**
 * The runs of a chunk's part of a segment where order is kept per business key in several lanes: record by record, each in
 * the lane that its key's hash gives. Records without a key are lane 0.
 */

import type { OutcomeSegment } from '../../engine/outcomes/outcome-segment.ts';
import type { Plan } from '../../engine/plan.ts';
import type { RecordRun } from './batch-builder.ts';
import type { CutJob, CutOutput } from './cut-input.ts';
import { recordRuns } from './record-runs.ts';
import { readOutcomes } from './routed-records.ts';
import type { SegmentReaders } from './segment-readers.ts';
import { chunkOf } from './stripe-runs.ts';

export function* keyLaneRuns(
  plan: Plan,
  job: CutJob,
  output: CutOutput,
  readers: SegmentReaders,
): Generator<{ lane: number; run: RecordRun }> {
  const chunk = chunkOf(job, output.chunkNumber);
  const { object, start, end } = chunk.outcomes;
  const segments = readOutcomes(readers.open(object), start, end);
  const { lanes: laneCount } = plan.targets[output.target]!;
  const lanes = segments.map((segment) => lanesByPosition(segment, laneCount));
  for (const { run, isExcluded } of recordRuns({ plan, job, output, readers, segments })) {
    if (!isExcluded) yield { lane: laneOf(segments, lanes, run.firstRecord), run: { ...run, only: [run.firstRecord] } };
  }
}

/** The lane of each record that has a key. */
function lanesByPosition(segment: OutcomeSegment, laneCount: number): Uint8Array {
  const lanes = new Uint8Array(segment.header.records);
  const index = segment.header.indexes.findIndex(({ name }) => name === 'key');
  if (index < 0) return lanes;
  const { hashes, records } = segment.readEntries(index, 0, segment.header.indexes[index]!.entries);
  for (let entry = 0; entry < records.length; entry++) lanes[records[entry]!] = hashes[entry * 2]! % laneCount;
  return lanes;
}

function laneOf(segments: readonly OutcomeSegment[], lanes: readonly Uint8Array[], record: number): number {
  const at = segments.findIndex(({ header }) => record >= header.firstRecord && record < header.firstRecord + header.records);
  return lanes[at]![record - segments[at]!.header.firstRecord]!;
}
