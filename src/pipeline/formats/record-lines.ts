/**
 * Writes what flows read of a pack's file: a line of JSON for its header, for each record and for its trailer, byte by byte, with
 * no text made of what is good. Packs write keys in one order, absent ones too, so that the engine knows the shape of most lines.
 */
import { isUtf8 } from 'node:buffer';
import type { PackFinding } from './pack-finding.ts';

export type LineTag = 'header' | 'record' | 'trailer';

/** A key as it stands in a line; made once. */
export type LineKey = Buffer;

export function lineKey(name: string): LineKey {
  return Buffer.from(`,${JSON.stringify(name)}:`, 'latin1');
}

/** A key with a text that many lines have. */
export function lineText(key: LineKey, text: string): Buffer {
  return Buffer.concat([key, Buffer.from(JSON.stringify(text), 'utf8')]);
}

const flushBytes = 256 * 1024;
/** Of one record; what is beyond is only counted. */
const notesMax = 20;
const warningStart = 'warn\t';
/** Up to so many bytes are copied sooner one by one. */
const shortMax = 32;
/** So many bytes of whole lines are given on where they stand. */
const givenOnMin = 32 * 1024;
const lineFeed = 0x0a;
const zero = 0x30;
const space = 0x20;
const quote = 0x22;
const backslash = 0x5c;
const point = 0x2e;
const comma = 0x2c;
const minus = 0x2d;
const plus = 0x2b;
const hexDigits = Buffer.from('0123456789abcdef', 'latin1');
const nothing = Buffer.from('null', 'latin1');
const starts: Readonly<Record<LineTag, Buffer>> = {
  header: Buffer.from('{"record":"header","line":', 'latin1'),
  record: Buffer.from('{"record":"record","line":', 'latin1'),
  trailer: Buffer.from('{"record":"trailer","line":', 'latin1'),
};
const offsetKey = lineKey('offset');
/** What a line of a record begins with, before its line and before its offset. */
export const recordBeginnings = { begin: starts.record, offset: offsetKey } as const;
const findingsKey = lineKey('findings');

export class RecordLines {
  readonly #onBytes: (bytes: Uint8Array) => void;
  #bytes: Buffer;
  #length = 0;
  #isOpen = false;
  #notes: string[] = [];
  #notesLeftOut = 0;

  /** `onBytes`: whole lines, or what was written before `flush`; valid until it returns. `roomBytes`: at first. */
  constructor(onBytes: (bytes: Uint8Array) => void, roomBytes = 2 * flushBytes) {
    this.#onBytes = onBytes;
    this.#bytes = Buffer.allocUnsafeSlow(roomBytes);
  }

  /** A record is being read: what is found now is found in it. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** `line` and `offset` in the file as received. */
  begin(tag: LineTag, line: number, offset: number): void {
    this.#isOpen = tag === 'record';
    this.bytes(starts[tag]);
    this.#number(line);
    this.integer(offsetKey, offset);
  }

  /** Something was found in the open record. */
  get hasNotes(): boolean {
    return this.#notes.length > 0;
  }

  /** Whether a record is being read whose line is written elsewhere. */
  setOpen(isOpen: boolean): void {
    this.#isOpen = isOpen;
  }

