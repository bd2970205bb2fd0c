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
import { type AnswerLookup, NameRange } from './answer-lookup.ts';
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

/** Which answers may be about this batch. `isFree`: it is about none that was looked at before, once and for good. */
export interface Meant {
  /** By the file that an answer names. */
  readonly isMeant: (answer: number) => boolean;
  readonly isFree: (answer: number) => boolean;
}

/** Fails as the store does. */
export async function findHits(
  store: SealedStore,
  { batch, plan }: SentBatch,
  { table, signal, ...meant }: Meant & { readonly table: AnswerTable; readonly signal: AbortSignal },
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
    ...meant,
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

interface MatchingOptions extends Meant {
  readonly hasKeys: boolean;
  readonly hasGroups: boolean;
  /** The lines name their group, so that an answer about a record of another group is about none of theirs. */
  readonly isGrouped: boolean;
}

/** Takes the lines of a batch in their order. `fields`: key and group of a line. */
export class LineMatching {
  readonly hits = new GrowingHits();
  readonly #fields: OutputFields;
  readonly #lookup: AnswerLookup;
  readonly #options: MatchingOptions;
  readonly #key = new NameRange();
  readonly #group = new NameRange();
  readonly #noGroup = new NameRange();
  #position = 0;

  constructor(fields: OutputFields, table: AnswerTable, options: MatchingOptions) {
    this.#fields = fields;
    this.#lookup = table.lookup(options.isGrouped);
    this.#options = options;
  }

  add(line: Uint8Array): void {
    const position = this.#position++;
    const lookup = this.#lookup;
    const { hasKeys, hasGroups, isGrouped } = this.#options;
    this.#fields.read(line);
    const { bytes, starts, ends } = this.#fields;
    const group = this.#group.set(bytes[1]!, starts[1]!, ends[1]!);
    const hasGroup = group.start >= 0;
    if (hasGroups && hasGroup)
      for (let answer = lookup.firstOfGroup(group); answer >= 0; answer = lookup.next(answer)) this.#hit(answer, position);
    if (!hasKeys || starts[0]! < 0) return;
    const key = this.#key.set(bytes[0]!, starts[0]!, ends[0]!);
    // Answers that name no group, and those that name this one, in the order of the file.
    let answer = lookup.firstOfKey(key, this.#noGroup);
    let ofGroup = isGrouped && hasGroup ? lookup.firstOfKey(key, group) : -1;
    while (answer >= 0 || ofGroup >= 0) {
      if (ofGroup < 0 || (answer >= 0 && answer < ofGroup)) {
        this.#hit(answer, position);
        answer = lookup.next(answer);
      } else {
        this.#hit(ofGroup, position);
        ofGroup = lookup.next(ofGroup);
      }
    }
  }

  #hit(answer: number, position: number): void {
    const { isMeant, isFree } = this.#options;
    if (!isMeant(answer)) return;
    const free = this.#lookup.firstFree(answer, isFree);
    if (free >= 0) this.hits.add(free, position);
  }
}

export class GrowingHits implements Hits {
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
