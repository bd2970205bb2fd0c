/**
 * Encodings, for the reference parser: a file of an EBCDIC page becomes one of ISO 8859-1 as it is read, byte for byte, and
 * text of any page is read from there. Shares the tables of the pages with the engine, and nothing else.
 */
import type { FormatPlan } from '../plan.ts';
import { type CodePage, codePages } from '../reference-data/code-pages.ts';
import type { RowProblem } from './rows.ts';

/** NL and LF. */
const ebcdicLineEnds: readonly number[] = [0x15, 0x25];

type Encoding = keyof typeof codePages | 'utf-8';

export function encodingOf(format: FormatPlan): Encoding {
  return format.type === 'json-lines' ? 'utf-8' : (format.encoding ?? 'utf-8');
}

export function hasNoLineEnds(format: FormatPlan): boolean {
  return format.type === 'fixed-width' && format.lineEnds === false;
}

/** Where a record may end: behind one of these bytes of the file, or after every so many. */
export type RecordBorders = { readonly behind: readonly number[] } | { readonly everyBytes: number };

export function bordersOf(format: FormatPlan): RecordBorders {
  if (format.type === 'fixed-width' && hasNoLineEnds(format)) return { everyBytes: format.recordLength! };
  return { behind: (pageOf(format)?.latin1 ?? null) === null ? [0x0a] : ebcdicLineEnds };
}

function pageOf(format: FormatPlan): CodePage | null {
  const encoding = encodingOf(format);
  return encoding === 'utf-8' ? null : codePages[encoding];
}

/** Whether a mark of Unicode at the start can be one: not where ASCII has other bytes, and not where numbers may stand. */
export function mayHaveMark(format: FormatPlan): boolean {
  return !hasNoLineEnds(format) && (pageOf(format)?.latin1 ?? null) === null;
}

/** Whatever ends a line becomes LF, in a file that has lines. */
export function* readPage(format: FormatPlan, pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  const latin1 = pageOf(format)?.latin1 ?? null;
  if (latin1 === null) {
    yield* pieces;
    return;
  }
  const hasLines = !hasNoLineEnds(format);
  for (const piece of pieces) {
    yield Uint8Array.from(piece, (byte) =>
      hasLines && ebcdicLineEnds.includes(byte) ? 0x0a : Number.parseInt(latin1.slice(2 * byte, 2 * byte + 2), 16),
    );
  }
}

/** Bytes as they stand in a file without line ends. */
export function fileBytes(format: FormatPlan, bytes: Buffer): Buffer {
  const latin1 = pageOf(format)?.latin1 ?? null;
  if (latin1 === null) return bytes;
  const places = latin1.match(/../g)!;
  return Buffer.from(Array.from(bytes, (byte) => places.indexOf(byte.toString(16).padStart(2, '0'))));
}

export function textOf(format: FormatPlan, bytes: Buffer): string {
  const page = pageOf(format);
  if (page === null) return bytes.toString('utf8');
  return Array.from(bytes, (byte) => (byte in page.differences ? (page.differences[byte] ?? '\ufffd') : String.fromCharCode(byte))).join(
    '',
  );
}

/** Whether text can be read at all: its bytes first, then NUL. `before`: bytes of the record that stand before it. */
export function findTextProblem(format: FormatPlan, content: Buffer, before = 0): RowProblem | null {
  return findByteProblem(format, content, before) ?? (content.includes(0) ? { code: 'E_CHARACTER', message: 'NUL character' } : null);
}

export function findByteProblem(format: FormatPlan, content: Buffer, before: number): RowProblem | null {
  const page = pageOf(format);
  if (page !== null) {
    const at = content.findIndex((byte) => page.differences[byte] === null);
    if (at < 0) return null;
    return { code: 'E_ENCODING', message: `byte ${before + at} of the record is no character of ${encodingOf(format)}` };
  }
  try {
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
    return null;
  } catch {
    return { code: 'E_ENCODING', message: `byte ${before + firstInvalidByte(content)} of the record starts no valid UTF-8 sequence` };
  }
}

/** A decoder puts U+FFFD where a sequence is not valid; the content may hold one of its own. */
function firstInvalidByte(content: Buffer): number {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(content);
  const own = Buffer.from('\ufffd');
  let [offset, from] = [0, 0];
  for (let at = text.indexOf('\ufffd'); at >= 0; at = text.indexOf('\ufffd', from)) {
    offset += Buffer.byteLength(text.slice(from, at));
    if (!content.subarray(offset, offset + own.length).equals(own)) break;
    offset += own.length;
    from = at + 1;
  }
  return offset;
}
