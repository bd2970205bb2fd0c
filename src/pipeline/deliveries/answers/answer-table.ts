/**
 * The answers of one batch as columns of numbers over their bytes, to be found by the key of a record or of a group. Nothing is made
 * of a good answer but bytes: its key, its group, which file it names, and what its word means. Hashes have a key of their own, so
 * that nobody can make answers that collide.
 */
import type { OutputFields } from '../../engine/bodies/output-fields.ts';
import { KeyHash } from '../../engine/outcomes/key-hash.ts';
import type { AnswerSettings } from './answer-settings.ts';
import { type RecordWord, recordWords } from './record-answers.ts';

/** What an answer is about: one record, the records of a group, or a file as a whole. */
export const answerLevels = { record: 0, group: 1, file: 2 } as const;

export type AnswerProblem = 'no name' | 'unknown status';

/** Order of the chosen fields. */
const fields = { file: 0, group: 1, key: 2, status: 3, reason: 4 } as const;
const none = -1;

/** Codes as downstreams use them; anything else may be words about a person, and stays in the answer. */
const reasonCode = /^[A-Za-z0-9][A-Za-z0-9._-]{0,34}$/;
/** Of a name of a file, or of the id of a message. */
const fileBytesMax = 500;

export class AnswerTable {
  /** By answer. */
  readonly level: Uint8Array;
  readonly word: Uint8Array;
  /** Index into `files`; -1: it names none. */
  readonly file: Int32Array;
  readonly files: string[] = [];
  /** Of answers that can't be matched whatever was sent. */
  readonly problems = new Map<number, AnswerProblem>();
  /** Of answers that refuse, where they say why with a code. */
  readonly reasons = new Map<number, string>();
  length = 0;

  readonly #words: readonly AnswerMeaning[];
  readonly #hash: KeyHash;
  readonly #fileIndexes = new Map<string, number>();
  /** Keys and groups, where they start and end. */
  #bytes = Buffer.allocUnsafe(64 * 1024);
  #used = 0;
  readonly #keyStarts: Int32Array;
  readonly #keyEnds: Int32Array;
  readonly #groupStarts: Int32Array;
  readonly #groupEnds: Int32Array;
  #keys: Lookup | null = null;
  #groups: Lookup | null = null;

