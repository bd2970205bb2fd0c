/**
 * One record of a BAI2 file with the lines that continue it (88), as bytes in one buffer that is used again for the next.
 * A slash that ends a line is left out; where two lines meet there is a joint, which separates fields as a comma does. Every
 * byte can be traced back to its line and column.
 */
import { Buffer, isUtf8 } from 'node:buffer';
import type { PhysicalLine } from '../statements/physical-lines.ts';
import type { Place } from '../statements/rule-findings.ts';

const comma = 44;
const slash = 47;
const space = 32;
/** Cannot stand in a line. */
const joint = 10;

export const recordBytesMax = 1_048_576;

interface LinePart {
  /** In the record. */
  readonly at: number;
  readonly line: number;
  /** Of the line in the file, and of the part in the line. */
  readonly lineOffset: number;
  readonly column: number;
  readonly endsWithSlash: boolean;
}

export class LogicalRecord {
  #bytes = Buffer.allocUnsafe(4096);
  #length = 0;
  #parts: LinePart[] = [];
  #lineCount = 0;
  #isTooLong = false;
  /** The field that `nextField` found: from `fieldStart` to `fieldEnd`, without spaces around it. */
  fieldStart = 0;
  fieldEnd = 0;
  #next = 0;

  get bytes(): Buffer {
    return this.#bytes;
  }

  get length(): number {
    return this.#length;
  }

  /** Whether the text of the record may go on: its last line has no slash. */
  get isOpenEnded(): boolean {
    return this.#parts.at(-1)?.endsWithSlash === false;
  }

  /** Those that no longer fit are counted too. */
  get lineCount(): number {
    return this.#lineCount;
  }

  get isTooLong(): boolean {
    return this.#isTooLong;
  }

  get firstLine(): Place {
    return this.linePlace(0);
  }

  /** Begins anew with the bytes of a line after its record code and comma. */
  begin(line: PhysicalLine, from: number, to: number): void {
    this.#length = 0;
    this.#parts.length = 0;
    this.#lineCount = 1;
    this.#isTooLong = false;
    this.#next = 0;
    this.#append(line, from, to);
  }

  /** A wrapped line is no record of its own and is not counted. */
  continueWith(line: PhysicalLine, from: number, to: number, isWrapped: boolean): void {
    if (!isWrapped) this.#lineCount++;
    if (this.#length + (to - from) >= recordBytesMax) {
      this.#isTooLong = true;
      return;
    }
    this.#reserve(1);
    this.#bytes[this.#length++] = joint;
    this.#append(line, from, to);
  }

  #append({ bytes, start, line, offset }: PhysicalLine, from: number, end: number): void {
    while (end > from && bytes[end - 1] === space) end--;
    const endsWithSlash = end > from && bytes[end - 1] === slash;
    if (endsWithSlash) end--;
    this.#reserve(end - from);
    this.#parts.push({ at: this.#length, line, lineOffset: offset, column: from - start, endsWithSlash });
    bytes.copy(this.#bytes, this.#length, from, end);
    this.#length += end - from;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + count));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }

  rewind(): void {
    this.#next = 0;
  }

  /** Finds the next field; false when there is none left. */
  nextField(): boolean {
    const length = this.#length;
    if (this.#next > length) {
      this.fieldStart = length;
      this.fieldEnd = length;
      return false;
    }
    const bytes = this.#bytes;
    let start = this.#next;
    let at = start;
    while (at < length && bytes[at] !== comma && bytes[at] !== joint) at++;
    this.#next = at + 1;
    let end = at;
    while (start < end && bytes[start] === space) start++;
    while (end > start && bytes[end - 1] === space) end--;
    this.fieldStart = start;
    this.fieldEnd = end;
    return true;
  }

  /** The rest as one field, commas and all; false when there is none left. */
  restField(): boolean {
    if (this.#next > this.#length) return this.nextField();
    this.fieldStart = this.#next;
    this.fieldEnd = this.#length;
    this.#next = this.#length + 1;
    return true;
  }

  get hasNext(): boolean {
    return this.#next <= this.#length;
  }

  get isFieldEmpty(): boolean {
    return this.fieldStart === this.fieldEnd;
  }

  /** Read as UTF-8, or where it is none as ISO 8859-1, so that no byte is lost. */
  fieldText(): string {
    const bytes = this.#bytes.subarray(this.fieldStart, this.fieldEnd);
    return isUtf8(bytes) ? bytes.toString() : bytes.toString('latin1');
  }

  /** Where the field lies in the file. */
  fieldPlace(): Place {
    const index = this.#partAt(this.fieldStart);
    const part = this.#parts[index]!;
    const column = part.column + this.fieldStart - part.at;
    const width = Math.min(this.fieldEnd, this.#partEnd(index)) - this.fieldStart;
    return { line: part.line, columns: [column + 1, column + Math.max(width, 1)], offset: part.lineOffset + column };
  }

  /** Halves the lines: a record may have as many as bytes, and a finding on each. */
  #partAt(position: number): number {
    let low = 0;
    let high = this.#parts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#parts[middle]!.at <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #partEnd(index: number): number {
    const next = this.#parts[index + 1];
    return next === undefined ? this.#length : next.at - 1;
  }

  linePlace(index: number): Place {
    const { line, lineOffset } = this.#parts[index]!;
    return { line, columns: null, offset: lineOffset };
  }

  /** The first line that no slash ends, of those that end before `textStart`; null when there is none. */
  lineWithoutSlash(textStart: number): number | null {
    for (let index = 0; index < this.#parts.length; index++) {
      const part = this.#parts[index]!;
      if (!part.endsWithSlash && this.#partEnd(index) < textStart) return index;
    }
    return null;
  }

  /** Ends the record at its first slash, and tells whether there is one; it is then the field. */
  endAtSlash(): boolean {
    const at = this.#bytes.indexOf(slash);
    if (at < 0 || at >= this.#length) return false;
    this.fieldStart = at;
    this.fieldEnd = this.#length;
    this.#length = at;
    return true;
  }
}
