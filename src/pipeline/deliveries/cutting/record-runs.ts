/**
 * The runs of a chunk's part of a segment where batches are cut between single records: by the key's lane, or by amount. Each
 * record's amounts are read again from the raw file.
 */
import type { OutcomeSegment } from '../../engine/outcomes/outcome-segment.ts';
import type { Plan } from '../../engine/plan.ts';
import { segmentLines } from '../../engine/segment-lines.ts';
import type { RecordRun } from './batch-builder.ts';
import type { CutJob, CutOutput } from './cut-input.ts';
import { RecordFacts } from './record-facts.ts';
import { readOutcomes, routedRecords } from './routed-records.ts';
import { readRange, type SegmentReaders } from './segment-readers.ts';
import { chunkOf, runBasics } from './stripe-runs.ts';

export interface RecordRunsOptions {
  readonly plan: Plan;
  readonly job: CutJob;
  readonly output: CutOutput;
  readonly readers: SegmentReaders;
  /** The chunk's outcomes. */
  readonly segments: readonly OutcomeSegment[];
}

/** One for each record, in order. */
export function* recordRuns(options: RecordRunsOptions): Generator<{ readonly run: RecordRun; readonly isExcluded: boolean }> {
  const { plan, job, output, readers, segments } = options;
  const chunk = chunkOf(job, output.chunkNumber);
  const excluded = new Set(job.exclusions.filter(({ targets }) => targets.includes(output.target)).map(({ record }) => record));
  const facts = new RecordFacts(plan, chunk.columns, readers.open(job.file));
  const basics = runBasics(job, chunk, output);
  for (const stripe of output.stripes) {
    const records = routedRecords(segments, output.target, stripe.firstRecord);
    let position = output.start + stripe.start;
    const bytes = readRange(readers.open(output.segment.object), position, output.start + stripe.end);
    for (const line of segmentLines(plan.targets[output.target]!.body, bytes)) {
      const routed = records.next().value!;
      const ranges = [position, (position += line.length)];
      const isExcluded = excluded.has(routed.record);
      const amounts = isExcluded ? {} : facts.amounts(routed);
      yield { run: { ...basics, ranges, firstRecord: routed.record, records: 1, amounts, excluded: [], only: null }, isExcluded };
    }
  }
}

/** Those of a target whose batches are bounded by an amount: an excluded record is left out of the run that it lies in. */
export function* amountRuns(plan: Plan, job: CutJob, output: CutOutput, readers: SegmentReaders): Generator<RecordRun> {
  const { object, start, end } = chunkOf(job, output.chunkNumber).outcomes;
  const segments = readOutcomes(readers.open(object), start, end);
  for (const { run, isExcluded } of recordRuns({ plan, job, output, readers, segments })) {
    yield isExcluded ? { ...run, ranges: [], records: 0, excluded: [run.firstRecord] } : run;
  }
}
