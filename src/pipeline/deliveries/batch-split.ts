/**
 * Makes child batches of chosen records of a batch: the same bytes of the same segments, the same delivery keys, the same
 * place in the lane (decisions 16). The parent stays as it is and ends as `split`.
 */
import type { Ids, Sleep } from '../../platform/base/ports.ts';
import type { BodyPlan, Plan } from '../engine/plan.ts';
import { segmentLines } from '../engine/segment-lines.ts';
import { appendRange, type BatchMember, type BatchSpan, type NewBatch } from './batch.ts';
import type { LoadedBatch } from './batch-load.ts';
import { chooseMembers, type RecordSource } from './batch-records.ts';
import { hashBody } from './body-hash.ts';
import { readRange, SegmentReaders } from './segment-readers.ts';

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
    const spans = chooseSpans(body, batch, choices, readers);
    const children: NewBatch[] = [];
    for (const [at, indexes] of choices.entries()) {
      const bytes = bytesOf(spans[at]!);
      children.push({
        ...childBasics(batch, services.ports.ids.next(), members[at]!),
        spans: spans[at]!,
        records: indexes.length,
        bytes,
        bodySha256: await hashBody(spans[at]!, bytes, open, services.ports.sleep),
      });
    }
    return children;
  } finally {
    readers.close();
  }
}

/** Needs no look at single records: the members stay whole. Positions of members in `batch.members`. */
export async function splitByMembers(services: SplitServices, batch: LoadedBatch, plan: Plan, kept: readonly number[]): Promise<NewBatch> {
  const starts: number[] = [];
  let position = 0;
  for (const member of batch.members) {
    starts.push(position);
    position += member.records;
  }
  const indexes = kept.flatMap((at) => Array.from({ length: batch.members[at]!.records }, (_, offset) => starts[at]! + offset));
  const readers = new SegmentReaders(services.store, batch.tenantId);
  try {
    const body = plan.targets.find(({ id }) => id === batch.targetId)!.body;
    const [spans] = chooseSpans(body, batch, [indexes], readers);
    const bytes = bytesOf(spans!);
    const open = (segmentId: string) => readers.open(batch.segments.get(segmentId)!);
    const members = kept.map((at) => batch.members[at]!);
    return {
      ...childBasics(batch, services.ports.ids.next(), members),
      spans: spans!,
      records: indexes.length,
      bytes,
      bodySha256: await hashBody(spans!, bytes, open, services.ports.sleep),
    };
  } finally {
    readers.close();
  }
}

function childBasics(batch: LoadedBatch, batchId: string, members: readonly BatchMember[]) {
  const { targetId, lane, orderNumber, attempts, unknownAttempts } = batch;
  return { batchId, parentBatchId: batch.batchId, targetId, lane, orderNumber, members, attempts, unknownAttempts };
}

function bytesOf(spans: readonly BatchSpan[]): number {
  return spans.reduce((total, { ranges }) => ranges.reduce((sum, at, index) => (index % 2 === 0 ? sum - at : sum + at), total), 0);
}

/** The lines at the chosen positions. Ranges of a batch hold whole lines. */
function chooseSpans(body: BodyPlan, batch: LoadedBatch, choices: readonly (readonly number[])[], readers: SegmentReaders): BatchSpan[][] {
  const choiceOf = new Map(choices.flatMap((indexes, choice) => indexes.map((index) => [index, choice] as const)));
  const spans = choices.map((): { segmentId: string; ranges: number[] }[] => []);
  let position = 0;
  for (const { segmentId, ranges } of batch.spans) {
    const reader = readers.open(batch.segments.get(segmentId)!);
    for (let index = 0; index < ranges.length; index += 2) {
      let at = ranges[index]!;
      for (const line of segmentLines(body, readRange(reader, at, ranges[index + 1]!))) {
        const choice = choiceOf.get(position++);
        if (choice !== undefined) appendRange(spans[choice]!, segmentId, at, at + line.length);
        at += line.length;
      }
    }
  }
  return spans;
}
