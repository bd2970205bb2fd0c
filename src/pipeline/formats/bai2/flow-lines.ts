/** Writes the lines that flows read of a BAI2 file, as its records come: a detail is one line, with its group and its account. */
import { Buffer } from 'node:buffer';
import { currencyMinorUnits } from '../../engine/reference-data/currencies.ts';
import { decimalText, ExactSum, type Units } from '../exact-sum.ts';
import { type LineKey, lineKey, RecordLines } from '../record-lines.ts';
import { areDigits, isDate, twoDigits } from '../statements/byte-fields.ts';
import type { Place } from '../statements/rule-findings.ts';
import type { Detail } from './account-records.ts';
import { assumedDigits } from './detail-tally.ts';
import { balanceCodes, type headerFields, type recordFields, type trailerFields } from './flow-fields.ts';
import type { LogicalRecord } from './logical-record.ts';

type FieldName = keyof typeof recordFields | keyof typeof headerFields | keyof typeof trailerFields;

const key = (name: FieldName): LineKey => lineKey(name);

const fileKeys = {
  sender: key('sender'),
  receiver: key('receiver'),
  date: key('fileCreatedDate'),
  time: key('fileCreatedTime'),
  id: key('fileIdNumber'),
  numbers: [key('physicalRecordLength'), key('blockSize'), key('versionNumber')],
};
const groupKeys = {
  number: key('groupNumber'),
  receiver: key('receiver'),
  originator: key('originator'),
  status: key('groupStatus'),
  date: key('asOfDate'),
  time: key('asOfTime'),
  modifier: key('asOfDateModifier'),
};
const accountKeys = { number: key('accountNumber'), currency: key('currency') };
const balanceKeys = new Map(Object.entries(balanceCodes).map(([name, code]) => [code as number, key(name as keyof typeof balanceCodes)]));
const detailKeys = {
  number: key('detailNumber'),
  typeCode: key('typeCode'),
  amount: key('amount'),
  credit: key('credit'),
  debit: key('debit'),
  controlAmount: key('controlAmount'),
  fundsType: key('fundsType'),
  availability: [key('immediateAmount'), key('oneDayAmount'), key('twoDayAmount')],
  valueDate: key('valueDate'),
  valueTime: key('valueTime'),
  distributions: key('distributions'),
  bankReference: key('bankReferenceNumber'),
  customerReference: key('customerReferenceNumber'),
  text: key('text'),
  lines: key('lines'),
};
const trailerKeys = {
  total: key('fileControlTotal'),
  numberOfGroups: key('numberOfGroups'),
  numberOfRecords: key('numberOfRecords'),
  groups: key('groups'),
  accounts: key('accounts'),
  summaryTotal: key('summaryTotal'),
  otherLines: key('otherLines'),
};

const minus = 45;
const plus = 43;
const comma = 44;
const lowerCase = 32;
const letterS = 83;
const letterV = 86;
const letterD = 68;
const century = 2_000;
const contextBytes = 4_096;

export interface FileTrailer {
  readonly declared: {
    readonly fileControlTotal: string | null;
    readonly numberOfGroups: number | null;
    readonly numberOfRecords: number | null;
  };
  readonly computed: { readonly numberOfGroups: number; readonly numberOfRecords: number };
  readonly accounts: number;
}

