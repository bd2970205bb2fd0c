/**
 * Makes child batches of chosen records of a batch: the same bytes of the same segments, the same delivery keys, the
 * parent's place in the lane and there the order of their first records (decisions 16). The parent stays as it is and ends as `split`.
 */
import type { Ids, Sleep } from '../../../platform/base/ports.ts';
import type { BodyPlan, Plan } from '../../engine/plan.ts';
import { segmentLines } from '../../engine/segment-lines.ts';
import { appendRange, type BatchMember, type BatchSpan, bytesOfSpans, type NewBatch } from '../batch.ts';
import type { LoadedBatch } from '../batch-load.ts';
import { hashBody } from '../cutting/body-hash.ts';
import { readRange, SegmentReaders } from '../cutting/segment-readers.ts';
import { type ChosenMember, chooseMembers, type RecordSource } from './batch-records.ts';

export interface SplitServices extends RecordSource {
  readonly ports: { readonly ids: Ids; readonly sleep: Sleep };
}

/** One child for each choice of positions, in that order; each choice holds at least one, ascending. */
export async function splitBatch(
  services: SplitServices,
  batch: LoadedBatch,
  plan: Plan,
  choices: readonly (readonly number[])[],
): Promise<NewBatch[]> {
  const members = await chooseMembers(services, batch, plan, choices);
  const readers = new SegmentReaders(services.store, batch.tenantId);
  const open = (segmentId: string) => readers.open(batch.segments.get(segmentId)!);
  try {
    const body = plan.targets.find(({ id }) => id === batch.targetId)!.body;
    const chosen = chooseLines(body, batch, choices, readers);
    const children: NewBatch[] = [];
    for (const [at, indexes] of choices.entries()) {
      const { spans, bytes: lines } = chosen[at]!;
      const bytes = bytesOfSpans(spans);
      children.push({
        ...childBasics(batch, services.ports.ids.next(), withBytes(members[at]!, lines)),
        orderOffset: batch.orderOffset + indexes[0]!,
        spans,
        records: indexes.length,
        bytes,
        bodySha256: await hashBody(spans, bytes, open, services.ports.sleep),
      });
    }
    return children;
  } finally {
    readers.close();
  }
}

/** A child of whole members, by their positions in `batch.members`, ascending. Cuts by bytes: no line is looked at. */
export async function splitByMembers(
  services: Pick<SplitServices, 'store' | 'ports'>,
  batch: LoadedBatch,
  kept: readonly number[],
): Promise<NewBatch> {
  const members = kept.map((at) => batch.members[at]!);
  const spans: { segmentId: string; ranges: number[] }[] = [];
  const starts = batch.members.map((_, at) => batch.members.slice(0, at).reduce((sum, { bytes }) => sum + bytes, 0));
  for (const at of kept) appendBytes(spans, batch.spans, starts[at]!, starts[at]! + batch.members[at]!.bytes);
  const readers = new SegmentReaders(services.store, batch.tenantId);
  try {
    const bytes = bytesOfSpans(spans);
    const open = (segmentId: string) => readers.open(batch.segments.get(segmentId)!);
    return {
      ...childBasics(batch, services.ports.ids.next(), members),
      spans,
      records: members.reduce((sum, { records }) => sum + records, 0),
      bytes,
      bodySha256: await hashBody(spans, bytes, open, services.ports.sleep),
    };
  } finally {
    readers.close();
  }
}

/** The part of a body from one byte position to another. */
function appendBytes(into: { segmentId: string; ranges: number[] }[], spans: readonly BatchSpan[], start: number, end: number): void {
  let position = 0;
  for (const { segmentId, ranges } of spans) {
    for (let index = 0; index < ranges.length; index += 2) {
      const [from, to] = [ranges[index]!, ranges[index + 1]!];
      const first = Math.max(start, position);
      const last = Math.min(end, position + to - from);
      if (first < last) appendRange(into, segmentId, from + first - position, from + last - position);
      position += to - from;
    }
  }
}

function childBasics(batch: LoadedBatch, batchId: string, members: readonly BatchMember[]) {
  const { targetId, lane, laneScheme, orderNumber, orderOffset, fileSequence, attempts, unknownAttempts, heldAttempts, decidedAttempts } =
    batch;
  return {
    batchId,
    parentBatchId: batch.batchId,
    targetId,
    lane,
    laneScheme,
    orderNumber,
    orderOffset,
    fileSequence,
    members,
    attempts,
    unknownAttempts,
    heldAttempts,
    decidedAttempts,
    via: unknownAttempts > 0 ? batch.via : null,
  };
}

interface ChosenLines {
  readonly spans: { segmentId: string; ranges: number[] }[];
  /** Of each line. */
  readonly bytes: number[];
}

/** The lines at the chosen positions. Ranges of a batch hold whole lines. */
function chooseLines(body: BodyPlan, batch: LoadedBatch, choices: readonly (readonly number[])[], readers: SegmentReaders): ChosenLines[] {
  const choiceOf = new Map(choices.flatMap((indexes, choice) => indexes.map((index) => [index, choice] as const)));
  const chosen = choices.map((): ChosenLines => ({ spans: [], bytes: [] }));
  let position = 0;
  for (const { segmentId, ranges } of batch.spans) {
    const reader = readers.open(batch.segments.get(segmentId)!);
    for (let index = 0; index < ranges.length; index += 2) {
      let at = ranges[index]!;
      for (const line of segmentLines(body, readRange(reader, at, ranges[index + 1]!))) {
        const choice = choiceOf.get(position++);
        if (choice !== undefined) {
          appendRange(chosen[choice]!.spans, segmentId, at, at + line.length);
          chosen[choice]!.bytes.push(line.length);
        }
        at += line.length;
      }
    }
  }
  return chosen;
}

/** Lines follow the order of members. */
function withBytes(members: readonly ChosenMember[], bytes: readonly number[]): BatchMember[] {
  let line = 0;
  return members.map((member) => {
    const own = bytes.slice(line, (line += member.records));
    return { ...member, bytes: own.reduce((sum, length) => sum + length, 0) };
  });
}