  /** `answers`: how many there will be, at most. `hashKey`: 16 random bytes. */
  constructor(answers: number, { accepted, refused, pending, partial, unlisted }: AnswerSettings, hashKey: Uint8Array) {
    this.level = new Uint8Array(answers);
    this.word = new Uint8Array(answers);
    this.file = new Int32Array(answers).fill(none);
    [this.#keyStarts, this.#keyEnds] = [new Int32Array(answers).fill(none), new Int32Array(answers)];
    [this.#groupStarts, this.#groupEnds] = [new Int32Array(answers).fill(none), new Int32Array(answers)];
    this.#hash = new KeyHash(hashKey);
    const meaning = (texts: readonly string[], word: RecordWord, isPartial = false) =>
      texts.map((text) => ({ bytes: Buffer.from(text, 'utf8'), word, isPartial }));
    this.#words = [
      ...meaning(accepted, recordWords.accepted),
      ...meaning(refused, recordWords.refused),
      ...meaning(pending, recordWords.pending),
      ...meaning(partial, unlisted === 'unanswered' ? recordWords.none : recordWords[unlisted], true),
    ];
  }

  /** The next answer; `read`: file, group, key, status and reason of it, in this order. */
  add(read: OutputFields): void {
    const answer = this.length++;
    let level: number = answerLevels.file;
    if (hasText(read, fields.file)) this.file[answer] = this.#fileOf(read, answer);
    if (hasText(read, fields.group)) {
      level = answerLevels.group;
      this.#groupStarts[answer] = this.#keep(read, fields.group);
      this.#groupEnds[answer] = this.#used;
    }
    if (hasText(read, fields.key)) {
      level = answerLevels.record;
      this.#keyStarts[answer] = this.#keep(read, fields.key);
      this.#keyEnds[answer] = this.#used;
    }
    this.level[answer] = level;
    const meant = this.#meaningOf(read);
    if (level === answerLevels.file && this.file[answer] === none) this.problems.set(answer, 'no name');
    else if (meant === undefined || (meant.isPartial && level === answerLevels.record)) this.problems.set(answer, 'unknown status');
    else {
      this.word[answer] = meant.word;
      if (meant.word === recordWords.refused && hasText(read, fields.reason)) this.#keepReason(read, answer);
    }
  }

  /** After the last answer. */
  index(): void {
    this.#keys = this.#lookupOf(answerLevels.record, this.#keyStarts, this.#keyEnds);
    this.#groups = this.#lookupOf(answerLevels.group, this.#groupStarts, this.#groupEnds);
  }

  /** The first answer about the record of that key; -1: there is none. */
  firstOfKey(bytes: Uint8Array, start: number, end: number): number {
    return this.#find(this.#keys!, this.#keyStarts, this.#keyEnds, bytes, start, end);
  }

  firstOfGroup(bytes: Uint8Array, start: number, end: number): number {
    return this.#find(this.#groups!, this.#groupStarts, this.#groupEnds, bytes, start, end);
  }

  /** The next answer about the same record or group, in the order of the file. */
  next(answer: number): number {
    return (this.level[answer] === answerLevels.record ? this.#keys! : this.#groups!).next[answer]!;
  }

  hasGroup(answer: number): boolean {
    return this.#groupStarts[answer]! >= 0;
  }

  isOfGroup(answer: number, bytes: Uint8Array, start: number, end: number): boolean {
    return this.#isAt(this.#groupStarts[answer]!, this.#groupEnds[answer]!, bytes, start, end);
  }

  get hasGroups(): boolean {
    return this.#groups!.count > 0;
  }

  get hasKeys(): boolean {
    return this.#keys!.count > 0;
  }

  #fileOf(read: OutputFields, answer: number): number {
    const { bytes, starts, ends } = read;
    const length = Math.min(ends[fields.file]! - starts[fields.file]!, fileBytesMax);
    const last = answer === 0 ? none : this.file[answer - 1]!;
    // Answers to one file follow each other.
    if (last !== none && isSame(read, fields.file, this.#fileBytes)) return last;
    const text = Buffer.from(bytes[fields.file]!.buffer, bytes[fields.file]!.byteOffset + starts[fields.file]!, length).toString('utf8');
    let index = this.#fileIndexes.get(text);
    if (index === undefined) {
      index = this.files.push(text) - 1;
      this.#fileIndexes.set(text, index);
    }
    this.#fileBytes = Buffer.from(text, 'utf8');
    return index;
  }
  #fileBytes = Buffer.alloc(0);

  #keepReason({ bytes, starts, ends }: OutputFields, answer: number): void {
    const { buffer, byteOffset } = bytes[fields.reason]!;
    const text = Buffer.from(buffer, byteOffset + starts[fields.reason]!, ends[fields.reason]! - starts[fields.reason]!).toString('latin1');
    if (reasonCode.test(text)) this.reasons.set(answer, text);
  }

  #meaningOf(read: OutputFields): AnswerMeaning | undefined {
    for (const meaning of this.#words) if (isSame(read, fields.status, meaning.bytes)) return meaning;
    return undefined;
  }

  /** Where it starts; it ends where the next one will start. */
  #keep({ bytes, starts, ends }: OutputFields, field: number): number {
    const start = this.#used;
    const end = start + ends[field]! - starts[field]!;
    if (end > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, end));
      this.#bytes.copy(larger, 0, 0, this.#used);
      this.#bytes = larger;
    }
    this.#bytes.set(bytes[field]!.subarray(starts[field]!, ends[field]!), start);
    this.#used = end;
    return start;
  }

  /** Chains are made from the last answer to the first, so that they run in the order of the file. */
  #lookupOf(level: number, starts: Int32Array, ends: Int32Array): Lookup {
    let slots = 16;
    while (slots < 2 * this.length) slots *= 2;
    const lookup: Lookup = { heads: new Int32Array(slots).fill(none), next: new Int32Array(this.length).fill(none), count: 0 };
    for (let answer = this.length - 1; answer >= 0; answer--) {
      if (this.level[answer] !== level || this.problems.has(answer)) continue;
      lookup.count++;
      let slot = this.#slotOf(lookup, this.#bytes, starts[answer]!, ends[answer]!);
      for (;;) {
        const head = lookup.heads[slot]!;
        if (head === none || this.#isAt(starts[head]!, ends[head]!, this.#bytes, starts[answer]!, ends[answer]!)) {
          lookup.next[answer] = head;
          lookup.heads[slot] = answer;
          break;
        }
        slot = (slot + 1) % slots;
      }
    }
    return lookup;
  }

  #find(lookup: Lookup, starts: Int32Array, ends: Int32Array, bytes: Uint8Array, start: number, end: number): number {
    for (let slot = this.#slotOf(lookup, bytes, start, end); ; slot = (slot + 1) % lookup.heads.length) {
      const head = lookup.heads[slot]!;
      if (head === none || this.#isAt(starts[head]!, ends[head]!, bytes, start, end)) return head;
    }
  }

  #slotOf({ heads }: Lookup, bytes: Uint8Array, start: number, end: number): number {
    this.#hash.hash(bytes, start, end);
    return this.#hash.low % heads.length;
  }

  #isAt(from: number, to: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (to - from !== end - start) return false;
    for (let at = start; at < end; at++) if (this.#bytes[from + at - start] !== bytes[at]) return false;
    return true;
  }
}

interface AnswerMeaning {
  readonly bytes: Buffer;
  readonly word: RecordWord;
  readonly isPartial: boolean;
}

interface Lookup {
  /** By slot: the first answer of its key. */
  readonly heads: Int32Array;
  /** By answer. */
  readonly next: Int32Array;
  count: number;
}

function hasText({ starts, ends }: OutputFields, field: number): boolean {
  return starts[field]! >= 0 && ends[field]! > starts[field]!;
}

function isSame({ bytes, starts, ends }: OutputFields, field: number, text: Buffer): boolean {
  const [own, start] = [bytes[field]!, starts[field]!];
  if (start < 0 || ends[field]! - start !== text.length) return false;
  for (let at = 0; at < text.length; at++) if (own[start + at] !== text[at]) return false;
  return true;
}
