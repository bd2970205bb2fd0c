/**
 * Writes what `--parse` prints: one JSON document, record by record, as it is read. Of an entry the addenda are held until it
 * ends, so that those of one type are together; never more than `addendaMax`.
 */
import type { AddendaName } from './addenda-layouts.ts';
import type { FieldLayout } from './field-layouts.ts';
import { isDate, isDayOfYear, isTime } from './record-forms.ts';
import type { RecordView } from './record-view.ts';

export const addendaMax = 9_999;

/** Of these an entry may have several: they are a list. */
const listed: ReadonlySet<AddendaName> = new Set(['addenda05', 'addenda17', 'addenda18']);

export class DocumentWriter {
  readonly #write: (text: string) => void;
  readonly #addenda = new Map<AddendaName, string[]>();
  #start = '{';
  #isListOpen = false;
  #batches = 0;
  #entries = 0;
  #isEntryOpen = false;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  fileHeader(view: RecordView): void {
    this.#write(`${this.#start}"fileHeader":${record(view)}}`);
    this.#start = ',';
  }

  batchHeader(view: RecordView): void {
    this.#openList();
    this.#write(`${this.#batches++ === 0 ? '' : ','}{"${view.layout!.name}":${record(view)}}`);
    this.#entries = 0;
  }

  entry(view: RecordView): void {
    const list = view.layout!.name === 'IATEntryDetail' ? 'IATEntryDetails' : `${view.layout!.name}s`;
    this.#write(`${this.#entries++ === 0 ? `,"${list}":[` : ','}${record(view)}`);
    this.#isEntryOpen = true;
  }

  addenda(name: AddendaName, view: RecordView): void {
    const held = this.#addenda.get(name);
    if (held === undefined) this.#addenda.set(name, [`${record(view)}}`]);
    else held.push(`${record(view)}}`);
  }

  endEntry(category: string): void {
    if (!this.#isEntryOpen) return;
    this.#isEntryOpen = false;
    for (const [name, texts] of this.#addenda)
      this.#write(listed.has(name) ? `,"${name}":[${texts.join(',')}]` : `,"${name}":${texts.at(-1)}`);
    if (this.#addenda.size > 0) this.#addenda.clear();
    this.#write(`,"category":"${category}"}`);
  }

  /** `control`: null if there is none. */
  endBatch(control: RecordView | null): void {
    const entries = this.#entries > 0 ? ']' : '';
    this.#write(control === null ? `${entries}}` : `${entries},"${control.layout!.name}":${record(control)}}}`);
  }

  fileControl(view: RecordView): void {
    this.#closeList();
    this.#write(`,"${view.layout!.name}":${record(view)}}`);
  }

  end(): void {
    this.#closeList();
    this.#write('}\n');
  }

  #openList(): void {
    if (this.#isListOpen) return;
    this.#isListOpen = true;
    this.#write(`${this.#start}"batches":[`);
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
  return written === '' ? text : `${text},"written":{${written}}`;
}

/** Reserved fields that are not printed have no name of their own: the first column tells them apart, from 1. */
function writtenName({ name, at, prints }: FieldLayout): string {
  return name === 'reserved' && prints === 'hidden' ? `reserved${at + 1}` : name;
}

function printedValue({ prints, literal }: FieldLayout, original: string): string | number {
  const trimmed = original.trim();
  switch (prints) {
    case 'number':
      return readNumber(trimmed);
    case 'text':
    case 'routing':
      return trimmed;
    case 'origin':
      return trimmed.length === 10 && trimmed.startsWith('0') && trimmed !== '0000000000' ? trimmed.slice(1) : trimmed;
    case 'exact':
      return original;
    case 'date':
      return isDate(original) ? original : '';
    case 'time':
      return isTime(original) ? original : '';
    case 'julian':
      return isDayOfYear(original) ? original : '   ';
    case 'hidden':
      return literal ?? '';
  }
}

/** Numbers above the safe integers are texts of digits: those of ADV controls. */
function readNumber(digits: string): number | string {
  if (!/^[0-9]+$/.test(digits)) return 0;
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : digits.replace(/^0+/, '');
}

/** What a writer makes of a value. */
function writtenBy({ prints, kind, length }: FieldLayout, value: string | number): string {
  if (prints === 'number') return String(value).padStart(length, '0');
  if (prints === 'routing' || prints === 'origin') return ` ${value}`.padEnd(length);
  return kind === 'digits' && prints === 'text' ? String(value).padStart(length, '0') : String(value).padEnd(length);
}
