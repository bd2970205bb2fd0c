/**
 * Puts the fields of one record into lines: no line is longer than the file allows, and what does not fit goes on in records 88.
 * Fields that belong together stay in one line where they can. Every line ends with a slash, but for those within a text.
 */
import { Buffer } from 'node:buffer';
import { beginsRecord } from '../record-beginnings.ts';

/** So long is a line where the file declares no length: the most that is read. */
export const lineBytesDefault = 32_768;

const continuation = '88';

export interface RecordContent {
  /** Two digits. */
  readonly code: string;
  /** Fields in their order, in groups that stay together. */
  readonly groups: readonly (readonly string[])[];
  /** Of a detail: the last field, with LF between its lines; null: the record has none. */
  readonly text: string | null;
}

/** The lines without their ends; or why the record cannot be written. */
export function recordLines({ code, groups, text }: RecordContent, bytesMax: number): readonly string[] | string {
  const builder = new LineBuilder(code, bytesMax);
  for (const group of groups) builder.addGroup(group);
  if (text !== null) builder.addText(text.split('\n'));
  const lines = builder.finish();
  if (lines.some((line) => Buffer.byteLength(line) > bytesMax))
    return `a field or a line of its text does not fit into a line of ${bytesMax} bytes; texts are broken by line feeds`;
  if (lines.some(holdsAnother)) return 'a slash with a record code behind it would be read as another record';
  return lines;
}

/** A record behind the first: whether the reader takes several of the line. */
function holdsAnother(line: string): boolean {
  const bytes = Buffer.from(line);
  for (const { index, 0: gap } of bytes.toString('latin1').matchAll(/\/ +/g)) {
    if (beginsRecord(bytes, index + gap.length, bytes.length)) return true;
  }
  return false;
}

class LineBuilder {
  readonly #bytesMax: number;
  readonly #lines: string[] = [];
  #line: string;
  /** The line has no field yet. */
  #isEmpty = true;

  constructor(code: string, bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#line = code;
  }

  addGroup(fields: readonly string[]): void {
    if (!this.#fits(fields.join(','))) {
      if (!this.#isEmpty) this.#break();
      // Too long for a line of its own: as much as fits in each.
      if (!this.#fits(fields.join(','))) {
        for (const field of fields) this.#add(field);
        return;
      }
    }
    this.#put(fields.join(','));
  }

  addText([first, ...others]: readonly string[]): void {
    this.#add(first!);
    for (const line of others) {
      // Spaces at the end of a line are not read, and a slash there is its end.
      this.#lines.push(/[ /]$/.test(this.#line) ? `${this.#line}/` : this.#line);
      this.#line = continuation;
      this.#put(line);
    }
  }

  finish(): readonly string[] {
    return [...this.#lines, `${this.#line}/`];
  }

  #add(field: string): void {
    if (!this.#isEmpty && !this.#fits(field)) this.#break();
    this.#put(field);
  }

  #put(text: string): void {
    this.#line += `,${text}`;
    this.#isEmpty = false;
  }

  /** With the comma before it and the slash behind it. */
  #fits(text: string): boolean {
    return Buffer.byteLength(this.#line) + Buffer.byteLength(text) + 2 <= this.#bytesMax;
  }

  #break(): void {
    this.#lines.push(`${this.#line}/`);
    this.#line = continuation;
    this.#isEmpty = true;
  }
}
