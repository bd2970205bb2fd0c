/**
 * The answers of one batch as columns of numbers over their bytes, to be found by the key of a record or of a group. Nothing is made
 * of a good answer but bytes: its key, its group, which file it names, and what its word means. Hashes have a key of their own, so
 * that nobody can make answers that collide.
 */
import type { OutputFields } from '../../engine/bodies/output-fields.ts';
import { KeyHash } from '../../engine/outcomes/key-hash.ts';
import { answerLevels } from './answer-levels.ts';
import { AnswerLookup, type NamedAnswers } from './answer-lookup.ts';
import type { AnswerSettings } from './answer-settings.ts';
import { type RecordWord, recordWords, unclearBit } from './record-answers.ts';

export type AnswerProblem = 'no name' | 'unknown status';

/** Order of the chosen fields. */
const fields = { file: 0, group: 1, key: 2, status: 3, reason: 4, level: 5 } as const;
const ofOne = Buffer.from('transaction');
const none = -1;

/** Codes as downstreams use them; anything else may be words about a person, and stays in the answer. */
const reasonCode = /^[A-Za-z0-9][A-Za-z0-9._-]{0,34}$/;
/** Of a name of a file, or of the id of a message. */
const fileBytesMax = 500;

export class AnswerTable implements NamedAnswers {
  /** By answer; with `unclearBit` the word of one that leaves open what it may be about. */
  readonly level: Uint8Array;
  readonly word: Uint8Array;
  /** 1: the word is about those of many that are not listed. */
  readonly partial: Uint8Array;
  /** Index into `files`; -1: it names none. */
  readonly file: Int32Array;
  readonly files: string[] = [];
  /** Of answers that can't be matched whatever was sent. */
  readonly problems = new Map<number, AnswerProblem>();
  /** Of answers that refuse, where they say why with a code. */
  readonly reasons = new Map<number, string>();
  length = 0;

  readonly #words: readonly AnswerMeaning[];
  readonly #eachIsOfOne: boolean;
  readonly #hash: KeyHash;
  readonly #fileIndexes = new Map<string, number>();
  /** Keys and groups, where they start and end. */
  #bytes = Buffer.allocUnsafe(64 * 1024);
  #used = 0;
  readonly keyStarts: Int32Array;
  readonly keyEnds: Int32Array;
  readonly groupStarts: Int32Array;
  readonly groupEnds: Int32Array;
  readonly #hasOf = { key: false, group: false };
  /** Whether records are named by their group too; made when it is asked for. */
  readonly #lookups = new Map<boolean, AnswerLookup>();

  /** `answers`: how many there will be, at most. `hashKey`: 16 random bytes. */
  constructor(answers: number, settings: AnswerSettings, hashKey: Uint8Array) {
    const { accepted, refused, pending, partial, unlisted, about } = settings;
    this.level = new Uint8Array(answers);
    this.word = new Uint8Array(answers);
    this.partial = new Uint8Array(answers);
    this.file = new Int32Array(answers).fill(none);
    [this.keyStarts, this.keyEnds] = [new Int32Array(answers).fill(none), new Int32Array(answers)];
    [this.groupStarts, this.groupEnds] = [new Int32Array(answers).fill(none), new Int32Array(answers)];
    this.#hash = new KeyHash(hashKey);
    this.#eachIsOfOne = about === 'records';
    const meaning = (texts: readonly string[], word: RecordWord, isPartial = false) =>
      texts.map((text) => ({ bytes: Buffer.from(text, 'utf8'), word, isPartial }));
    this.#words = [
      ...meaning(accepted, recordWords.accepted),
      ...meaning(refused, recordWords.refused),
      ...meaning(pending, recordWords.pending),
      ...meaning(partial, unlisted === 'unanswered' ? recordWords.none : recordWords[unlisted], true),
    ];
  }

  /** The next answer; `read`: file, group, key, status, reason and level of it, in this order. */
  add(read: OutputFields): void {
    const answer = this.length++;
    let level: number = answerLevels.file;
    if (hasText(read, fields.file)) this.file[answer] = this.#fileOf(read, answer);
    if (hasText(read, fields.group)) {
      level = answerLevels.group;
      this.groupStarts[answer] = this.#keep(read, fields.group);
      this.groupEnds[answer] = this.#used;
    }
    if (hasText(read, fields.key)) {
      level = answerLevels.record;
      this.keyStarts[answer] = this.#keep(read, fields.key);
      this.keyEnds[answer] = this.#used;
    }
    this.level[answer] = level;
    const meant = this.#meaningOf(read);
    // What is said of one record that is not named must never be taken for what is said of many.
    const isNameless = level !== answerLevels.record && (this.#eachIsOfOne || isSame(read, fields.level, ofOne));
    if (isNameless || (level === answerLevels.file && this.file[answer] === none)) this.problems.set(answer, 'no name');
    else if (meant === undefined || (meant.isPartial && level === answerLevels.record)) this.problems.set(answer, 'unknown status');
    const isNamed = this.problems.get(answer) !== 'no name';
    // What it says is not known, and so is what becomes of what it is about.
    const word = this.problems.get(answer) === 'unknown status' ? recordWords.pending : (meant?.word ?? recordWords.none);
    this.word[answer] = isNamed ? word : word | unclearBit;
    if (level === answerLevels.record) this.#hasOf.key = true;
    else if (level === answerLevels.group) this.#hasOf.group = true;
    if (this.problems.has(answer)) return;
    this.partial[answer] = meant!.isPartial ? 1 : 0;
    if (meant!.word === recordWords.refused && hasText(read, fields.reason)) this.#keepReason(read, answer);
  }

  /** After the last answer. */
  lookup(isGrouped: boolean): AnswerLookup {
    let lookup = this.#lookups.get(isGrouped);
    if (lookup === undefined) {
      lookup = new AnswerLookup(this, this.#hash, isGrouped);
      this.#lookups.set(isGrouped, lookup);
    }
    return lookup;
  }

  /** Of keys and groups. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get hasGroups(): boolean {
    return this.#hasOf.group;
  }

  get hasKeys(): boolean {
    return this.#hasOf.key;
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
}

interface AnswerMeaning {
  readonly bytes: Buffer;
  readonly word: RecordWord;
  readonly isPartial: boolean;
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
