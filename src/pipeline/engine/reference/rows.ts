/**
 * The raw file as rows, for the reference parser: physical lines first, then what a format makes of them. Rows carry
 * their exact place in the file.
 */
import type { Finding } from '../chunk.ts';

/** A physical line, or a record of a file without line ends. */
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

/** Records of one length with nothing between them; the last one may be shorter. */
export function* readBlocks(pieces: Iterable<Uint8Array>, length: number): Generator<Line> {
  let rest = Buffer.alloc(0);
  let offset = 0;
  for (const piece of pieces) {
    rest = Buffer.concat([rest, piece]);
    for (; rest.length >= length; rest = rest.subarray(length)) {
      yield { offset, bytes: rest.subarray(0, length) };
      offset += length;
    }
  }
  if (rest.length > 0) yield { offset, bytes: rest };
}
