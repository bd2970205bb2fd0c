/**
 * Writes the lines that flows read of a message while it is checked. Values are kept as bytes until their header, group or record
 * ends, because a line has its keys in one order, absent ones too.
 */
import { lineKey, type RecordLines, recordBeginnings } from '../../record-lines.ts';
import type { CheckedValue } from '../schema/checked-value.ts';
import type { ElementFrame } from '../schema/element-frame.ts';
import { currencyText } from '../values/code-values.ts';
import { trimmedFrom, trimmedTo } from '../values/white-space.ts';
import { amountKeys, flowPlaces, type PlacedFamily } from './flow-places.ts';
import { LineValues } from './line-values.ts';
import { levelBytes, type StatusLevel, statusField, statusFields } from './status-levels.ts';

const keys = { messageName: lineKey('messageName'), ...amountKeys };
const nothing = Buffer.from('null', 'latin1');
/** Of a date: yyyy-MM-dd. What follows, a time or a time zone, is left out. */
const dateLength = 10;

export class FlowLines {
  readonly #lines: RecordLines;
  readonly family: PlacedFamily;
  readonly #messageName: string;
  readonly values: LineValues;
  readonly #firstGrouped: number;
  /** Each status is a record: the fields of what was read, by level, in the order of a line. Null: records are those of the family. */
  readonly #levels: Readonly<Record<StatusLevel, readonly (readonly number[])[]>> | null;
  /** A group that was begun, and of whose own status no line was written yet. */
  #isGroupTold = true;
  #groupLine = 0;
  #groupOffset = 0;
  #isRecordOpen = false;
  #hasHeader = false;
  #headerLine = 0;
  #headerOffset = 0;
  /** By first and last field. */
  readonly #absent: Buffer[] = [];
  #currencyText = Buffer.alloc(0);
  #currencyOfText = -1;

  /** `messageName`: as in `pain.001.001.09`. `isEachStatus`: the statuses of message and groups are records too. */
  constructor(lines: RecordLines, family: PlacedFamily, messageName: string, isEachStatus = false) {
    this.#lines = lines;
    this.#messageName = messageName;
    this.family = family;
    this.values = new LineValues(family);
    this.#firstGrouped = family.headerFields;
    this.#levels = isEachStatus ? levelsOf(family) : null;
  }

  started(place: number, { line, offset }: ElementFrame): void {
    if (place === flowPlaces.record) {
      this.#endHeader();
      this.#tellGroup();
      this.values.beginRecord();
      this.#isRecordOpen = true;
      this.#lines.begin('record', line, offset);
    } else if (place === flowPlaces.group) {
      this.values.beginGroup();
      this.#isGroupTold = false;
      this.#groupLine = line;
      this.#groupOffset = offset;
    } else if (!this.#hasHeader && (place === flowPlaces.header || place === flowPlaces.lastHeader) && this.#headerLine === 0) {
      this.#headerLine = line;
      this.#headerOffset = offset;
    }
  }

  valued(place: number, value: CheckedValue): void {
    this.values.take(place - 1, value);
  }

  ended(place: number): void {
    if (place === flowPlaces.record) this.#endRecord();
    else if (place === flowPlaces.group) this.#tellGroup();
    else if (place === flowPlaces.lastHeader) this.#endHeader();
  }

  get isRecordOpen(): boolean {
    return this.#isRecordOpen;
  }

  /** Something was found in the open record. */
  get isNoted(): boolean {
    return this.#lines.hasNotes;
  }

  /** What a line of a record begins with, before its line and before its offset. */
  get beginnings(): { readonly begin: Buffer; readonly offset: Buffer } {
    return recordBeginnings;
  }

  /** What is found from now on is found in a record, or not: its line is written elsewhere. */
  setOpen(isOpen: boolean): void {
    this.#lines.setOpen(isOpen);
  }

  /** Lines that were written of the same values; from `whole` on one is open. */
  walked(written: Buffer, whole: number, isOpen: boolean): void {
    this.#lines.take(written, whole);
    this.#lines.setOpen(isOpen);
    this.#isRecordOpen = isOpen;
  }

