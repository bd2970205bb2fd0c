/**
 * Finds the answers of a batch by the bytes that they name. Of those that say the same of the same only one is found, which stands
 * for the others: where many records have one name, as `NOTPROVIDED`, and as many answers are about it, each record has as many
 * answers as there are words, and not as many as were said.
 */
import type { KeyHash } from '../../engine/outcomes/key-hash.ts';
import { answerLevels } from './answer-levels.ts';

const none = -1;

/** Answers by their number, in columns. A start of -1: it names none. */
export interface NamedAnswers {
  readonly length: number;
  readonly level: Uint8Array;
  readonly word: Uint8Array;
  readonly file: Int32Array;
  readonly keyStarts: Int32Array;
  readonly keyEnds: Int32Array;
  readonly groupStarts: Int32Array;
  readonly groupEnds: Int32Array;
  /** Of keys and groups. */
  readonly bytes: Uint8Array;
}

/** Bytes that name something, used again for the next; a start of -1: there are none. */
export class NameRange {
  bytes: Uint8Array = new Uint8Array(0);
  start = none;
  end = none;

  set(bytes: Uint8Array, start: number, end: number): this {
    [this.bytes, this.start, this.end] = [bytes, start, end];
    return this;
  }
}

const nothing = new NameRange();

export class AnswerLookup {
  readonly #answers: NamedAnswers;
  readonly #hash: KeyHash;
  readonly #isGrouped: boolean;
  /** By slot: the first and the last of a name, of those that are found. */
  readonly #heads: Int32Array;
  readonly #tails: Int32Array;
  /** By slot: the first that says a word of a name in a file. */
  readonly #firsts: Int32Array;
  /** By answer that is found: the next one of its name. */
  readonly #next: Int32Array;
  /** By answer: the next one that says the same; by the first of them the last one, and the first that is free. */
  readonly #repeats: Int32Array;
  readonly #lastRepeats: Int32Array;
  readonly #free: Int32Array;
  readonly #key = new NameRange();
  readonly #group = new NameRange();
  /** About files as a whole. */
  readonly wholes: number[] = [];

  /** `isGrouped`: a record is named by its group too, where an answer names that. `hash` is used while the lookup is. */
  constructor(answers: NamedAnswers, hash: KeyHash, isGrouped: boolean) {
    const { length } = answers;
    let slots = 16;
    while (slots < 2 * length) slots *= 2;
    this.#answers = answers;
    this.#hash = hash;
    this.#isGrouped = isGrouped;
    [this.#heads, this.#tails, this.#firsts] = [column(slots), column(slots), column(slots)];
    [this.#next, this.#repeats, this.#lastRepeats] = [column(length), column(length), column(length)];
    this.#free = Int32Array.from({ length }, (_, answer) => answer);
    for (let answer = 0; answer < length; answer++)
      if (answers.level[answer] !== answerLevels.file || answers.file[answer] !== none) this.#add(answer);
  }

  /** The first answer about the record, about any of its group where the lookup is not grouped; -1: there is none. */
  firstOfKey(key: NameRange, group: NameRange): number {
    return this.#heads[this.#slotOf(answerLevels.record, key, this.#isGrouped ? group : nothing)]!;
  }

  firstOfGroup(group: NameRange): number {
    return this.#heads[this.#slotOf(answerLevels.group, nothing, group)]!;
  }

  /** The next answer about the same, in the order of the file; it says something else. */
  next(answer: number): number {
    return this.#next[answer]!;
  }

  /** Of those that say the same as one that was found the first that is free; -1: none is. What is not free once is never again. */
  firstFree(found: number, isFree: (answer: number) => boolean): number {
    let answer = this.#free[found]!;
    while (answer !== none && !isFree(answer)) answer = this.#repeats[answer]!;
    this.#free[found] = answer;
    return answer;
  }

  /** The next one that says the same of the same; -1: none does. */
  nextRepeat(answer: number): number {
    return this.#repeats[answer]!;
  }

  #add(answer: number): void {
    const { level, file, word, keyStarts, keyEnds, groupStarts, groupEnds, bytes } = this.#answers;
    const isOfRecord = level[answer] === answerLevels.record;
    const isInGroup = level[answer] === answerLevels.group || (isOfRecord && this.#isGrouped);
    const key = isOfRecord ? this.#key.set(bytes, keyStarts[answer]!, keyEnds[answer]!) : nothing;
    const group = isInGroup ? this.#group.set(bytes, groupStarts[answer]!, groupEnds[answer]!) : nothing;
    const slot = this.#slotOf(level[answer]!, key, group);
    const said = Math.imul(file[answer]! + 1, 0x9e3779b1) + word[answer]!;
    for (let at = (slot + said) & (this.#firsts.length - 1); ; at = (at + 1) & (this.#firsts.length - 1)) {
      const first = this.#firsts[at]!;
      if (first === none) {
        this.#firsts[at] = answer;
        break;
      }
      if (file[first] !== file[answer] || word[first] !== word[answer] || !this.#isNamed(first, level[answer]!, key, group)) continue;
      const last = this.#lastRepeats[first]!;
      this.#repeats[last === none ? first : last] = answer;
      this.#lastRepeats[first] = answer;
      return;
    }
    if (level[answer] === answerLevels.file) this.wholes.push(answer);
    if (this.#heads[slot] === none) this.#heads[slot] = answer;
    else this.#next[this.#tails[slot]!] = answer;
    this.#tails[slot] = answer;
  }

  /** Of the name, or free for it. */
  #slotOf(level: number, key: NameRange, group: NameRange): number {
    const mask = this.#heads.length - 1;
    const hash = (level + Math.imul(this.#hashOf(key), 0x85ebca6b) + Math.imul(this.#hashOf(group), 0xc2b2ae35)) >>> 0;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const head = this.#heads[slot]!;
      if (head === none || this.#isNamed(head, level, key, group)) return slot;
    }
  }

  #hashOf({ bytes, start, end }: NameRange): number {
    if (start < 0) return 0;
    this.#hash.hash(bytes, start, end);
    return this.#hash.low | 0;
  }

  #isNamed(answer: number, level: number, key: NameRange, group: NameRange): boolean {
    const { keyStarts, keyEnds, groupStarts, groupEnds } = this.#answers;
    if (this.#answers.level[answer] !== level) return false;
    const isInGroup = level === answerLevels.group || (level === answerLevels.record && this.#isGrouped);
    if (isInGroup && !this.#isAt(groupStarts[answer]!, groupEnds[answer]!, group)) return false;
    return level !== answerLevels.record || this.#isAt(keyStarts[answer]!, keyEnds[answer]!, key);
  }

  #isAt(from: number, to: number, { bytes, start, end }: NameRange): boolean {
    if (start < 0 || from < 0) return start < 0 && from < 0;
    if (to - from !== end - start) return false;
    const own = this.#answers.bytes;
    for (let at = start; at < end; at++) if (own[from + at - start] !== bytes[at]) return false;
    return true;
  }
}

const column = (length: number): Int32Array<ArrayBuffer> => new Int32Array(length).fill(none);
