/**
 * Runs a format's scanner over a file that comes in pieces: hands it the file as runs of whole records, keeps the start
 * of a record whose end has not come yet, skips the BOM and bounds the length of a record. So a scanner sees
 * contiguous bytes only, and how the file is cut into pieces cannot change what is found.
 */
import { freeBytes } from '../../platform/base/freed-bytes.ts';
import type { FormatPlan } from '../engine/plan.ts';
import { isWithoutLineEnds, translateBytes, windowTable } from '../engine/records/window-bytes.ts';
import type { SplitResult, Splitter, SplitterOptions } from './format.ts';
import { SplitLedger } from './split-ledger.ts';

export interface Scanner {
  /**
   * Accounts for the whole records in `bytes` from `from` on and returns where the first unfinished one starts. `base` is the file offset of byte 0.
   * With `isLast` the file ends with these bytes, so the last record needs no line end.
   */
  scan(bytes: Buffer, from: number, base: number, isLast: boolean): number;
  /** Whether `start`, the first bytes of a record, ends inside a quoted field. */
  endsInQuotes(start: Buffer): boolean;
}

const bomBytesMax = 4;
/** How much of a piece is first joined to a record that began in the piece before. */
const joinedBytes = 4_096;
const longRecordBytes = 256 * 1024;

/** Of a piece as files come. */
const carriedPieceBytes = 128 * 1024;

/** How much of a piece is translated at a time. */
const translatedBytes = 64 * 1024;

export function createPiecewiseSplitter(
  format: FormatPlan,
  options: SplitterOptions,
  createScanner: (ledger: SplitLedger) => Scanner,
): Splitter {
  const splitter = new PiecewiseSplitter(markRule(format), options, createScanner);
  const table = windowTable(format);
  return table === null ? splitter : new TranslatingSplitter(splitter, table);
}

/** What a byte order mark means: nothing where bytes are none of ASCII, or where they are numbers. */
type MarkRule = 'skip-utf8' | 'refuse' | 'ignore';

function markRule(format: FormatPlan): MarkRule {
  if (windowTable(format) !== null || isWithoutLineEnds(format)) return 'ignore';
  return format.type === 'json-lines' || format.encoding === undefined ? 'skip-utf8' : 'refuse';
}

class TranslatingSplitter implements Splitter {
  readonly #splitter: Splitter;
  readonly #table: Uint8Array;
  readonly #bytes = Buffer.alloc(translatedBytes);

  constructor(splitter: Splitter, table: Uint8Array) {
    this.#splitter = splitter;
    this.#table = table;
  }

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += translatedBytes) {
      const part = bytes.subarray(at, at + translatedBytes);
      this.#bytes.set(part);
      translateBytes(this.#bytes, 0, part.length, this.#table);
      this.#splitter.push(this.#bytes.subarray(0, part.length));
    }
  }

  end(): SplitResult {
    return this.#splitter.end();
  }
}

class PiecewiseSplitter implements Splitter {
  readonly #marks: MarkRule;
  readonly #ledger: SplitLedger;
  readonly #scanner: Scanner;
  /** The start of an unfinished record, in memory that is kept for the next one. */
  readonly #carry: Carry;
  /** File offset of the carry's first byte. */
  #base = 0;
  /** What is carried is not looked at again before it is so long. */
  #scanAt = 0;
  #isStarted = false;

  constructor(marks: MarkRule, options: SplitterOptions, createScanner: (ledger: SplitLedger) => Scanner) {
    this.#marks = marks;
    this.#ledger = new SplitLedger(options);
    // The longest record, and one piece behind it.
    this.#carry = new Carry(this.#ledger.maxRecordBytes + carriedPieceBytes);
    this.#scanner = createScanner(this.#ledger);
  }