export class FlowLines {
  readonly #lines: RecordLines;
  /** What each detail has of its group and of its account, as it stands in its line. */
  #groupText: Uint8Array = Buffer.alloc(0);
  #accountText: Uint8Array = Buffer.alloc(0);
  readonly #outside = this.#fragment((into) => {
    this.#writeGroup(into, null);
    this.#writeAccount(into, null, null);
  });
  #groups = 0;
  #details = 0;
  #detailLines = 0;
  readonly #summaryTotal = new ExactSum();
  #balances = new Map<number, Units>();
  #digits = assumedDigits;

  constructor(lines: RecordLines) {
    this.#lines = lines;
  }

  fileHeader(record: LogicalRecord): void {
    const lines = this.#lines;
    const { line, offset } = record.firstLine;
    lines.begin('header', line, offset);
    record.rewind();
    this.#text(lines, fileKeys.sender, record);
    this.#text(lines, fileKeys.receiver, record);
    this.#date(lines, fileKeys.date, record);
    this.#text(lines, fileKeys.time, record);
    this.#text(lines, fileKeys.id, record);
    for (const each of fileKeys.numbers) this.#number(lines, each, record);
    lines.end();
  }

  /** Null: an account is in none. */
  openGroup(record: LogicalRecord | null): void {
    this.#groups++;
    this.#details = 0;
    this.#groupText = this.#fragment((into) => this.#writeGroup(into, record));
  }

  #writeGroup(into: RecordLines, record: LogicalRecord | null): void {
    record?.rewind();
    this.#text(into, groupKeys.receiver, record);
    this.#text(into, groupKeys.originator, record);
    this.#number(into, groupKeys.status, record);
    this.#date(into, groupKeys.date, record);
    this.#text(into, groupKeys.time, record);
    record?.nextField();
    this.#number(into, groupKeys.modifier, record);
  }

  /** An amount of the account that is being read. */
  summary(units: Units, typeCode: number | null): void {
    this.#summaryTotal.add(units);
    if (typeCode !== null && balanceKeys.has(typeCode) && !this.#balances.has(typeCode)) this.#balances.set(typeCode, units);
  }

  openAccount(record: LogicalRecord, currency: string): void {
    this.#digits = currencyMinorUnits.get(currency) ?? assumedDigits;
    this.#accountText = this.#fragment((into) => this.#writeAccount(into, record, currency));
    if (this.#balances.size > 0) this.#balances = new Map();
  }

  #writeAccount(into: RecordLines, record: LogicalRecord | null, currency: string | null): void {
    record?.rewind();
    this.#text(into, accountKeys.number, record);
    if (currency === null) into.absent(accountKeys.currency);
    else into.text(accountKeys.currency, currency);
    for (const [code, balanceKey] of balanceKeys) {
      const units = record === null ? undefined : this.#balances.get(code);
      if (units === undefined) into.absent(balanceKey);
      else into.text(balanceKey, decimalText(BigInt(units), this.#digits));
    }
  }

  #fragment(write: (into: RecordLines) => void): Uint8Array {
    let text: Uint8Array = Buffer.alloc(0);
    const into = new RecordLines((bytes) => void (text = Buffer.from(bytes)), contextBytes);
    write(into);
    into.flush();
    return text;
  }

  /** Before anything of the detail is read, so that what is found in it is its own. */
  beginDetail(line: number, offset: number): void {
    this.#lines.begin('record', line, offset);
  }

  detail(record: LogicalRecord, { type, amount }: Detail, isInAccount: boolean): void {
    const lines = this.#lines;
    record.rewind();
    this.#details++;
    this.#detailLines += record.lineCount;
    lines.integer(groupKeys.number, this.#groups);
    lines.integer(detailKeys.number, this.#details);
    if (isInAccount) {
      lines.bytes(this.#groupText);
      lines.bytes(this.#accountText);
    } else lines.bytes(this.#outside);
    this.#text(lines, detailKeys.typeCode, record);
    const hasAmount = record.nextField() && amount !== null;
    this.#amount(detailKeys.amount, record);
    for (const side of ['credit', 'debit'] as const) {
      if (hasAmount && type?.direction === side) this.#amount(detailKeys[side], record);
      else lines.absent(detailKeys[side]);
    }
    if (hasAmount) this.#amount(detailKeys.controlAmount, record, 0);
    else lines.absent(detailKeys.controlAmount);
    this.#funds(record);
    this.#text(lines, detailKeys.bankReference, record);
    this.#text(lines, detailKeys.customerReference, record);
    if (record.restField()) lines.content(detailKeys.text, record.bytes, record.fieldStart, record.fieldEnd);
    else lines.absent(detailKeys.text);
    lines.integer(detailKeys.lines, record.lineCount);
    lines.end();
  }

  trailer({ line, offset }: Place, { declared, computed, accounts }: FileTrailer): void {
    const lines = this.#lines;
    lines.begin('trailer', line, offset);
    if (declared.fileControlTotal === null) lines.absent(trailerKeys.total);
    else lines.text(trailerKeys.total, declared.fileControlTotal);
    for (const name of ['numberOfGroups', 'numberOfRecords'] as const) {
      const value = declared[name];
      if (value === null) lines.absent(trailerKeys[name]);
      else lines.integer(trailerKeys[name], value);
    }
    lines.integer(trailerKeys.groups, computed.numberOfGroups);
    lines.integer(trailerKeys.accounts, accounts);
    lines.text(trailerKeys.summaryTotal, String(this.#summaryTotal.value));
    lines.integer(trailerKeys.otherLines, computed.numberOfRecords - this.#detailLines);
    lines.end();
  }

  /** The funds type and what follows it; where that can't be read, what is in its place. */
  #funds(record: LogicalRecord): void {
    const lines = this.#lines;
    this.#text(lines, detailKeys.fundsType, record);
    const { bytes, fieldStart, fieldEnd } = record;
    const first = fieldEnd - fieldStart === 1 ? bytes[fieldStart]! : 0;
    const type = first >= 97 ? first - lowerCase : first;
    for (const each of detailKeys.availability) {
      if (type === letterS && record.nextField()) this.#amount(each, record);
      else lines.absent(each);
    }
    this.#date(lines, detailKeys.valueDate, type === letterV ? record : null);
    this.#text(lines, detailKeys.valueTime, type === letterV ? record : null);
    if (type === letterD) this.#distributions(record);
    else lines.absent(detailKeys.distributions);
  }

  /** Days and amounts as they are written, with commas between them. */
  #distributions(record: LogicalRecord): void {
    const lines = this.#lines;
    const { bytes } = record;
    record.nextField();
    const isNumber = areDigits(bytes, record.fieldStart, record.fieldEnd);
    const count = isNumber ? Number(bytes.toString('latin1', record.fieldStart, record.fieldEnd)) : 0;
    if (count === 0) {
      lines.content(detailKeys.distributions, bytes, record.fieldStart, record.fieldEnd);
      return;
    }
    lines.bytes(detailKeys.distributions);
    lines.open();
    for (let index = 0; index < 2 * count && record.nextField(); index++) {
      if (index > 0) lines.piece(oneComma, 0, 1);
      lines.characters(bytes, record.fieldStart, record.fieldEnd);
    }
    lines.close();
  }

  #text(into: RecordLines, each: LineKey, record: LogicalRecord | null): void {
    if (record?.nextField()) into.content(each, record.bytes, record.fieldStart, record.fieldEnd);
    else into.absent(each);
  }

  #number(into: RecordLines, each: LineKey, record: LogicalRecord | null): void {
    if (!record?.nextField()) into.absent(each);
    else if (areDigits(record.bytes, record.fieldStart, record.fieldEnd))
      into.digits(each, record.bytes, record.fieldStart, record.fieldEnd - record.fieldStart);
    else into.content(each, record.bytes, record.fieldStart, record.fieldEnd);
  }

  #date(into: RecordLines, each: LineKey, record: LogicalRecord | null): void {
    if (!record?.nextField()) into.absent(each);
    else if (isDate(record.bytes, record.fieldStart, record.fieldEnd))
      into.date(each, century + twoDigits(record.bytes, record.fieldStart), record.bytes, record.fieldStart + 2);
    else into.content(each, record.bytes, record.fieldStart, record.fieldEnd);
  }

  /** The field that was found, in units of the currency, or in minor units where `digits` is 0. */
  #amount(each: LineKey, { bytes, fieldStart, fieldEnd }: LogicalRecord, digits = this.#digits): void {
    const sign = bytes[fieldStart]!;
    const start = fieldStart < fieldEnd && (sign === minus || sign === plus) ? fieldStart + 1 : fieldStart;
    if (areDigits(bytes, start, fieldEnd))
      this.#lines.digits(each, bytes, start, fieldEnd - start, digits, sign === minus && start > fieldStart);
    else this.#lines.content(each, bytes, fieldStart, fieldEnd);
  }
}

const oneComma = Buffer.from([comma]);
