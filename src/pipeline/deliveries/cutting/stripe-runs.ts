/**
 * The runs of a chunk's part of a segment where order is that of the file or none: whole stripes, or what exclusions
 * leave of them. Only stripes with exclusions are read.
 */
import { addAmounts } from '../../engine/amount-totals.ts';
import type { Stripe } from '../../engine/chunk.ts';
import type { Exclusion } from '../../engine/file/duplicates.ts';
import type { Plan } from '../../engine/plan.ts';
import { segmentLines } from '../../engine/segment-lines.ts';
import type { RecordRun } from './batch-builder.ts';
import type { CutChunk, CutJob, CutOutput } from './cut-input.ts';
import { readOutcomes, routedRecords } from './routed-records.ts';
import { readRange, type SegmentReaders } from './segment-readers.ts';

export function* stripeRuns(plan: Plan, job: CutJob, output: CutOutput, readers: SegmentReaders): Generator<RecordRun> {
  const chunk = chunkOf(job, output.chunkNumber);
  const exclusions = job.exclusions.filter((exclusion) => exclusion.targets.includes(output.target));
  exclusions.sort((a, b) => a.record - b.record);
  const { stripes } = output;
  let next = firstFrom(exclusions, stripes[0]?.firstRecord ?? 0);
  for (const [index, stripe] of stripes.entries()) {
    const nextFirst = stripes[index + 1]?.firstRecord ?? Number.POSITIVE_INFINITY;
    const first = next;
    while (next < exclusions.length && exclusions[next]!.record < nextFirst) next += 1;
    const inStripe = exclusions.slice(first, next);
    const whole: RecordRun = {
      ...runBasics(job, chunk, output),
      ranges: [output.start + stripe.start, output.start + stripe.end],
      firstRecord: stripe.firstRecord,
      records: stripe.records,
      amounts: stripe.amounts,
      excluded: [],
      only: null,
    };
    if (inStripe.length === 0) yield whole;
    else yield* withoutExcluded(plan, output, readers, { whole, chunk, stripe, exclusions: inStripe });
  }
}

/** Of ascending ones the place of the first at or behind a record: a file may have a million stripes and as many exclusions. */
function firstFrom(exclusions: readonly Exclusion[], record: number): number {
  const found = exclusions.findIndex((exclusion) => exclusion.record >= record);
  return found < 0 ? exclusions.length : found;
}

/** The exclusions after a chunk's last stripe that belong to later chunks match no record here. */
function* withoutExcluded(
  plan: Plan,
  output: CutOutput,
  readers: SegmentReaders,
  at: { readonly whole: RecordRun; readonly chunk: CutChunk; readonly stripe: Stripe; readonly exclusions: readonly Exclusion[] },
): Generator<RecordRun> {
  const { whole, chunk, stripe } = at;
  const excluded = new Map(at.exclusions.map((exclusion) => [exclusion.record, exclusion]));
  const { object, start, end } = chunk.outcomes;
  const records = routedRecords(readOutcomes(readers.open(object), start, end), output.target, stripe.firstRecord);
  const bytes = readRange(readers.open(output.segment.object), whole.ranges[0]!, whole.ranges[1]!);
  const ranges: number[] = [];
  const left: number[] = [];
  let position = whole.ranges[0]!;
  let { amounts } = whole;
  for (const line of segmentLines(plan.targets[output.target]!.body, bytes)) {
    const routed = records.next().value!;
    const exclusion = excluded.get(routed.record);
    if (exclusion !== undefined) {
      left.push(routed.record);
      amounts = addAmounts(amounts, exclusion.amounts, -1);
    } else if (ranges.at(-1) === position) ranges[ranges.length - 1] = position + line.length;
    else ranges.push(position, position + line.length);
    position += line.length;
  }
  yield { ...whole, ranges, records: whole.records - left.length, amounts, excluded: left };
}

export function chunkOf(job: CutJob, chunkNumber: number): CutChunk {
  const chunk = job.chunks.find((candidate) => candidate.chunkNumber === chunkNumber);
  if (chunk === undefined) throw new Error('an output belongs to a chunk that the cut was not given');
  return chunk;
}

export function runBasics(job: CutJob, chunk: CutChunk, output: CutOutput) {
  const { segmentId, start, end } = chunk.outcomes;
  return {
    jobId: job.jobId,
    lineageId: job.lineageId,
    acceptedNumber: job.acceptedNumber,
    chunkNumber: output.chunkNumber,
    outcomes: { segmentId, start, end },
    segmentId: output.segment.segmentId,
  };
}
