/**
 * What a downstream said of the records of one batch: a byte for each, in the order of its lines. Words about single records
 * stand against words about many at once, and in one file those about a group against those about the file as a whole; but that one
 * is pending stands only against what the same file says of many. Saying the same again changes nothing, so that answers may be
 * read any number of times.
 */

/** In the lower bits of a byte. */
export const recordWords = { none: 0, pending: 1, accepted: 2, refused: 3 } as const;
export type RecordWord = (typeof recordWords)[keyof typeof recordWords];

const wordBits = 3;
/** In a column of answers: of one of which it is not clear which record it is about, or what it says; with what it says below. */
export const unclearBit = 4;

/** It was said of the record by itself. */
const ownBit = 4;
/** It was said of many at once by the file that did so last; beside `ownBit`, that the record is pending was said by this file. */
const sharerBit = 8;
/** And that was about the file as a whole. */
const wholeBit = 16;

/** `taken back`: changed, and it was refused before. */
export type Told = 'nothing new' | 'changed' | 'taken back' | 'contradicts';

export interface AnswerCounts {
  readonly accepted: number;
  readonly refused: number;
  readonly pending: number;
}

export class RecordAnswers {
  readonly bytes: Buffer;
  #isSharer: boolean;
  readonly #before: Uint8Array;

  /** `known`: as it was kept; empty where nothing was said yet. `isSharer`: the file that answers now said the last word about many at once. */
  constructor(known: Uint8Array, records: number, isSharer: boolean) {
    if (known.length !== 0 && known.length !== records) throw new Error('the answers to a batch are not of its records');
    this.bytes = known.length === 0 ? Buffer.alloc(records) : Buffer.from(known);
    this.#before = known;
    this.#isSharer = isSharer;
  }

  /** What the file that answers now says of many at once is the last such word from now on, or was before. */
  get isSharer(): boolean {
    return this.#isSharer;
  }

  /** Something else stands than was known: what was said of many and taken back for one is no news. */
  get hasNews(): boolean {
    return this.bytes.some((byte, position) => (byte & wordBits) !== ((this.#before[position] ?? 0) & wordBits));
  }

  /**
   * Of one record. A final word stands: another final one contradicts it, and pending is older news. But what a file says of many at
   * once is what it says of those that it does not name by themselves.
   */
  tell(position: number, word: RecordWord): Told {
    const byte = this.bytes[position]!;
    const before = byte & wordBits;
    if (before === word) {
      this.#keepOwn(position, word);
      return 'nothing new';
    }
    const isException = this.#isSharer && (byte & sharerBit) !== 0;
    if (before === recordWords.none || before === recordWords.pending || isException) {
      this.#keepOwn(position, word);
      return before === recordWords.refused ? 'taken back' : 'changed';
    }
    return word === recordWords.pending ? 'nothing new' : 'contradicts';
  }

  /** What may be about the record, as far as that is known `said`: it is pending, but where the same file says so of many. */
  tellUnclear(position: number, said: number): Told {
    const byte = this.bytes[position]!;
    const isShared = this.#isSharer && (byte & (sharerBit | ownBit)) === sharerBit;
    return isShared && said === (byte & wordBits) ? 'nothing new' : this.tell(position, recordWords.pending);
  }

  /**
   * Of one of many records that a word is about: those that were told of by themselves keep that, but those that are pending only in
   * the same file, or where it is said of what is not listed. `of`: of a group, or of the file as a whole; what a file says of a whole
   * is what it says of those whose group it does not name.
   */
  tellShared(position: number, word: RecordWord, { of, isPartial }: { readonly of: 'group' | 'file'; readonly isPartial: boolean }): Told {
    const byte = this.bytes[position]!;
    const before = byte & wordBits;
    const isOfThisFile = this.#isSharer && (byte & sharerBit) !== 0;
    const isSettled = before === recordWords.pending && word !== recordWords.pending && !isOfThisFile && !isPartial;
    if (word === recordWords.none || ((byte & ownBit) !== 0 && !isSettled)) return 'nothing new';
    const isOfWhole = (byte & wholeBit) !== 0;
    if (isOfThisFile && !isOfWhole && of === 'file') return 'nothing new';
    if (before === word) {
      if (isOfThisFile && of === 'group') this.bytes[position]! &= ~wholeBit;
      return 'nothing new';
    }
    const isException = isOfThisFile && isOfWhole && of === 'group';
    if (before === recordWords.none || before === recordWords.pending || isException) {
      this.#becomeSharer();
      this.bytes[position] = word | sharerBit | (of === 'file' ? wholeBit : 0);
      return before === recordWords.refused ? 'taken back' : 'changed';
    }
    return word === recordWords.pending ? 'nothing new' : 'contradicts';
  }

  /**
   * Of one of a group whose records are told of one by one, and what the others are is not said: the group is named, so that what this
   * file says of the whole is not said of it.
   */
  tellListed(position: number): Told {
    const byte = this.bytes[position]!;
    const before = byte & wordBits;
    if (this.#isSharer && (byte & sharerBit) !== 0) {
      if ((byte & wholeBit) === 0) return 'nothing new';
      this.bytes[position] = sharerBit;
      return before === recordWords.refused ? 'taken back' : 'changed';
    }
    if (before !== recordWords.none && before !== recordWords.pending) return 'nothing new';
    this.#becomeSharer();
    this.bytes[position] = (byte & (wordBits | ownBit)) | sharerBit;
    return 'nothing new';
  }

  #keepOwn(position: number, word: RecordWord): void {
    const isPending = word === recordWords.pending;
    if (isPending) this.#becomeSharer();
    this.bytes[position] = word | ownBit | (isPending ? sharerBit : 0);
  }

  #becomeSharer(): void {
    if (this.#isSharer) return;
    this.#isSharer = true;
    for (let position = 0; position < this.bytes.length; position++) this.bytes[position]! &= ~(sharerBit | wholeBit);
  }

  counts(): AnswerCounts {
    const counts = [0, 0, 0, 0];
    for (const byte of this.bytes) counts[byte & wordBits]!++;
    return { pending: counts[recordWords.pending]!, accepted: counts[recordWords.accepted]!, refused: counts[recordWords.refused]! };
  }
}
