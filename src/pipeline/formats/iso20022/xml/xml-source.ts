/**
 * The bytes of a document that are not yet read, as UTF-8, and where they lie in the file. Guarantees that pieces of any size
 * cost linear time: a token that is cut is looked at again only when twice as much of it is there. Knows encodings, lines and
 * offsets; of markup it knows nothing.
 */
import { Utf16Decoder, utf16Width } from './utf16.ts';
import { xmlErrors } from './xml-errors.ts';

/** A place in the file: line and column from 1, column and offset in bytes of the file. */
export interface XmlPlace {
  readonly line: number;
  readonly column: number;
  readonly offset: number;
}

/** Ends the reading: thrown where it is found, caught by the reader. `at` is an index of `XmlSource.bytes`. */
export class XmlFault {
  readonly code: string;
  readonly rule: string;
  readonly at: number;
  readonly message: string;

  constructor(code: string, rule: string, at: number, message: string) {
    this.code = code;
    this.rule = rule;
    this.at = at;
    this.message = message;
  }
}

/** Enough to tell every encoding by its first bytes. */
const markBytes = 4;

export class XmlSource {
  bytes: Buffer = Buffer.allocUnsafe(64 * 1024);
  /** How much of `bytes` is there. */
  length = 0;
  /** First byte of the token that is read. */
  cursor = 0;
  isLast = false;
  /** Of the token's first byte. */
  line = 1;
  /** Offset in the file of the first byte of `line`. */
  lineStart = 0;
  encoding: 'unknown' | 'UTF-8' | 'UTF-16' = 'unknown';
  /** Another one whenever what is there is at other indexes than before. */
  generation = 0;
  #decoder: Utf16Decoder | null = null;
  #wanted = markBytes;
  /** Offset in the file of the first byte of `bytes`; in UTF-16, what `cursor` has to be added to. */
  #base = 0;

  /** False: more is needed before it is worth looking again. */
  append(piece: Uint8Array): boolean {
    this.#store(this.#decoder === null ? piece : this.#decoder.decode(piece));
    if (this.encoding === 'unknown' && this.length >= markBytes) this.#recogniseEncoding();
    return this.length - this.cursor >= this.#wanted;
  }

  finish(): void {
    if (this.encoding === 'unknown') this.#recogniseEncoding();
    if (this.#decoder !== null) this.#store(this.#decoder.end());
    this.isLast = true;
  }

  /** Called when the token at the cursor is cut by the end of what is there. */
  awaitMore(): void {
    this.#wanted = Math.max(1, (this.length - this.cursor) * 2);
  }

  /** The token ends before `to`; `lastFeed` is the last of its `lines` line feeds. */
  consume(to: number, lines: number, lastFeed: number): void {
    if (lines > 0) {
      this.line += lines;
      this.lineStart = this.offset + this.#width(this.cursor, lastFeed + 1);
    }
    if (this.#decoder !== null) this.#base += this.#width(this.cursor, to) - (to - this.cursor);
    this.cursor = to;
  }

  /** Goes on at `to`, in a line that is known. Not for UTF-16. */
  jump(to: number, line: number, lineStart: number): void {
    this.line = line;
    this.lineStart = lineStart;
    this.cursor = to;
  }

  /** Offset in the file of a byte that is there. Not for UTF-16. */
  offsetOf(index: number): number {
    return this.#base + index;
  }

  /** Keeps what is not yet read in this buffer from now on, as long as it is large enough. False: it is not. */
  moveTo(target: Buffer): boolean {
    const kept = this.length - this.cursor;
    if (kept > target.length) return false;
    this.#moveTo(target, kept);
    return true;
  }

  /** As `consume`, for tokens in which line feeds are rare. */
  consumeCounting(to: number): void {
    let lines = 0;
    let lastFeed = -1;
    for (let at = this.cursor; at < to; at++) {
      if (this.bytes[at] === 0x0a) {
        lines++;
        lastFeed = at;
      }
    }
    this.consume(to, lines, lastFeed);
  }

  /** Offset in the file of the token's first byte. */
  get offset(): number {
    return this.#base + this.cursor;
  }

  /** Column of the token's first byte. */
  get column(): number {
    return this.offset - this.lineStart + 1;
  }

  /** Of a byte at or after the cursor. */
  placeOf(at: number): XmlPlace {
    let { line, lineStart } = this;
    for (let index = this.cursor; index < at && index < this.length; index++) {
      if (this.bytes[index] === 0x0a) {
        line++;
        lineStart = this.offset + this.#width(this.cursor, index + 1);
      }
    }
    const offset = this.offset + this.#width(this.cursor, at);
    return { line, column: offset - lineStart + 1, offset };
  }

  #width(from: number, to: number): number {
    return this.#decoder === null ? to - from : utf16Width(this.bytes, from, to);
  }

  #store(piece: Uint8Array): void {
    const kept = this.length - this.cursor;
    if (this.length + piece.length > this.bytes.length) {
      const needed = kept + piece.length;
      this.#moveTo(needed * 2 > this.bytes.length ? Buffer.allocUnsafe(needed * 2) : this.bytes, kept);
    }
    this.bytes.set(piece, this.length);
    this.length += piece.length;
  }

  #moveTo(target: Buffer, kept: number): void {
    this.bytes.copy(target, 0, this.cursor, this.length);
    this.bytes = target;
    this.#base += this.cursor;
    this.cursor = 0;
    this.length = kept;
    this.generation++;
  }

  #recogniseEncoding(): void {
    const [first, second, third, fourth] = this.length >= 4 ? this.bytes : [...this.bytes.subarray(0, this.length), -1, -1, -1, -1];
    const isUtf32 = (first === 0xff && second === 0xfe && third === 0 && fourth === 0) || (first === 0 && second === 0);
    const isBare = first === 0 || second === 0;
    if (isUtf32 || isBare) {
      this.encoding = 'UTF-8';
      throw new XmlFault(xmlErrors.E_XML_ENCODING, 'xml-encoding', 0, 'UTF-32, and UTF-16 without byte order mark, are not read');
    }
    if ((first === 0xfe && second === 0xff) || (first === 0xff && second === 0xfe)) {
      this.encoding = 'UTF-16';
      this.#decoder = new Utf16Decoder(first === 0xfe);
      const rest = Buffer.from(this.bytes.subarray(2, this.length));
      this.length = 0;
      this.#base = 2;
      this.#store(this.#decoder.decode(rest));
      return;
    }
    this.encoding = 'UTF-8';
    if (first === 0xef && second === 0xbb && third === 0xbf) {
      this.cursor = 3;
    }
  }
}
