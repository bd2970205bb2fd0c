/**
 * Reads the fields of one record in their order, checks each as its kind asks, and keeps its value where a document is
 * wanted. What is missing or wrong becomes a finding; reading goes on.
 */
import { currencyMinorUnits } from '../../engine/reference-data/currencies.ts';
import { digitsValue, negated, type Units } from '../exact-sum.ts';
import { areDigits, isDate, isTime } from '../statements/byte-fields.ts';
import type { RuleFindings } from '../statements/rule-findings.ts';
import type { Bai2Rule } from './bai2-rules.ts';
import type { LogicalRecord } from './logical-record.ts';

const minus = 45;
const plus = 43;
const colon = 58;
const digitsMax = 9;
const amountDigitsMax = 24;

export interface FieldValues {
  [name: string]: string | number | null | FieldValues | FieldValues[];
}

export class RecordFields {
  readonly record: LogicalRecord;
  readonly #findings: RuleFindings<Bai2Rule>;
  /** As findings and the document name it. */
  #name = '';
  /** The record ended before one of its fields; told once. */
  #isShort = false;
  /** Where values go; null: none are wanted. */
  values: FieldValues | null = null;

  constructor(record: LogicalRecord, findings: RuleFindings<Bai2Rule>) {
    this.record = record;
    this.#findings = findings;
  }

  begin(name: string, values: FieldValues | null): void {
    this.#name = name;
    this.values = values;
    this.#isShort = false;
    this.record.rewind();
  }

  /** In records that are no details the first slash ends the record. */
  endAtSlash(): void {
    if (this.record.endAtSlash()) this.report('delimiter-inside', null, 'something follows the slash that ends the record; it is not read');
  }

  /** In this record and those before. */
  get errors(): number {
    return this.#findings.errors;
  }

  report(rule: Bai2Rule, field: string | null, message: string, severity: 'error' | 'warn' = 'error'): void {
    this.#findings.add(rule, { ...this.record.fieldPlace(), record: this.#name, field, message, severity });
  }

  reportLine(rule: Bai2Rule, index: number, message: string, severity: 'error' | 'warn' = 'error'): void {
    this.#findings.add(rule, { ...this.record.linePlace(index), record: this.#name, field: null, message, severity });
  }

  /** The next field; false where there is none any more, which is a finding unless `isOptional`. */
  take(field: string, isOptional = false): boolean {
    if (this.record.nextField()) return true;
    if (!isOptional) this.missing(field, 'error');
    return false;
  }

