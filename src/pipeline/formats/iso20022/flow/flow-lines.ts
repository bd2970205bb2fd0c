/**
 * Writes the lines that flows read of a message while it is checked. Values are kept as bytes until their header, group or record
 * ends, because a line has its keys in one order, absent ones too.
 */
import { lineKey, type RecordLines } from '../../record-lines.ts';
import type { CheckedValue } from '../schema/checked-value.ts';
import type { ElementFrame } from '../schema/element-frame.ts';
import { currencyText } from '../values/code-values.ts';
import { trimmedFrom, trimmedTo } from '../values/white-space.ts';
import { flowPlaces, type PlacedFamily } from './flow-places.ts';
import { levelBytes, type StatusLevel, statusField, statusFields } from './status-levels.ts';

const keys = {
  messageName: lineKey('messageName'),
  currency: lineKey('currency'),
  controlAmount: lineKey('controlAmount'),
  credit: lineKey('credit'),
  debit: lineKey('debit'),
};
const creditDebit = lineKey('creditDebit');
/** Of a date: yyyy-MM-dd. What follows, a time or a time zone, is left out. */
const dateLength = 10;

export class FlowLines {
  readonly #lines: RecordLines;
  readonly #family: PlacedFamily;
  readonly #messageName: string;
  /** By field: where its value is in `#bytes`; -1: it is absent. */
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  /** 1: the value has the form of its type, so that a number can stand in a line as one. */
  readonly #valid: Uint8Array;
  readonly #firstGrouped: number;
  readonly #firstOfRecord: number;
  /** Of the field that says which side an amount is on. */
  readonly #side: number;
  /** Each status is a record: the fields of what was read, by level, in the order of a line. Null: records are those of the family. */
  readonly #levels: Readonly<Record<StatusLevel, readonly (readonly number[])[]>> | null;
  /** A group that was begun, and of whose own status no line was written yet. */
  #isGroupTold = true;
  #groupLine = 0;
  #groupOffset = 0;
  #bytes = Buffer.allocUnsafe(8_192);
  #length = 0;
  /** Where the values of the header, and of header and group, end in `#bytes`. */
  #headerEnd = 0;
  #groupEnd = 0;
  #currency = -1;
  #isRecordOpen = false;
  #hasHeader = false;
  #headerLine = 0;
  #headerOffset = 0;

  /** `messageName`: as in `pain.001.001.09`. `isEachStatus`: the statuses of message and groups are records too. */
  constructor(lines: RecordLines, family: PlacedFamily, messageName: string, isEachStatus = false) {
    this.#lines = lines;
    this.#messageName = messageName;
    this.#family = family;
    this.#starts = new Int32Array(family.fields.length).fill(-1);
    this.#ends = new Int32Array(family.fields.length);
    this.#valid = new Uint8Array(family.fields.length);
    this.#firstGrouped = family.headerFields;
    this.#firstOfRecord = family.headerFields + family.groupFields;
    this.#side = family.fields.findIndex(({ key }) => key.equals(creditDebit));
    this.#levels = isEachStatus ? levelsOf(family) : null;
  }

  started(place: number, { line, offset }: ElementFrame): void {
    if (place === flowPlaces.record) {
      this.#tellGroup();
      this.#forget(this.#firstOfRecord);
      this.#length = this.#groupEnd;
      this.#currency = -1;
      this.#isRecordOpen = true;
      this.#lines.begin('record', line, offset);
    } else if (place === flowPlaces.group) {
      this.#forget(this.#firstGrouped);
      this.#length = this.#headerEnd;
      this.#groupEnd = this.#headerEnd;
      this.#isGroupTold = false;
      this.#groupLine = line;
      this.#groupOffset = offset;
    } else if (!this.#hasHeader && (place === flowPlaces.header || place === flowPlaces.lastHeader) && this.#headerLine === 0) {
      this.#headerLine = line;
      this.#headerOffset = offset;
    }
  }