  /** What is read cannot be gone on with: the open record is told of as it is. */
  abandon(): void {
    if (this.#isRecordOpen) this.#endRecord();
  }

  /** The message ends. */
  finish(): void {
    this.#endHeader();
  }

  /** At the end of its last element, or without that at the first record, or where the message ends. */
  #endHeader(): void {
    if (this.#hasHeader || this.#headerLine === 0) return;
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
    if (this.#levels === null || !this.#levels[level][statusField]!.some((field) => this.values.starts[field]! >= 0)) return;
    this.#lines.begin('record', line, offset);
    this.#writeLevel(this.#levels[level], level);
    this.#lines.end();
  }

  #writeLevel(places: readonly (readonly number[])[], level: StatusLevel): void {
    const { starts, ends } = this.values;
    this.#lines.bytes(levelBytes[level]);
    for (let index = 0; index < statusFields.length; index++) {
      const { key } = statusFields[index]!;
      let found = -1;
      for (const field of places[index]!) if (found < 0 && starts[field]! >= 0) found = field;
      if (found < 0) this.#lines.absent(key);
      else this.#value(key, 'text', starts[found]!, ends[found]!);
    }
  }

  #endRecord(): void {
    this.#isRecordOpen = false;
    if (this.family.position !== null) this.#lines.integer(this.family.position, this.values.groups);
    if (this.#levels === null) this.#write(this.#firstGrouped, this.family.fields.length);
    else this.#writeLevel(this.#levels.transaction, 'transaction');
    this.#lines.end();
  }

  #write(from: number, to: number): void {
    const { fields } = this.family;
    const { starts, ends, valid } = this.values;
    for (let field = from; field < to; field++) {
      const { key, form } = fields[field]!;
      const start = starts[field]!;
      if (form === 'amount') this.#amount(key, field);
      else if (start >= 0) this.#value(key, valid[field] === 0 ? 'text' : form, start, ends[field]!);
      else {
        let last = field;
        while (last + 1 < to && starts[last + 1]! < 0 && fields[last + 1]!.form !== 'amount') last++;
        this.#lines.bytes(this.#absentFrom(field, last));
        field = last;
      }
    }
  }

  /** Of fields that are absent, one after the other: most records have the same ones. */
  #absentFrom(first: number, last: number): Buffer {
    const { fields } = this.family;
    const index = first * fields.length + last;
    let run = this.#absent[index];
    if (run === undefined) {
      run = Buffer.concat(fields.slice(first, last + 1).flatMap(({ key }) => [key, nothing]));
      this.#absent[index] = run;
    }
    return run;
  }

  #value(key: Buffer, form: 'text' | 'integer' | 'decimal' | 'date', start: number, end: number): void {
    const { bytes } = this.values;
    const from = trimmedFrom(bytes, start, end);
    const to = trimmedTo(bytes, from, end);
    if (form === 'text') this.#lines.utf8(key, bytes, start, end);
    else if (form === 'date') this.#lines.utf8(key, bytes, from, Math.min(to, from + dateLength));
    else this.#lines.xmlDecimal(key, bytes, from, to);
  }

  /** The amount under its own key, then its currency, what control sums add, and on which side of an account it is. */
  #amount(key: Buffer, field: number): void {
    const lines = this.#lines;
    const { bytes, starts, ends, valid, currency } = this.values;
    const isThere = starts[field]! >= 0;
    const start = isThere ? trimmedFrom(bytes, starts[field]!, ends[field]!) : 0;
    const end = isThere ? trimmedTo(bytes, start, ends[field]!) : 0;
    const write = (name: Buffer, isWanted: boolean): void => {
      if (!isWanted || !isThere) lines.absent(name);
      else if (valid[field] === 1) lines.xmlDecimal(name, bytes, start, end);
      else lines.utf8(name, bytes, start, end);
    };
    write(key, true);
    if (currency < 0) lines.absent(keys.currency);
    else lines.bytes(this.#currencyField(currency));
    if (!this.family.hasSides) write(keys.controlAmount, true);
    else {
      const side = this.#sideLetter();
      write(keys.credit, side === 0x43);
      write(keys.debit, side === 0x44);
    }
  }

  #currencyField(currency: number): Buffer {
    if (this.#currencyOfText !== currency) {
      this.#currencyOfText = currency;
      this.#currencyText = Buffer.concat([keys.currency, Buffer.from(`"${currencyText(currency)}"`, 'latin1')]);
    }
    return this.#currencyText;
  }

  /** The first of CRDT or DBIT; 0: there is none. */
  #sideLetter(): number {
    const { bytes, starts, ends } = this.values;
    const start = starts[this.family.side]!;
    const end = ends[this.family.side]!;
    const from = start < 0 ? 0 : trimmedFrom(bytes, start, end);
    return start < 0 || from === end ? 0 : bytes[from]!;
  }
}

function levelsOf({ fields }: PlacedFamily): Record<StatusLevel, number[][]> {
  const places = (level: StatusLevel) =>
    statusFields.map(({ from }) => from[level].map((name) => fields.findIndex((each) => each.name === name)).filter((field) => field >= 0));
  return { group: places('group'), payment: places('payment'), transaction: places('transaction') };
}
