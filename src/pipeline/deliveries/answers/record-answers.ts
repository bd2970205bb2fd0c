/**
 * What a downstream said of the records of one batch: a byte for each, in the order of its lines. Words about single records
 * stand against words about many at once. Saying the same again changes nothing, so that answers may be read any number of times.
 */

/** In the lower bits of a byte. */
export const recordWords = { none: 0, pending: 1, accepted: 2, refused: 3 } as const;
export type RecordWord = (typeof recordWords)[keyof typeof recordWords];

const wordBits = 3;
/** It was said of the record by itself. */
const ownBit = 4;

export type Told = 'nothing new' | 'changed' | 'contradicts';

export interface AnswerCounts {
  readonly accepted: number;
  readonly refused: number;
  readonly pending: number;
}

export class RecordAnswers {
  readonly bytes: Buffer;

  /** `known`: as it was kept; empty where nothing was said yet. */
  constructor(known: Uint8Array, records: number) {
    if (known.length !== 0 && known.length !== records) throw new Error('the answers to a batch are not of its records');
    this.bytes = known.length === 0 ? Buffer.alloc(records) : Buffer.from(known);
  }

  /**
   * Of one record. A final word stands: another final one contradicts it, and pending is older news. `isSameFile`: the file that says
   * it said the word about many at once that holds so far, which this one is an exception of.
   */
  tell(position: number, word: RecordWord, isSameFile: boolean): Told {
    const byte = this.bytes[position]!;
    const before = byte & wordBits;
    const isShared = (byte & ownBit) === 0;
    const isException = isShared && isSameFile && before !== recordWords.none;
    if (before === word || before === recordWords.none || before === recordWords.pending || isException) {
      this.bytes[position] = word | ownBit;
      return before === word ? 'nothing new' : 'changed';
    }
    return word === recordWords.pending ? 'nothing new' : 'contradicts';
  }

  /** Of one of many records that a word is about: those that were told of by themselves keep that. */
  tellShared(position: number, word: RecordWord): Told {
    const byte = this.bytes[position]!;
    const before = byte & wordBits;
    if ((byte & ownBit) !== 0 || before === word || word === recordWords.none) return 'nothing new';
    if (before === recordWords.none || before === recordWords.pending) {
      this.bytes[position] = word;
      return 'changed';
    }
    return word === recordWords.pending ? 'nothing new' : 'contradicts';
  }

  counts(): AnswerCounts {
    const counts = [0, 0, 0, 0];
    for (const byte of this.bytes) counts[byte & wordBits]!++;
    return { pending: counts[recordWords.pending]!, accepted: counts[recordWords.accepted]!, refused: counts[recordWords.refused]! };
  }
}
