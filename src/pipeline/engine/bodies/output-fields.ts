/**
 * Reads chosen output fields back from the lines that the engine wrote, byte by byte: no text is made of a value. What is read
 * is the text of the value in UTF-8, whatever its format quotes, escapes or pads; padding of fixed width is left out.
 */
import type { BodyPlan, OutputFieldPlan } from '../plan.ts';
import { ndjsonPrefixes } from './body-writer.ts';

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const closingBrace = 0x7d;
const letterN = 0x6e;
const absent = -1;

export class OutputFields {
  /** Of each chosen field: the bytes that hold its value, where it starts and ends in them; a start of -1: it has none. */
  readonly bytes: Uint8Array[];
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly #body: BodyPlan;
  /** By output field: which of the chosen it is; -1: none. */
  readonly #slots: Int32Array;
  /** Output fields up to the last that is chosen. */
  readonly #count: number;
  readonly #prefixBytes: readonly number[];

  /** `chosen`: indexes into `output`; null: never has a value. */
  constructor(body: BodyPlan, output: readonly OutputFieldPlan[], chosen: readonly (number | null)[]) {
    this.#body = body;
    this.#slots = new Int32Array(output.length).fill(absent);
    for (const [slot, index] of chosen.entries()) if (index !== null) this.#slots[index] = slot;
    this.#count = Math.max(0, ...chosen.map((index) => (index ?? -1) + 1));
    this.#prefixBytes = ndjsonPrefixes(output).map((prefix) => Buffer.byteLength(prefix));
    this.bytes = chosen.map(() => new Uint8Array(0));
    this.starts = new Int32Array(chosen.length).fill(absent);
    this.ends = new Int32Array(chosen.length);
  }

  /** `line` with its line end, as it was written; what was read is valid as long as its bytes are. */
  read(line: Uint8Array): void {
    switch (this.#body.format) {
      case 'ndjson':
        this.#readJson(line);
        break;
      case 'csv':
        this.#readCsv(line, this.#body.delimiter, line.length - this.#body.lineEnd.length);
        break;
      case 'fixed-width':
        this.#readColumns(line, this.#body.columns);
        break;
    }
  }

  #readJson(line: Uint8Array): void {
    let at = 0;
    for (let index = 0; index < this.#count; index++) {
      at += this.#prefixBytes[index]!;
      const slot = this.#slots[index]!;
      let end = at;
      if (line[at] === quote) {
        let hasEscape = false;
        for (end = at + 1; line[end] !== quote; end++) {
          if (end >= line.length) throw new Error('a line of output ends inside a value');
          if (line[end] !== backslash) continue;
          hasEscape = true;
          end++;
        }
        end++;
        if (hasEscape) this.#decoded(slot, line, at, end, (text) => JSON.parse(text) as string);
        else this.#keep(slot, line, at + 1, end - 1);
      } else {
        while (line[end] !== comma && line[end] !== closingBrace) end++;
        if (line[at] === letterN) this.#keep(slot, line, absent, absent);
        else this.#keep(slot, line, at, end);
      }
      at = end;
    }
  }

  #readCsv(line: Uint8Array, delimiter: number, lineEnd: number): void {
    let at = 0;
    for (let index = 0; index < this.#count; index++) {
      const slot = this.#slots[index]!;
      let end = at;
      if (line[at] === quote) {
        let hasQuote = false;
        for (end = at + 1; line[end] !== quote || line[end + 1] === quote; end++) {
          if (end >= lineEnd) throw new Error('a line of output ends inside a value');
          if (line[end] !== quote) continue;
          hasQuote = true;
          end++;
        }
        end++;
        if (hasQuote) this.#decoded(slot, line, at + 1, end - 1, (text) => text.replaceAll('""', '"'));
        else this.#keep(slot, line, at + 1, end - 1);
      } else {
        while (end < lineEnd && line[end] !== delimiter) end++;
        if (end === at) this.#keep(slot, line, absent, absent);
        else this.#keep(slot, line, at, end);
      }
      at = end + 1;
    }
  }

  #readColumns(
    line: Uint8Array,
    columns: readonly { readonly width: number; readonly align: 'left' | 'right'; readonly pad: number }[],
  ): void {
    let at = 0;
    for (let index = 0; index < this.#count; index++) {
      const { width, align, pad } = columns[index]!;
      let [start, end] = [at, at + width];
      if (align === 'left') while (end > start && line[end - 1] === pad) end--;
      else while (start < end && line[start] === pad) start++;
      if (start === end) this.#keep(this.#slots[index]!, line, absent, absent);
      else this.#keep(this.#slots[index]!, line, start, end);
      at += width;
    }
  }

  #keep(slot: number, line: Uint8Array, start: number, end: number): void {
    if (slot < 0) return;
    this.bytes[slot] = line;
    this.starts[slot] = start;
    this.ends[slot] = end;
  }

  /** Of the few values that are quoted in a way that changes their bytes. */
  #decoded(slot: number, line: Uint8Array, start: number, end: number, decode: (text: string) => string): void {
    if (slot < 0) return;
    const text = Buffer.from(decode(Buffer.from(line.buffer, line.byteOffset + start, end - start).toString('utf8')), 'utf8');
    this.bytes[slot] = text;
    this.starts[slot] = 0;
    this.ends[slot] = text.length;
  }
}
