/**
 * Changes the case of UTF-8 in place of strings: ASCII, and the letters of the Latin-1 Supplement, whose two cases are two
 * bytes both, 0x20 apart in the second. Everything else, and the two letters that grow (ß, ÿ), is for the slow path.
 */
export interface CaseChange {
  readonly start: number;
  readonly end: number;
  /** The ASCII letters that change. */
  readonly low: number;
  readonly high: number;
  /** Second bytes behind 0xC3 that change, but `kept`, which is a sign (÷ or ×). */
  readonly firstTail: number;
  readonly lastTail: number;
  readonly kept: number;
  readonly flip: number;
}

const latinLead = 0xc3;
const sharpTail = 0x9f;
const lastTailOfAll = 0xbf;

/** Where the text ends in `into`, or -1. */
export function changeCase(from: Uint8Array, change: CaseChange, into: Uint8Array, position: number): number {
  const { start, end, low, high, firstTail, lastTail, kept, flip } = change;
  let to = position;
  for (let at = start; at < end; at++) {
    const byte = from[at]!;
    if (byte < 0x80) into[to++] = byte >= low && byte <= high ? byte + flip : byte;
    else {
      const tail = from[++at]!;
      if (byte !== latinLead || tail === lastTailOfAll || (tail === sharpTail && flip < 0)) return -1;
      into[to++] = latinLead;
      into[to++] = tail >= firstTail && tail <= lastTail && tail !== kept ? tail + flip : tail;
    }
  }
  return to;
}