  valued(place: number, { bytes, length, currency, isValid }: CheckedValue): void {
    const field = place - 1;
    if (this.#starts[field] !== -1) return;
    const start = this.#keep(bytes, length);
    this.#starts[field] = start;
    this.#ends[field] = this.#length;
    this.#valid[field] = isValid ? 1 : 0;
    if (field < this.#firstOfRecord) {
      this.#groupEnd = this.#length;
      if (field < this.#firstGrouped) this.#headerEnd = this.#length;
    } else if (this.#family.fields[field]!.form === 'amount') this.#currency = currency;
  }

  ended(place: number): void {
    if (place === flowPlaces.record) this.#endRecord();
    else if (place === flowPlaces.group) this.#tellGroup();
    else if (place === flowPlaces.lastHeader) this.#endHeader();
  }

  /** What is read cannot be gone on with: the open record is told of as it is. */
  abandon(): void {
    if (this.#isRecordOpen) this.#endRecord();
  }

  #endHeader(): void {
    if (this.#hasHeader) return;
    this.#hasHeader = true;
    this.#lines.begin('header', this.#headerLine, this.#headerOffset);
    this.#lines.text(keys.messageName, this.#messageName);
    this.#write(0, this.#firstGrouped);
    this.#lines.end();
    this.#tellStatus('group', this.#headerLine, this.#headerOffset);
  }

  /** Before its first record, or at its end. */
  #tellGroup(): void {
    if (this.#isGroupTold) return;
    this.#isGroupTold = true;
    this.#tellStatus('payment', this.#groupLine, this.#groupOffset);
  }

  /** A record for the status of a message or group, where it has one. */
  #tellStatus(level: StatusLevel, line: number, offset: number): void {
    if (this.#levels === null || !this.#levels[level][statusField]!.some((field) => this.#starts[field]! >= 0)) return;
    this.#lines.begin('record', line, offset);
    this.#writeLevel(this.#levels[level], level);
    this.#lines.end();
  }

  #writeLevel(places: readonly (readonly number[])[], level: StatusLevel): void {
    this.#lines.bytes(levelBytes[level]);
    for (let index = 0; index < statusFields.length; index++) {
      const { key } = statusFields[index]!;
      let found = -1;
      for (const field of places[index]!) if (found < 0 && this.#starts[field]! >= 0) found = field;
      if (found < 0) this.#lines.absent(key);
      else this.#value(key, 'text', this.#starts[found]!, this.#ends[found]!);
    }
  }

  #endRecord(): void {
    this.#isRecordOpen = false;
    if (this.#levels === null) this.#write(this.#firstGrouped, this.#family.fields.length);
    else this.#writeLevel(this.#levels.transaction, 'transaction');
    this.#lines.end();
  }

  #write(from: number, to: number): void {
    for (let field = from; field < to; field++) {
      const { key, form, isHidden } = this.#family.fields[field]!;
      if (isHidden) continue;
      const start = this.#starts[field]!;
      if (form === 'amount') this.#amount(key, field);
      else if (start < 0) this.#lines.absent(key);
      else this.#value(key, this.#valid[field] === 0 ? 'text' : form, start, this.#ends[field]!);
    }
  }

  #value(key: Buffer, form: 'text' | 'integer' | 'decimal' | 'date', start: number, end: number): void {
    const from = trimmedFrom(this.#bytes, start, end);
    const to = trimmedTo(this.#bytes, from, end);
    if (form === 'text') this.#lines.utf8(key, this.#bytes, start, end);
    else if (form === 'date') this.#lines.utf8(key, this.#bytes, from, Math.min(to, from + dateLength));
    else this.#lines.xmlDecimal(key, this.#bytes, from, to);
  }

  /** The amount under its own key, then its currency, what control sums add, and on which side of an account it is. */
  #amount(key: Buffer, field: number): void {
    const lines = this.#lines;
    const isThere = this.#starts[field]! >= 0;
    const start = isThere ? trimmedFrom(this.#bytes, this.#starts[field]!, this.#ends[field]!) : 0;
    const end = isThere ? trimmedTo(this.#bytes, start, this.#ends[field]!) : 0;
    const write = (name: Buffer, isWanted: boolean): void => {
      if (!isWanted || !isThere) lines.absent(name);
      else if (this.#valid[field] === 1) lines.xmlDecimal(name, this.#bytes, start, end);
      else lines.utf8(name, this.#bytes, start, end);
    };
    write(key, true);
    if (this.#currency < 0) lines.absent(keys.currency);
    else lines.text(keys.currency, currencyText(this.#currency));
    if (!this.#family.hasSides) write(keys.controlAmount, true);
    else {
      const side = this.#sideLetter();
      write(keys.credit, side === 0x43);
      write(keys.debit, side === 0x44);
    }
  }

  /** The first of CRDT or DBIT; 0: there is none. */
  #sideLetter(): number {
    const start = this.#starts[this.#side]!;
    return start < 0 ? 0 : this.#bytes[trimmedFrom(this.#bytes, start, this.#ends[this.#side]!)]!;
  }

  #forget(from: number): void {
    this.#starts.fill(-1, from);
  }

  #keep(bytes: Buffer, length: number): number {
    const start = this.#length;
    if (start + length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, start + length));
      this.#bytes.copy(larger, 0, 0, start);
      this.#bytes = larger;
    }
    bytes.copy(this.#bytes, start, 0, length);
    this.#length += length;
    return start;
  }
}

function levelsOf({ fields }: PlacedFamily): Record<StatusLevel, number[][]> {
  const places = (level: StatusLevel) =>
    statusFields.map(({ from }) => from[level].map((name) => fields.findIndex((each) => each.name === name)).filter((field) => field >= 0));
  return { group: places('group'), payment: places('payment'), transaction: places('transaction') };
}