  /** Lines that were written elsewhere: the first goes on with the open one, what is behind `whole` begins another. */
  take(written: Uint8Array, whole: number): void {
    let from = 0;
    if (whole >= givenOnMin) {
      // What is here already ends with the first of them.
      from = this.#length === 0 ? 0 : written.indexOf(lineFeed) + 1;
      this.bytes(written.subarray(0, from));
      this.flush();
      if (from < whole) this.#onBytes(written.subarray(from, whole));
      from = whole;
    } else if (whole > 0) {
      this.bytes(written.subarray(0, whole));
      if (this.#length >= flushBytes) this.flush();
      from = whole;
    }
    if (from < written.length) this.bytes(written.subarray(from));
  }

  finding(finding: PackFinding): void {
    const { severity, code, field, rule } = finding;
    if (this.#notes.length === notesMax) {
      this.#notesLeftOut++;
      // An error refuses the record, however many warnings came before it: it takes the place of one.
      const warning = severity === 'error' ? this.#notes.findLastIndex((note) => note.startsWith(warningStart)) : -1;
      if (warning < 0) return;
      this.#notes.splice(warning, 1);
    }
    this.#notes.push([severity, code, field ?? '', rule, placedMessage(finding)].map((text) => text.replace(/[\t\n]/g, ' ')).join('\t'));
  }

  /** The record was read, though its line goes on: what is found now is none of it. */
  leave(): void {
    this.#isOpen = false;
  }

  end(): void {
    if (this.#notes.length > 0) {
      if (this.#notesLeftOut > 0) this.#notes[notesMax - 1] += ` (and ${this.#notesLeftOut} more)`;
      this.bytes(findingsKey);
      this.bytes(Buffer.from(JSON.stringify(this.#notes.join('\n')), 'utf8'));
      this.#notes = [];
      this.#notesLeftOut = 0;
    }
    this.bytes(lineEnd);
    this.#isOpen = false;
    if (this.#length >= flushBytes) this.flush();
  }

  /** What is left, after the last line. */
  flush(): void {
    if (this.#length === 0) return;
    this.#onBytes(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
  }

  /** As they are: they must be JSON. */
  bytes(bytes: Uint8Array): void {
    const { length } = bytes;
    if (this.#length + length > this.#bytes.length) this.#room(length);
    const into = this.#bytes;
    const at = this.#length;
    if (length > shortMax) into.set(bytes, at);
    else for (let index = 0; index < length; index++) into[at + index] = bytes[index]!;
    this.#length = at + length;
  }

  /** How much of the open line, and of those before it that are not given away, is written. */
  get written(): number {
    return this.#length;
  }

  /** What was written of the open line since `written` was so much. */
  since(written: number): Buffer {
    return Buffer.from(this.#bytes.subarray(written, this.#length));
  }

  absent(key: LineKey): void {
    this.bytes(key);
    this.bytes(nothing);
  }

  /** Of what the pack made itself. */
  text(key: LineKey, text: string): void {
    this.bytes(lineText(key, text));
  }

  /** A safe integer that is not negative. */
  integer(key: LineKey, value: number): void {
    this.bytes(key);
    this.#number(value);
  }

  /** Latin-1 without the spaces at its ends; nothing else: absent. */
  latin(key: LineKey, bytes: Uint8Array, from: number, length: number): void {
    let [start, end] = [from, from + length];
    while (start < end && bytes[start] === space) start++;
    while (end > start && bytes[end - 1] === space) end--;
    this.bytes(key);
    if (start === end) {
      this.bytes(nothing);
      return;
    }
    this.open();
    this.piece(bytes, start, end);
    this.close();
  }

  /** As a text; control characters are escaped. */
  utf8(key: LineKey, bytes: Uint8Array, start: number, end: number): void {
    this.bytes(key);
    this.open();
    this.#room((end - start) * 6);
    const into = this.#bytes;
    let at = this.#length;
    for (let index = start; index < end; index++) {
      const byte = bytes[index]!;
      if (byte < space) at = escaped(into, at, byte);
      else {
        if (byte === quote || byte === backslash) into[at++] = backslash;
        into[at++] = byte;
      }
    }
    this.#length = at;
    this.close();
  }

  /** A decimal as XML Schema has it, as a number in its canonical form: no plus sign, no zeros before it or at the end of its fraction. */
  xmlDecimal(key: LineKey, bytes: Uint8Array, from: number, end: number): void {
    this.bytes(key);
    this.#room(end - from + 2);
    const into = this.#bytes;
    let at = this.#length;
    let start = from;
    if (bytes[start] === minus) into[at++] = minus;
    if (bytes[start] === minus || bytes[start] === plus) start++;
    while (start < end && bytes[start] === zero && start + 1 < end && bytes[start + 1] !== point) start++;
    if (start === end || bytes[start] === point) into[at++] = zero;
    let last = end;
    let whole = start;
    while (whole < end && bytes[whole] !== point) whole++;
    if (whole < end) {
      while (bytes[last - 1] === zero) last--;
      if (bytes[last - 1] === point) last--;
    }
    for (let index = start; index < last; index++) into[at++] = bytes[index]!;
    this.#length = at;
  }

  /** Of a text that comes in pieces: after its key, before its first. */
  open(): void {
    this.#room(1);
    this.#bytes[this.#length++] = quote;
  }

  close(): void {
    this.open();
  }

  /** Latin-1. */
  piece(bytes: Uint8Array, start: number, end: number): void {
    this.#room((end - start) * 6);
    const into = this.#bytes;
    let at = this.#length;
    for (let index = start; index < end; index++) {
      const byte = bytes[index]!;
      if (byte >= 0x80) {
        into[at++] = 0xc0 | (byte >> 6);
        into[at++] = 0x80 | (byte & 0x3f);
      } else if (byte < space) {
        at = escaped(into, at, byte);
      } else {
        if (byte === quote || byte === backslash) into[at++] = backslash;
        into[at++] = byte;
      }
    }
    this.#length = at;
  }

  /** UTF-8, or Latin-1 where it is none; nothing: absent. */
  content(key: LineKey, bytes: Buffer, start: number, end: number): void {
    this.bytes(key);
    if (start === end) {
      this.bytes(nothing);
      return;
    }
    this.open();
    this.characters(bytes, start, end);
    this.close();
  }

  /** A piece that is UTF-8, or Latin-1 where it is none. */
  characters(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end && bytes[at]! < 0x80) at++;
    if (at === end || !isUtf8(bytes.subarray(at, end))) {
      this.piece(bytes, start, end);
      return;
    }
    this.#room((end - start) * 6);
    for (let index = start; index < end; index++) {
      if (bytes[index]! >= 0x80) this.#bytes[this.#length++] = bytes[index]!;
      else this.piece(bytes, index, index + 1);
    }
  }

  /** ASCII digits as a number, the last `scale` of them its fraction. */
  digits(key: LineKey, bytes: Uint8Array, from: number, length: number, scale = 0, isNegative = false): void {
    this.bytes(key);
    const end = from + length;
    let start = from;
    while (start < end - scale - 1 && bytes[start] === zero) start++;
    this.#room(length + scale + 4);
    const into = this.#bytes;
    let at = this.#length;
    if (isNegative) into[at++] = minus;
    const missing = scale + 1 - (end - start);
    for (let filled = 0; filled < missing; filled++) {
      if (filled === 1) into[at++] = point;
      into[at++] = zero;
    }
    for (let index = start; index < end; index++) {
      if (index === end - scale) into[at++] = point;
      into[at++] = bytes[index]!;
    }
    this.#length = at;
  }

  /** ASCII digits with at most one comma, which need not have digits after it, as a number. */
  commaDecimal(key: LineKey, bytes: Uint8Array, from: number, end: number, isNegative = false): void {
    this.bytes(key);
    let [start, stop] = [from, end];
    while (start + 1 < stop && bytes[start] === zero && bytes[start + 1] !== comma) start++;
    if (bytes[stop - 1] === comma) stop--;
    this.#room(stop - start + 1);
    const into = this.#bytes;
    let at = this.#length;
    if (isNegative) into[at++] = minus;
    for (let index = start; index < stop; index++) into[at++] = bytes[index] === comma ? point : bytes[index]!;
    this.#length = at;
  }

  /** `year` and the digits MMdd, from `at`, as yyyy-MM-dd. */
  date(key: LineKey, year: number, bytes: Uint8Array, at: number): void {
    this.bytes(key);
    this.#room(12);
    const into = this.#bytes;
    let length = this.#length;
    into[length++] = quote;
    for (let power = 1_000; power >= 1; power /= 10) into[length++] = zero + (Math.floor(year / power) % 10);
    for (let index = 0; index < 4; index++) {
      if (index % 2 === 0) into[length++] = minus;
      into[length++] = bytes[at + index]!;
    }
    into[length++] = quote;
    this.#length = length;
  }

  /** None of it becomes a text: a line has several. */
  #number(value: number): void {
    let digits = 1;
    for (let power = 10; power <= value; power *= 10) digits++;
    this.#room(digits);
    let rest = value;
    for (let at = this.#length + digits - 1; at >= this.#length; at--) {
      this.#bytes[at] = zero + (rest % 10);
      rest = Math.floor(rest / 10);
    }
    this.#length += digits;
  }

  #room(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

const lineEnd = Buffer.from('}\n', 'latin1');

/** What stands for a NUL, which no line may hold: packs refuse it, and what it is in is to be read all the same. */
const replacement = Buffer.from('\\ufffd', 'latin1');

/** A control character as JSON writes it; gives where it ends. */
function escaped(into: Buffer, at: number, byte: number): number {
  if (byte === 0) {
    into.set(replacement, at);
    return at + replacement.length;
  }
  into[at++] = backslash;
  into[at++] = 0x75;
  into[at++] = zero;
  into[at++] = zero;
  into[at++] = hexDigits[byte >> 4]!;
  into[at++] = hexDigits[byte & 0x0f]!;
  return at;
}

/** Line, columns and element in the file as received, then what the pack says. `field`: where nothing else tells which one it is. */
export function placedMessage({ line, columns, path, message }: PackFinding, field: string | null = null): string {
  const place = [`line ${line}`];
  if (columns !== null) place.push(`columns ${columns[0]} to ${columns[1]}`);
  if (path !== undefined) place.push(path);
  else if (field !== null) place.push(field);
  return `${place.join(', ')}: ${message}`;
}