  push(bytes: Uint8Array): void {
    if (this.#ledger.isStopped || bytes.length === 0) return;
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    if (!this.#isStarted) {
      this.#carry.append(piece);
      if (this.#carry.length >= bomBytesMax) this.#start();
      return;
    }
    const from = this.#carry.length === 0 ? 0 : this.#finishCarried(piece);
    if (from === piece.length || this.#ledger.isStopped) return;
    const end = this.#scanner.scan(piece, from, this.#base - from, false);
    this.#keep(piece.subarray(end), this.#base + end - from);
  }

  end(): SplitResult {
    if (!this.#isStarted) this.#start();
    if (!this.#ledger.isStopped) {
      const end = this.#base + this.#carry.length;
      if (this.#carry.length > 0) this.#scanner.scan(this.#carry.bytes, 0, this.#base, true);
      if (!this.#ledger.isStopped) this.#ledger.cut(end, true);
    }
    this.#carry.free();
    return this.#ledger.result();
  }

  /** Returns where in the piece the first record after the carried one starts; the whole piece may still belong to it. */
  #finishCarried(piece: Buffer): number {
    for (let taken = 0; ; ) {
      const room = Math.min(this.#scanAt, this.#ledger.maxRecordBytes);
      if (this.#carry.length + piece.length - taken <= room) {
        this.#carry.append(piece.subarray(taken));
        return piece.length;
      }
      // Where the piece starts in the carry; before it, where records that ended were dropped.
      const pieceAt = this.#carry.length - taken;
      const next = Math.min(piece.length, Math.max(joinedBytes, taken * 4, pieceAt));
      this.#carry.append(piece.subarray(taken, next));
      taken = next;
      const end = this.#scanner.scan(this.#carry.bytes, 0, this.#base, false);
      if (this.#ledger.isStopped) return piece.length;
      this.#base += end;
      if (end > 0 && end >= pieceAt) {
        this.#carry.clear();
        return end - pieceAt;
      }
      this.#carry.drop(end);
      if (taken === piece.length) {
        this.#rest();
        return piece.length;
      }
    }
  }

  /** What is carried has been scanned. A long record is scanned again when it has grown by a quarter, not with each piece. */
  #rest(): void {
    const { length } = this.#carry;
    this.#scanAt = length < longRecordBytes ? 0 : length + Math.floor(length / 4);
    this.#limit();
  }

  #keep(rest: Buffer, base: number): void {
    this.#base = base;
    this.#carry.clear();
    this.#carry.append(rest);
    this.#rest();
  }

  #limit(): void {
    const longest = this.#ledger.maxRecordBytes;
    if (this.#carry.length <= longest + 1) return;
    this.#ledger.refuseLongRecord(this.#base, this.#scanner.endsInQuotes(this.#carry.bytes.subarray(0, longest + 1)));
    this.#carry.free();
  }

  #start(): void {
    this.#isStarted = true;
    const bytes = this.#carry.take();
    const isUtf8 = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
    if (this.#marks !== 'ignore' && (isForeignMark(bytes) || (isUtf8 && this.#marks === 'refuse'))) {
      this.#ledger.addDamage({
        code: 'E_FILE_ENCODING',
        record: 0,
        offset: 0,
        message: 'the file starts with the byte order mark of another encoding',
      });
      this.#ledger.stop(0);
      return;
    }
    const from = isUtf8 && this.#marks === 'skip-utf8' ? 3 : 0;
    if (from > 0) this.#ledger.addSpan('bom', 0, from);
    this.#ledger.startAt(from);
    const end = this.#scanner.scan(bytes, from, 0, false);
    if (!this.#ledger.isStopped) this.#keep(bytes.subarray(end), end);
  }
}

/** Of UTF-16 or UTF-32. */
function isForeignMark(bytes: Buffer): boolean {
  const isUtf32 = bytes.length >= 4 && bytes[0] === 0 && bytes[1] === 0 && bytes[2] === 0xfe && bytes[3] === 0xff;
  return isUtf32 || (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
}

/** Bytes that grow at their end. */
class Carry {
  #memory = Buffer.alloc(0);
  /** Beyond it no more room is made than is needed. */
  readonly #usualMax: number;
  length = 0;

  constructor(usualMax: number) {
    this.#usualMax = usualMax;
  }

  get bytes(): Buffer {
    return this.#memory.subarray(0, this.length);
  }

  append(more: Buffer): void {
    const needed = this.length + more.length;
    if (needed > this.#memory.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(this.#memory.length * 2, this.#usualMax)));
      this.#memory.copy(larger, 0, 0, this.length);
      freeBytes(this.#memory);
      this.#memory = larger;
    }
    more.copy(this.#memory, this.length);
    this.length = needed;
  }

  clear(): void {
    this.length = 0;
  }

  /** The first of them. */
  drop(bytes: number): void {
    if (bytes > 0) this.#memory.copyWithin(0, bytes, this.length);
    this.length -= bytes;
  }

  /** For good: its memory, of the longest record it may be, is not left to the garbage collector. */
  free(): void {
    freeBytes(this.#memory);
    this.#memory = Buffer.alloc(0);
    this.length = 0;
  }

  /** The bytes for good: what is appended later does not touch them. */
  take(): Buffer {
    const taken = this.bytes;
    this.#memory = Buffer.alloc(0);
    this.length = 0;
    return taken;
  }
}
