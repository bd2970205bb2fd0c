/**
 * Reads the lines of one sent batch beside the answers that may be about it: which positions each answer is about. Lines are
 * compared as bytes with what the answers name; the event loop is let go on in between.
 */
import { scheduler } from 'node:timers/promises';
import type { SealedStore } from '../../../platform/storage/object-store.ts';
import { OutputFields } from '../../engine/bodies/output-fields.ts';
import type { Plan } from '../../engine/plan.ts';
import type { LoadedBatch } from '../batch-load.ts';
import { bodyLines } from '../cutting/body-lines.ts';
import { SegmentReaders } from '../cutting/segment-readers.ts';
import type { AnswerTable } from './answer-table.ts';

/** Answers and the positions that they are about, side by side, in the order of the batch. */
export interface Hits {
  readonly answers: Int32Array;
  readonly positions: Int32Array;
  readonly length: number;
}

export const noHits: Hits = { answers: new Int32Array(0), positions: new Int32Array(0), length: 0 };

const pauseLines = 4_096;

export interface SentBatch {
  readonly batch: LoadedBatch;
  readonly plan: Plan;
}

/** `isMeant`: whether an answer may be about this batch. Fails as the store does. */
export async function findHits(
  store: SealedStore,
  { batch, plan }: SentBatch,
  { table, isMeant, signal }: { readonly table: AnswerTable; readonly isMeant: (answer: number) => boolean; readonly signal: AbortSignal },
): Promise<Hits> {
  const target = plan.targets.find(({ id }) => id === batch.targetId)!;
  const { key, group } = target.answers!;
  const hasKeys = key !== null && table.hasKeys;
  const hasGroups = group !== null && table.hasGroups;
  if (!hasKeys && !hasGroups) return noHits;
  const matching = new LineMatching(new OutputFields(target.body, plan.output, [key, group]), table, {
    hasKeys,
    hasGroups,
    isGrouped: group !== null,
    isMeant,
  });
  const readers = new SegmentReaders(store, batch.tenantId);
  try {
    let lines = 0;
    for (const line of bodyLines(batch.spans, target.body, (segmentId) => readers.open(batch.segments.get(segmentId)!))) {
      matching.add(line);
      if (++lines % pauseLines !== 0) continue;
      signal.throwIfAborted();
      await scheduler.yield();
    }
  } finally {
    readers.close();
  }
  return matching.hits;
}

interface MatchingOptions {
  readonly hasKeys: boolean;
  readonly hasGroups: boolean;
  /** The lines name their group, so that an answer about a record of another group is about none of theirs. */
  readonly isGrouped: boolean;
  readonly isMeant: (answer: number) => boolean;
}

/** Takes the lines of a batch in their order. `fields`: key and group of a line. */
export class LineMatching {
  readonly hits = new GrowingHits();
  readonly #fields: OutputFields;
  readonly #table: AnswerTable;
  readonly #options: MatchingOptions;
  #position = 0;

  constructor(fields: OutputFields, table: AnswerTable, options: MatchingOptions) {
    this.#fields = fields;
    this.#table = table;
    this.#options = options;
  }

  add(line: Uint8Array): void {
    const position = this.#position++;
    const table = this.#table;
    const { hasKeys, hasGroups, isGrouped, isMeant } = this.#options;
    this.#fields.read(line);
    const { bytes, starts, ends } = this.#fields;
    const hasGroup = starts[1]! >= 0;
    if (hasGroups && hasGroup) {
      for (let answer = table.firstOfGroup(bytes[1]!, starts[1]!, ends[1]!); answer >= 0; answer = table.next(answer))
        if (isMeant(answer)) this.hits.add(answer, position);
    }
    if (!hasKeys || starts[0]! < 0) return;
    for (let answer = table.firstOfKey(bytes[0]!, starts[0]!, ends[0]!); answer >= 0; answer = table.next(answer)) {
      const isOther = isGrouped && table.hasGroup(answer) && !(hasGroup && table.isOfGroup(answer, bytes[1]!, starts[1]!, ends[1]!));
      if (!isOther && isMeant(answer)) this.hits.add(answer, position);
    }
  }
}

class GrowingHits implements Hits {
  answers = new Int32Array(64);
  positions = new Int32Array(64);
  length = 0;

  add(answer: number, position: number): void {
    if (this.length === this.answers.length) {
      this.answers = grown(this.answers);
      this.positions = grown(this.positions);
    }
    this.answers[this.length] = answer;
    this.positions[this.length++] = position;
  }
}

function grown(values: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * values.length);
  larger.set(values);
  return larger;
}
