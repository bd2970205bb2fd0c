/** Writes the lines that flows read of an ACH file, as its records come: an entry is one line, with its batch and its addenda. */
import { lineKey, lineText, type RecordLines } from '../record-lines.ts';
import { type AddendaName, addenda } from './addenda-layouts.ts';
import { isCredit, isDebit } from './code-tables.ts';
import { type RecordLayout, recordLength } from './field-layouts.ts';
import { currency } from './file-summary.ts';
import type { RecordPlace } from './findings.ts';
import {
  batchFields,
  controlFields,
  correspondentMax,
  correspondentNames,
  entryFields,
  type FlowField,
  fieldsOfAddenda,
  headerFields,
} from './flow-fields.ts';
import type { OpenEntry } from './open-entry.ts';
import { isDate, isTime } from './record-forms.ts';
import { fileControl } from './record-layouts.ts';
import { RecordView } from './record-view.ts';

const keys = {
  traceNumber: lineKey('traceNumber'),
  currency: lineKey('currency'),
  debit: lineKey('debit'),
  credit: lineKey('credit'),
  paymentInformation: lineKey('paymentRelatedInformation'),
  category: lineKey('category'),
  addendaRecords: lineKey('addendaRecords'),
};
const currencyText = lineText(keys.currency, currency);
const space = 0x20;
const textBit = 1;
/** A bit for each kind of addenda that a line has at most once: all forms of one type are one kind. */
const kindOf = (name: string): string => name.slice(0, 'addenda99'.length);
const kinds = [...new Set(Object.keys(addenda).map(kindOf))];
const kindBits: ReadonlyMap<string, number> = new Map(Object.keys(addenda).map((name) => [name, 2 << kinds.indexOf(kindOf(name))]));
/** Columns of the text in addenda 05 and 17, which have the same layout. */
const paymentText = addenda.addenda05.fields.find(({ name }) => name === 'paymentRelatedInformation')!;
const correspondents = Array.from({ length: correspondentMax }, (_, index) =>
  correspondentNames.map((name) => {
    const { at, length } = addenda.addenda18.fields.find((field) => field.name === name)!;
    return { key: lineKey(`${name}${index + 1}`), at, length };
  }),
);

interface AmountSide {
  /** Of transaction codes. */
  readonly bit: number;
  /** The amount by another key. */
  readonly field: FlowField;
}

const knownSides = new Map<readonly FlowField[], readonly AmountSide[]>();

function sidesOf(fields: readonly FlowField[]): readonly AmountSide[] {
  let sides = knownSides.get(fields);
  if (sides === undefined) {
    const amount = fields.find(({ form }) => form === 'amount')!;
    sides = [
      { bit: isDebit, field: { ...amount, key: keys.debit } },
      { bit: isCredit, field: { ...amount, key: keys.credit } },
    ];
    knownSides.set(fields, sides);
  }
  return sides;
}

export class FlowLines {
  readonly #lines: RecordLines;
  readonly #batch = new RecordView();
  #isEntryOpen = false;
  /** Bits of the kinds of addenda that the open line has: keys must not come twice. */
  #kinds = 0;
  #correspondents = 0;
  /** The fields of the batch as every line of it has them; null: none has been written. */
  #batchText: Buffer | null = null;
  readonly #categories = new Map<string, Buffer>();
  /** The text of payments is being written; spaces at the end of its last piece wait for another. */
  #isInText = false;
  #spaces = 0;

  constructor(lines: RecordLines) {
    this.#lines = lines;
    this.#batch.bytes = Buffer.alloc(recordLength, space);
  }

  fileHeader(view: RecordView): void {
    this.#lines.begin('header', view.line, view.offset);
    this.#write(headerFields, view);
    this.#lines.end();
  }

  /** A header or trailer without values, for a file that may lack it: its record would be the one that comes next, or came last. */
  withoutFileHeader(place: RecordPlace): void {
    this.#withoutValues('header', headerFields, place);
  }

  withoutFileControl(place: RecordPlace): void {
    this.#withoutValues('trailer', controlFields(fileControl), place);
  }

