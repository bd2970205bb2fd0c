/**
 * The raw file as rows, for the reference parser: physical lines first, then what a format makes of them. Rows carry
 * their exact place in the file.
 */
import type { Finding } from '../chunk.ts';

/** A physical line. */
export interface Line {
  readonly offset: number;
  /** With its line feed, where it has one. */
  readonly bytes: Buffer;
}

export interface Row {
  readonly offset: number;
  /** Bytes in the file, line end included. */
  readonly length: number;
  /** Without its line end. */
  readonly content: Buffer;
  /** Of a delimited row whose quotes are sound. */
  readonly cells: readonly string[] | null;
  readonly problem: RowProblem | null;
  /** The file ends inside the quotes of this row. */
  readonly isOpen: boolean;
}

export interface RowProblem {
  readonly code: string;
  readonly message: string;
}

/** The file cannot be read beyond `finding`. */
export class FileDamage extends Error {
  readonly finding: Finding;

  constructor(finding: Finding) {
    super(finding.code);
    this.finding = finding;
  }
}

export function damage(code: string, place: { record: number; offset: number; field?: string }, message: string): Finding {
  return { record: place.record, offset: place.offset, code, field: place.field ?? null, rule: null, message };
}

export const lineFeed = 0x0a;
export const carriageReturn = 0x0d;

/** The lines of a file from its first byte on. A line longer than `bytesMax` comes without its end, as the last one. */
export function* readLines(pieces: Iterable<Uint8Array>, bytesMax: number): Generator<Line> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  let offset = 0;
  for (const piece of pieces) {
    const bytes = Buffer.from(piece);
    let start = 0;
    for (let end = bytes.indexOf(lineFeed); end >= 0; end = bytes.indexOf(lineFeed, start)) {
      const line = Buffer.concat([...rest, bytes.subarray(start, end + 1)]);
      yield { offset, bytes: line };
      offset += line.length;
      start = end + 1;
      rest = [];
      restBytes = 0;
    }
    rest.push(bytes.subarray(start));
    restBytes += bytes.length - start;
    if (restBytes > bytesMax) break;
  }
  if (restBytes > 0) yield { offset, bytes: Buffer.concat(rest) };
}

/** Whether a row's text can be read at all: UTF-8 first, then NUL. */
export function findTextProblem(content: Buffer): RowProblem | null {
  try {
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return { code: 'E_ENCODING', message: `byte ${firstInvalidByte(content)} of the record starts no valid UTF-8 sequence` };
  }
  return content.includes(0) ? { code: 'E_CHARACTER', message: 'NUL character' } : null;
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
