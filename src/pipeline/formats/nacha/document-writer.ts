/**
 * Writes what `--parse` prints: one JSON document, record by record, as it is read. Of an entry the addenda are held until it
 * ends, so that those of one type are together; never more than `addendaMax`. What lies between records is printed where it is
 * not the line end of the file, so that a writer can give the same bytes again.
 */
import type { AddendaName } from './addenda-layouts.ts';
import { recordLength } from './field-layouts.ts';
import { printedValue, writtenBy, writtenName } from './field-values.ts';
import { type LineEndName, lineEndName, lineEnds } from './line-ends.ts';
import type { Category } from './open-batch.ts';
import type { RecordGaps } from './record-gaps.ts';
import type { RecordTaker } from './record-taker.ts';
import type { RecordView } from './record-view.ts';

export const addendaMax = 9_999;

/** Of these an entry may have several: they are a list. */
const listed: ReadonlySet<AddendaName> = new Set(['addenda05', 'addenda17', 'addenda18']);

const fillerRecord = '9'.repeat(recordLength);

export class DocumentWriter implements RecordTaker {
  readonly #write: (text: string) => void;
  readonly #gaps: RecordGaps;
  #addenda = new Map<AddendaName, string[]>();
  #start = '{';
  #isListOpen = false;
  #batches = 0;
  #entries = 0;
  #isEntryOpen = false;
  #records = 0;
  #lineEnd: LineEndName = 'LF';

  constructor(write: (text: string) => void, gaps: RecordGaps) {
    this.#write = write;
    this.#gaps = gaps;
  }

  fileHeader(view: RecordView): void {
    const text = this.#record(view);
    this.#write(`${this.#start}"fileHeader":${text}}`);
    this.#start = ',';
  }

  batchHeader(view: RecordView): void {
    const text = this.#record(view);
    this.#openList();
    this.#write(`${this.#batches++ === 0 ? '' : ','}{"${view.layout!.name}":${text}}`);
    this.#entries = 0;
  }

  entry(view: RecordView): void {
    const list = view.layout!.name === 'IATEntryDetail' ? 'IATEntryDetails' : `${view.layout!.name}s`;
    this.#write(`${this.#entries++ === 0 ? `,"${list}":[` : ','}${this.#record(view)}`);
    this.#isEntryOpen = true;
  }

  addenda(name: AddendaName, view: RecordView): void {
    const held = this.#addenda.get(name);
    const text = `${this.#record(view)}}`;
    if (held === undefined) this.#addenda.set(name, [text]);
    else held.push(text);
  }

  endEntry(category: Category): void {
    if (!this.#isEntryOpen) return;
    this.#isEntryOpen = false;
    for (const [name, texts] of this.#addenda)
      this.#write(listed.has(name) ? `,"${name}":[${texts.join(',')}]` : `,"${name}":${texts.at(-1)}`);
    if (this.#addenda.size > 0) this.#addenda = new Map();
    this.#write(`,"category":"${category}"}`);
  }

  /** `control`: null if there is none. */
  endBatch(control: RecordView | null): void {
    const entries = this.#entries > 0 ? ']' : '';
    this.#write(control === null ? `${entries}}` : `${entries},"${control.layout!.name}":${this.#record(control)}}}`);
  }

  fileControl(view: RecordView): void {
    const text = this.#record(view);
    this.#closeList();
    this.#write(`,"${view.layout!.name}":${text}}`);
  }

  end(): void {
    this.#closeList();
    this.#write(`${this.#trailer()}}\n`);
  }

  #record(view: RecordView): string {
    const gap = this.#gaps.take(view);
    const isSecond = ++this.#records === 2;
    if (isSecond && gap !== null) this.#lineEnd = lineEndName(gap) ?? 'LF';
    const usual = this.#records === 1 ? '' : lineEnds[this.#lineEnd];
    return record(view) + (gap === usual ? '' : `,"before":${JSON.stringify(gap)}`);
  }

  /** How many records of filler there are, or the text behind the last record where that is something else. */
  #trailer(): string {
    const rest = this.#gaps.rest();
    if (this.#records === 0) return '';
    const lineEnd = lineEnds[this.#lineEnd];
    const each = lineEnd.length + recordLength;
    if (rest !== null) {
      const count = Math.floor(rest.length / each);
      const filler = (lineEnd + fillerRecord).repeat(count);
      if (rest === filler + lineEnd) return `,"filler":${count},"isLastLineEnded":true`;
      if (rest === filler) return `,"filler":${count},"isLastLineEnded":false`;
    }
    return `,"trailer":${JSON.stringify(rest)}`;
  }

  #openList(): void {
    if (this.#isListOpen) return;
    this.#isListOpen = true;
    this.#write(`${this.#start}"lineEnd":"${this.#lineEnd}","batches":[`);
  }

  #closeList(): void {
    if (this.#start === '') return;
    this.#openList();
    this.#write(']');
    this.#start = '';
  }
}

/** What JSON does not write as it is. */
const escaped = /["\\\u0000-\u001f\u007f-\u009f]/;

/** An object without its end. What is not written as a writer would write the value is in `written`, character by character. */
function record(view: RecordView): string {
  const line = view.originalText();
  const isPlain = !escaped.test(line);
  let text = '{';
  let written = '';
  for (const field of view.layout!.fields) {
    const original = line.slice(field.at, field.at + field.length);
    const value = printedValue(field, original);
    if (field.prints !== 'hidden')
      text += `"${field.name}":${typeof value === 'string' && isPlain ? `"${value}"` : JSON.stringify(value)},`;
    if (original !== writtenBy(field, value)) written += `${written === '' ? '' : ','}"${writtenName(field)}":${JSON.stringify(original)}`;
  }
  text += `"lineNumber":${view.line}`;
  const columns = view.length - view.wideColumns.length;
  if (columns < recordLength) text += `,"columns":${columns}`;
  return written === '' ? text : `${text},"written":{${written}}`;
}