  #withoutValues(tag: 'header' | 'trailer', fields: readonly FlowField[], { line, offset }: RecordPlace): void {
    this.#lines.begin(tag, line, offset);
    for (const { key } of fields) this.#lines.absent(key);
    this.#lines.end();
  }

  batchHeader(view: RecordView): void {
    view.bytes.copy(this.#batch.bytes, 0, view.at, view.at + recordLength);
    this.#batchText = null;
    this.#batch.layout = view.layout;
    this.#batch.unreadable = view.unreadable;
    this.#batch.original = view.original === null ? null : Buffer.from(view.original);
  }

  /** What is found from now on is none of an entry that is open; or is again. */
  setAside(isAside: boolean): void {
    if (this.#isEntryOpen) this.#lines.setOpen(!isAside);
  }

  /** Before the entry is checked, so that what is found in it is its own. */
  begin(view: RecordView): void {
    this.#lines.begin('record', view.line, view.offset);
    this.#isEntryOpen = true;
    this.#kinds = 0;
    this.#correspondents = 0;
  }

  entry(view: RecordView, entry: OpenEntry): void {
    const lines = this.#lines;
    this.#writeBatch();
    const fields = entryFields(view.layout!);
    this.#write(fields, view);
    lines.bytes(currencyText);
    for (const { bit, field } of sidesOf(fields)) {
      if ((entry.codeBits & bit) === 0) lines.absent(field.key);
      else this.#field(field, view);
    }
    lines.latin(keys.traceNumber, view.bytes, view.at + 79, 15);
  }

  addenda(name: AddendaName, view: RecordView): void {
    if (name === 'addenda05' || name === 'addenda17') {
      this.#addText(view);
      return;
    }
    this.#closeText();
    if (name === 'addenda18') {
      for (const { key, at, length } of correspondents[this.#correspondents++] ?? [])
        this.#lines.latin(key, view.bytes, view.at + at, length);
      return;
    }
    const kind = kindBits.get(name)!;
    if ((this.#kinds & kind) !== 0) return;
    this.#kinds |= kind;
    this.#write(fieldsOfAddenda(name), view);
  }

  endEntry(entry: OpenEntry): void {
    this.#closeText();
    this.#lines.bytes(this.#categoryText(entry.category));
    this.#lines.integer(keys.addendaRecords, entry.addendaRecords);
    this.#lines.end();
    this.#isEntryOpen = false;
  }

  fileControl(view: RecordView, layout: RecordLayout): void {
    this.#lines.begin('trailer', view.line, view.offset);
    this.#write(controlFields(layout), view);
    this.#lines.end();
  }

  /** The pieces are joined as they are in the file, without the spaces at the very end. */
  #addText({ bytes, at }: RecordView): void {
    const lines = this.#lines;
    if (!this.#isInText) {
      if ((this.#kinds & textBit) !== 0) return;
      this.#kinds |= textBit;
      lines.bytes(keys.paymentInformation);
      lines.open();
      this.#isInText = true;
      this.#spaces = 0;
    }
    const start = at + paymentText.at;
    let end = start + paymentText.length;
    while (end > start && bytes[end - 1] === space) end--;
    if (end > start) {
      for (; this.#spaces > 0; this.#spaces--) lines.piece(oneSpace, 0, 1);
      lines.piece(bytes, start, end);
    }
    this.#spaces += paymentText.length - (end - start);
  }

  #closeText(): void {
    if (!this.#isInText) return;
    this.#lines.close();
    this.#isInText = false;
  }

  #writeBatch(): void {
    const lines = this.#lines;
    if (this.#batchText !== null) {
      lines.bytes(this.#batchText);
      return;
    }
    const { written } = lines;
    this.#write(batchFields(this.#batch.layout!), this.#batch);
    this.#batchText = lines.since(written);
  }

  #categoryText(category: string): Buffer {
    let text = this.#categories.get(category);
    if (text === undefined) this.#categories.set(category, (text = lineText(keys.category, category)));
    return text;
  }

  #write(fields: readonly FlowField[], view: RecordView): void {
    for (const field of fields) this.#field(field, view);
  }

  #field({ key, form, at, length, source }: FlowField, view: RecordView): void {
    const lines = this.#lines;
    const from = view.at + at;
    if (length === 0) lines.absent(key);
    else if (view.unreadable.includes(source)) lines.latin(key, view.original ?? view.bytes, view.original === null ? from : at, length);
    else if (form === 'number') lines.digits(key, view.bytes, from, length);
    else if (form === 'amount') lines.digits(key, view.bytes, from, length, 2);
    else if (form === 'text') lines.latin(key, view.bytes, from, length);
    else this.#moment(key, form, view.text(at, length));
  }

  #moment(key: Buffer, form: 'date' | 'time', text: string): void {
    if (form === 'date' && isDate(text)) this.#lines.text(key, `20${text.slice(0, 2)}-${text.slice(2, 4)}-${text.slice(4)}`);
    else if (form === 'time' && isTime(text)) this.#lines.text(key, `${text.slice(0, 2)}:${text.slice(2)}:00`);
    else this.#lines.absent(key);
  }
}

const oneSpace = Buffer.from(' ', 'latin1');