  missing(field: string, severity: 'error' | 'warn'): void {
    if (!this.#isShort) this.report('field-missing', field, 'the record ends before this field', severity);
    this.#isShort = true;
  }

  /** The text of the field, null where it is empty; nothing is made of it where no values are wanted. */
  keep(field: string): void {
    if (this.values !== null) this.values[field] = this.record.isFieldEmpty ? null : this.record.fieldText();
  }

  keepNumber(field: string, value: number | null): void {
    if (this.values !== null) this.values[field] = value;
  }

  text(field: string, { required }: { readonly required: boolean }): void {
    if (!this.take(field)) return;
    if (this.record.isFieldEmpty && required) this.report('field-required', field, 'the field is empty');
    this.keep(field);
  }

  date(field: string, { required }: { readonly required: boolean }): void {
    if (!this.take(field)) return;
    const { bytes, fieldStart, fieldEnd, isFieldEmpty } = this.record;
    this.keep(field);
    if (isFieldEmpty) {
      if (required) this.report('field-required', field, 'the field is empty');
    } else if (!isDate(bytes, fieldStart, fieldEnd)) this.report('date', field, 'the field is not a date yyMMdd');
  }

  time(field: string, { required }: { readonly required: boolean }): void {
    if (!this.take(field)) return;
    this.keep(field);
    if (this.record.isFieldEmpty) {
      if (required) this.report('field-required', field, 'the field is empty');
    } else if (!this.#isTime()) {
      if (this.#isClock()) this.report('time-clock', field, 'the time is written HH:mm:ss', 'warn');
      else this.report('time', field, 'the field is not a time HHmm');
    }
  }

  #isTime(): boolean {
    const { bytes, fieldStart, fieldEnd } = this.record;
    if (isTime(bytes, fieldStart, fieldEnd)) return true;
    if (fieldEnd - fieldStart !== 4) return false;
    const text = bytes.toString('latin1', fieldStart, fieldEnd);
    return text === '2400' || text === '9999';
  }

  #isClock(): boolean {
    const { bytes, fieldStart, fieldEnd } = this.record;
    if (fieldEnd - fieldStart !== 8 || bytes[fieldStart + 2] !== colon || bytes[fieldStart + 5] !== colon) return false;
    const text = bytes.toString('latin1', fieldStart, fieldEnd);
    return /^(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$/.test(text);
  }

  /** A number of at most nine digits; null where the field is empty, missing or wrong. */
  number(field: string, { required, rule = 'number' }: { readonly required: boolean; readonly rule?: Bai2Rule }): number | null {
    if (!this.take(field)) return null;
    const value = this.#readNumber(field, required, rule);
    this.keepNumber(field, value);
    return value;
  }

  #readNumber(field: string, required: boolean, rule: Bai2Rule): number | null {
    const { bytes, fieldStart, fieldEnd, isFieldEmpty } = this.record;
    if (isFieldEmpty) {
      if (required) this.report('field-required', field, 'the field is empty');
      return null;
    }
    if (fieldEnd - fieldStart > digitsMax || !areDigits(bytes, fieldStart, fieldEnd)) {
      this.report(rule, field, `the field is not a number of at most ${digitsMax} digits`);
      return null;
    }
    return Number(digitsValue(bytes, fieldStart, fieldEnd));
  }

  /** In minor units; null where the field is missing or wrong, 0 where it is empty. Keeps the text as it is written. */
  amount(field: string): Units | null {
    if (!this.take(field)) return null;
    this.keep(field);
    const { bytes, fieldStart, fieldEnd, isFieldEmpty } = this.record;
    if (isFieldEmpty) return 0;
    const sign = bytes[fieldStart]!;
    const start = sign === minus || sign === plus ? fieldStart + 1 : fieldStart;
    if (fieldEnd - start > amountDigitsMax || !areDigits(bytes, start, fieldEnd)) {
      this.report('amount-form', field, 'the field is not an amount: digits without a decimal point, after an optional sign');
      return null;
    }
    const units = digitsValue(bytes, start, fieldEnd);
    return sign === minus ? negated(units) : units;
  }

  /** The code, upper-cased; null where the field is empty, missing or no code. */
  currency(field: string): string | null {
    if (!this.take(field)) return null;
    this.keep(field);
    if (this.record.isFieldEmpty) return null;
    const text = this.record.bytes.toString('latin1', this.record.fieldStart, this.record.fieldEnd).toUpperCase();
    if (!/^[A-Z]{3}$/.test(text)) {
      this.report('currency-form', field, 'the field is not three letters');
      return null;
    }
    if (!currencyMinorUnits.has(text))
      this.report('currency-unknown', field, `${text} is not a currency of ISO 4217; two decimals are assumed`, 'warn');
    return text;
  }

  /** What has to hold at the end of every record that is no detail. */
  endOfRecord(): void {
    const { record } = this;
    if (record.nextField() && !this.#isRestEmpty()) this.report('field-extra', null, 'the record has more fields than its format', 'warn');
    this.slashes(Number.POSITIVE_INFINITY);
  }

  /** Lines that end before `textStart` without a slash. */
  slashes(textStart: number): void {
    const index = this.record.lineWithoutSlash(textStart);
    if (index !== null) this.reportLine('delimiter-missing', index, 'no slash ends the line', 'warn');
  }

  #isRestEmpty(): boolean {
    return this.record.isFieldEmpty && !this.record.nextField();
  }
}
