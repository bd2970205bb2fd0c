/**
 * Cuts bytes that come in pieces of any size into lines, ended by LF or CRLF, by CR where the first bytes have no LF, or into records of one width where a file has
 * no line ends. Keeps one line at most, and of that no more than a bound; the pieces change nothing. A UTF-8 byte order mark
 * is left out. What a line means is its caller's.
 */
import { Buffer } from 'node:buffer';

const lineFeed = 10;
const carriageReturn = 13;
/** So much is collected before the first line is given out: enough to see how the file is cut. */
const headBytes = 4096;

export interface PhysicalLine {
  /** Valid during the call only. */
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** From 1. */
  readonly line: number;
  /** In the file, of the first byte. */
  readonly offset: number;
  /** It is longer than the bound: what follows is not in `bytes`. */
  readonly isCut: boolean;
}

export interface LineOptions {
  readonly lineBytesMax: number;
  /** Bytes of each record, seen from the first bytes of a file; null: there are line ends. */
  readonly widthOf?: (head: Buffer) => number | null;
  readonly onLine: (line: PhysicalLine) => void;
}

/** The one object that is given out again and again: a line costs no allocation. */
interface MutableLine {
  bytes: Buffer;
  start: number;
  end: number;
  line: number;
  offset: number;
  isCut: boolean;
}

export class PhysicalLines {
  readonly #options: LineOptions;
  readonly #given: MutableLine = { bytes: Buffer.alloc(0), start: 0, end: 0, line: 0, offset: 0, isCut: false };
  #head: Buffer | null = Buffer.alloc(0);
  #width: number | null = null;
  #lineEnd = lineFeed;
  readonly #carry: Buffer;
  /** Of the line that is not ended yet, with what no longer fits. */
  #carried = 0;
  #offset = 0;

  constructor(options: LineOptions) {
    this.#options = options;
    this.#carry = Buffer.allocUnsafe(options.lineBytesMax);
  }

  push(piece: Uint8Array): void {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    if (this.#head === null) this.#feed(bytes, 0);
    else {
      this.#head = Buffer.concat([this.#head, bytes]);
      if (this.#head.length >= headBytes) this.#begin();
    }
  }

  end(): void {
    if (this.#head !== null) this.#begin();
    if (this.#carried > 0) this.#giveCarried();
  }

  #begin(): void {
    const head = this.#head!;
    this.#head = null;
    const start = head.length >= 3 && head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 3 : 0;
    this.#offset = start;
    // No more than that, however much has come: pieces decide nothing.
    const seen = head.subarray(start, headBytes);
    this.#width = this.#options.widthOf?.(seen) ?? null;
    if (!seen.includes(lineFeed) && seen.subarray(0, -1).includes(carriageReturn)) this.#lineEnd = carriageReturn;
    this.#feed(head, start);
  }

  #feed(bytes: Buffer, from: number): void {
    while (from < bytes.length) {
      if (this.#width !== null && this.#carried === 0 && (bytes[from] === lineFeed || bytes[from] === carriageReturn)) {
        from++;
        this.#offset++;
        continue;
      }
      const end = this.#width === null ? bytes.indexOf(this.#lineEnd, from) : from + this.#width - this.#carried;
      if (end < 0 || end > bytes.length) {
        this.#keep(bytes, from, bytes.length);
        return;
      }
      const next = this.#width === null ? end + 1 : end;
      if (this.#carried === 0) this.#give(bytes, from, end - from, next - from);
      else {
        this.#keep(bytes, from, end);
        this.#giveCarried(next - end);
      }
      from = next;
    }
  }

  #keep(bytes: Buffer, from: number, to: number): void {
    const room = this.#carry.length - this.#carried;
    if (room > 0) bytes.copy(this.#carry, this.#carried, from, Math.min(to, from + room));
    this.#carried += to - from;
  }

  #giveCarried(endBytes = 0): void {
    const length = this.#carried;
    this.#carried = 0;
    this.#give(this.#carry, 0, length, length + endBytes);
  }

  #give(bytes: Buffer, start: number, length: number, consumed: number): void {
    const given = this.#given;
    given.isCut = length > this.#carry.length;
    const kept = given.isCut ? this.#carry.length : length;
    const endsInReturn = !given.isCut && kept > 0 && bytes[start + kept - 1] === carriageReturn;
    given.bytes = bytes;
    given.start = start;
    given.end = start + kept - (endsInReturn ? 1 : 0);
    given.line++;
    given.offset = this.#offset;
    this.#offset += consumed;
    this.#options.onLine(given);
  }
}
