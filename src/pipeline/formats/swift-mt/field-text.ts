/**
 * One field of a message with its lines, as bytes in one buffer that is used again for the next field. Lines meet at an LF;
 * blank lines, which some banks write, are left out. Every byte can be traced back to its line and column.
 */
import { Buffer, isUtf8 } from 'node:buffer';
import type { PhysicalLine } from '../statements/physical-lines.ts';
import type { Place } from '../statements/rule-findings.ts';

const lineFeed = 10;
const space = 32;

export const fieldBytesMax = 65_536;

interface FieldLine {
  readonly at: number;
  readonly line: number;
  readonly lineOffset: number;
  readonly column: number;
}

export class FieldText {
  readonly bytes: Buffer;
  tag = '';
  length = 0;
  isTooLong = false;
  /** The first of its lines that is longer than the bound; null: none is. */
  cutLine: Place | null = null;
  /** Number of the last line that it took. */
  lastLine = 0;
  readonly #lines: FieldLine[];
  /** What goes on the first line since its end was broken; null: nothing. */
  #joined: FieldLine | null = null;

  constructor(bytes: Buffer = Buffer.allocUnsafe(fieldBytesMax), lines: FieldLine[] = []) {
    this.bytes = bytes;
    this.#lines = lines;
  }

  /** As it is now, whatever this one takes next. */
  copy(): FieldText {
    const copy = new FieldText(Buffer.from(this.bytes.subarray(0, this.length)), [...this.#lines]);
    copy.tag = this.tag;
    copy.length = this.length;
    copy.isTooLong = this.isTooLong;
    copy.cutLine = this.cutLine;
    copy.#joined = this.#joined;
    return copy;
  }

  /** `from` is the first byte after the tag. */
  begin(tag: string, line: PhysicalLine, from: number): void {
    this.tag = tag;
    this.length = 0;
    this.isTooLong = false;
    this.#lines.length = 0;
    this.#joined = null;
    this.cutLine = null;
    this.#note(line);
    this.#append(line, from);
  }

  #note({ line, offset, isCut }: PhysicalLine): void {
    this.lastLine = line;
    if (isCut) this.cutLine ??= { line, columns: null, offset };
  }

  continueWith(line: PhysicalLine): void {
    this.#note(line);
    if (this.length + 1 + (line.end - line.start) > fieldBytesMax) {
      this.isTooLong = true;
      return;
    }
    this.bytes[this.length++] = lineFeed;
    this.#append(line, line.start);
  }

  #append({ bytes, start, end, line, offset }: PhysicalLine, from: number): void {
    while (end > from && bytes[end - 1] === space) end--;
    this.#lines.push({ at: this.length, line, lineOffset: offset, column: from - start });
    this.length += bytes.copy(this.bytes, this.length, from, end);
  }

  /** Makes one line of the first two. */
  joinLines(): void {
    const second = this.#lines[1]!;
    this.bytes.copyWithin(second.at - 1, second.at, this.length);
    this.length--;
    const rest = this.#lines.splice(1).map((line) => ({ ...line, at: line.at - 1 }));
    this.#joined = rest.shift()!;
    this.#lines.push(...rest);
  }

  get lineCount(): number {
    return this.#lines.length;
  }

  /** Where its tag is in the file; nothing is made for it, unlike `place`. */
  get tagLine(): number {
    return this.#lines[0]!.line;
  }

  /** Of what follows the tag, counted from 1. */
  get firstColumn(): number {
    return this.#lines[0]!.column + 1;
  }

  get tagOffset(): number {
    const { lineOffset, column } = this.#lines[0]!;
    return lineOffset + column - this.tag.length - 2;
  }

  /** One after the last byte of a line of the field, counted from 0. */
  lineEnd(index: number): number {
    const next = this.#lines[index + 1];
    return next === undefined ? this.length : next.at - 1;
  }

  lineStart(index: number): number {
    return this.#lines[index]!.at;
  }

  /** Read as UTF-8, or where it is none as ISO 8859-1, so that no byte is lost. */
  text(start = 0, end = this.length): string {
    const bytes = this.bytes.subarray(start, end);
    return isUtf8(bytes) ? bytes.toString() : bytes.toString('latin1');
  }

  /** A byte is a character: lengths are those of the file. */
  latin1(start = 0, end = this.length): string {
    return this.bytes.toString('latin1', start, end);
  }

  place(start = 0, end = this.lineEnd(0)): Place {
    const index = this.#lines.findLastIndex(({ at }) => at <= start);
    const part = index === 0 && this.#joined !== null && start >= this.#joined.at ? this.#joined : this.#lines[index]!;
    const column = part.column + start - part.at;
    const last = Math.max(Math.min(end, this.lineEnd(index)) - start, 1);
    return { line: part.line, columns: [column + 1, column + last], offset: part.lineOffset + column };
  }
}
