/**
 * Where a record ends, for the slow path: the same state machine as the splitter's, started at a record's first byte
 * (docs/record-rules.md, section 1).
 */
import type { DelimitedPlan, FormatPlan } from '../plan.ts';
import { isWithoutLineEnds } from './window-bytes.ts';

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * Index of the LF that ends the record starting at `start`, or -1 when it lies at or beyond `end`. Without line ends: the
 * index behind the record, or -1 when that lies beyond `end`.
 */
type EndFinder = (bytes: Uint8Array, start: number, end: number) => number;

export interface RecordEnds {
  readonly find: EndFinder;
  /** Bytes from the index found to the next record: 1, or 0 without line ends. */
  readonly endBytes: 0 | 1;
  /** End of the content: before the CR of a CR LF. `end`: the index found, or where the bytes of the file end. */
  contentEnd(bytes: Uint8Array, start: number, end: number): number;
}

export function createRecordEnds(format: FormatPlan): RecordEnds {
  if (format.type === 'fixed-width' && isWithoutLineEnds(format)) return createLengthEnds(format.recordLength!);
  const find = format.type !== 'delimited' || format.quote === null ? findLineFeed : createQuotedEndFinder(format, format.quote);
  return { find, endBytes: 1, contentEnd };
}

function createLengthEnds(recordLength: number): RecordEnds {
  return {
    find: (_bytes, start, end) => (start + recordLength <= end ? start + recordLength : -1),
    endBytes: 0,
    contentEnd: (_bytes, _start, end) => end,
  };
}

function findLineFeed(bytes: Uint8Array, start: number, end: number): number {
  const found = bytes.indexOf(lineFeed, start);
  return found >= end ? -1 : found;
}

function createQuotedEndFinder(format: DelimitedPlan, quote: number): EndFinder {
  const { delimiter } = format;
  const doubled = format.escape === quote;
  const marks = { quote, doubled, escape: doubled ? null : format.escape };
  return (bytes, start, end) => {
    let index = start;
    while (index < end) {
      if (bytes[index] === quote) {
        index = skipQuoted(bytes, index + 1, end, marks);
        if (index < 0) return -1;
      }
      while (index < end && bytes[index] !== delimiter && bytes[index] !== lineFeed) index++;
      if (index >= end) return -1;
      if (bytes[index] === lineFeed) return index;
      index++;
    }
    return -1;
  };
}

/** Index after the closing quote, or -1 when the quotes are open at `end`. */
function skipQuoted(
  bytes: Uint8Array,
  start: number,
  end: number,
  marks: { readonly quote: number; readonly doubled: boolean; readonly escape: number | null },
): number {
  for (let index = start; index < end; index++) {
    const byte = bytes[index];
    if (byte === marks.escape) index++;
    else if (byte === marks.quote) {
      if (!marks.doubled || bytes[index + 1] !== marks.quote || index + 1 >= end) return index + 1;
      index++;
    }
  }
  return -1;
}

function contentEnd(bytes: Uint8Array, start: number, lineFeedAt: number): number {
  return lineFeedAt > start && bytes[lineFeedAt - 1] === carriageReturn ? lineFeedAt - 1 : lineFeedAt;
}

/** Whether the record that starts at `start` is inside quotes at `end`. */
export function endsInQuotes(format: FormatPlan, bytes: Uint8Array, start: number, end: number): boolean {
  if (format.type !== 'delimited' || format.quote === null) return false;
  const { quote, delimiter } = format;
  const doubled = format.escape === quote;
  const marks = { quote, doubled, escape: doubled ? null : format.escape };
  for (let index = start; index < end; ) {
    if (bytes[index] === quote) {
      index = skipQuoted(bytes, index + 1, end, marks);
      if (index < 0) return true;
    }
    while (index < end && bytes[index] !== delimiter) index++;
    index++;
  }
  return false;
}
