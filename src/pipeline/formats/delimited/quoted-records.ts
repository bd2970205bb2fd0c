/**
 * Where a delimited record ends when it holds quotes: the states field start, unquoted, quoted and after quote of
 * `docs/record-rules.md`, section 1, over bytes. Used by the splitter only; engine and reference parser have their own.
 */
import type { DelimitedPlan } from '../../engine/plan.ts';

const lineFeed = 10;
const carriageReturn = 13;

/** `open`: the bytes end inside quotes. `isSound`: no quote is where the format allows none. */
export interface RecordEnd {
  end: number;
  isOpen: boolean;
  isSound: boolean;
}

/**
 * Finds the LF that ends the record which starts at `start`, or the end of the bytes. `result` is written, not made anew.
 * `quoteAt` is the record's first quote byte.
 */
export function findRecordEnd(bytes: Buffer, start: number, quoteAt: number, format: DelimitedPlan, result: RecordEnd): void {
  const { delimiter, escape: escapeByte } = format;
  const quote = format.quote!;
  const limit = bytes.length;
  let at = quoteAt;
  result.isOpen = false;
  result.isSound = true;
  for (;;) {
    // Unquoted up to here, so a quote that follows a delimiter or the record's start opens a field.
    if (at === start || bytes[at - 1] === delimiter) {
      const close =
        escapeByte === quote || escapeByte === null
          ? closeDoubled(bytes, at + 1, quote, escapeByte !== null)
          : closeEscaped(bytes, at + 1, quote, escapeByte);
      if (close >= limit) {
        result.isOpen = true;
        break;
      }
      at = close + 1;
      const next = bytes[at];
      const isEnd =
        next === delimiter ||
        next === lineFeed ||
        at === limit ||
        (next === carriageReturn && (bytes[at + 1] === lineFeed || at + 1 === limit));
      if (!isEnd) result.isSound = false;
    } else {
      result.isSound = false;
      at++;
    }
    while (at < limit && bytes[at] !== lineFeed && bytes[at] !== quote) at++;
    if (at >= limit || bytes[at] === lineFeed) {
      result.end = at;
      return;
    }
  }
  result.end = limit;
}

/** The index of the closing quote, or the end of the bytes. */
function closeDoubled(bytes: Buffer, from: number, quote: number, isDoubled: boolean): number {
  const limit = bytes.length;
  let at = from;
  for (;;) {
    while (at < limit && bytes[at] !== quote) at++;
    if (at >= limit || !isDoubled || bytes[at + 1] !== quote) return at;
    at += 2;
  }
}

function closeEscaped(bytes: Buffer, from: number, quote: number, escapeByte: number): number {
  const limit = bytes.length;
  let at = from;
  while (at < limit && bytes[at] !== quote) at += bytes[at] === escapeByte ? 2 : 1;
  return Math.min(at, limit);
}
