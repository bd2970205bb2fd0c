/**
 * Field 61, a statement line, byte by byte: value date, entry date, mark, funds code, amount, type, references, details.
 * Source: Standards MT Category 9, field 61.
 */

import { negated, type Units } from '../exact-sum.ts';
import { areDigits, isDate, isMonthDay, twoDigits } from '../statements/byte-fields.ts';
import { tellAmount, tellAmountLength } from './balances.ts';
import { isLastOfFebruary, isoDate, nearestYear } from './calendar-dates.ts';
import { readDecimal } from './decimal-amounts.ts';
import type { FieldText } from './field-text.ts';
import type { SwiftFindings } from './swift-findings.ts';

const space = 32;
const slash = 47;
const comma = 44;
const letterC = 67;
const letterD = 68;
const letterE = 69;
const letterR = 82;
const letterS = 83;

const referenceMax = 16;
const detailsMax = 34;
/** What some banks write where there is no entry date. */
const fourSpaces = 0x20202020;
/** Two dates, a mark and a funds code. */
const markEndMax = 13;

const isUpper = (byte: number | undefined) => byte !== undefined && byte >= 65 && byte <= 90;
const isDigit = (byte: number | undefined) => byte !== undefined && byte >= 48 && byte <= 57;

/** Where the parts of the last entry lie; -1: absent. Used again for each entry. */
export class StatementEntry {
  isCredit = false;
  /** Without a sign; null where it cannot be read. */
  units: Units | null = null;
  #field: FieldText | null = null;
  /** The parts from the mark on were found. */
  hasParts = false;
  entryDateAt = -1;
  markAt = 0;
  fundsAt = -1;
  amountAt = 0;
  amountEnd = 0;
  typeAt = 0;
  /** As `typeAt` where the entry has no type. */
  typeEnd = 0;
  referenceEnd = 0;
  lineEnd = 0;

  /** What it does to the balance. */
  get signed(): Units {
    return this.isCredit ? this.units! : negated(this.units!);
  }

  /** False where the field cannot be read as far as its amount. */
  read(field: FieldText, decimals: number, allowsExpected: boolean, findings: SwiftFindings): boolean {
    this.#field = field;
    this.units = null;
    this.hasParts = false;
    this.entryDateAt = -1;
    const { bytes } = field;
    if (field.lineCount > 1 && isBroken(field)) {
      findings.tell('field-format', field.place(), '61', 'the entry goes on in its second line', 'warn');
      field.joinLines();
    }
    const end = (this.lineEnd = field.lineEnd(0));
    if (end < 6 || !isDate(bytes, 0, 6)) {
      const severity = end >= 6 && isLastOfFebruary(bytes, 0) ? 'warn' : undefined;
      findings.tell('date', field.place(0, 6), '61', 'the value date is not a day of the calendar', severity);
      if (end < 6 || !areDigits(bytes, 0, 6)) return false;
    }
    let at = this.#readEntryDate(field, end, findings);
    at = this.#readMark(field, at, allowsExpected, findings);
    if (at < 0) return false;
    this.fundsAt = isUpper(bytes[at]) && at < end ? at++ : -1;
    this.amountAt = at;
    while (at < end && (isDigit(bytes[at]) || bytes[at] === comma)) at++;
    this.amountEnd = at;
    this.#readAmount(field, decimals, findings);
    this.#readReferences(field, findings);
    this.hasParts = true;
    return this.units !== null;
  }

  #readEntryDate(field: FieldText, end: number, findings: SwiftFindings): number {
    const { bytes } = field;
    this.entryDateAt = -1;
    if (end > 10 && bytes.readUInt32BE(6) === fourSpaces) {
      findings.tell('field-format', field.place(6, 10), '61', 'the entry date is blank', 'warn');
      return 10;
    }
    if (end < 10 || !areDigits(bytes, 6, 10)) return 6;
    this.entryDateAt = 6;
    // February is in the year after where the value date is in its last months.
    const isLeapYear = (twoDigits(bytes, 0) + (twoDigits(bytes, 2) > 8 ? 1 : 0)) % 4 === 0;
    if (!isMonthDay(bytes, 6, isLeapYear)) findings.tell('date', field.place(6, 10), '61', 'the entry date is not a day of the calendar');
    return 10;
  }

  /** Gives where the mark ends; -1 where there is none. */
  #readMark(field: FieldText, at: number, allowsExpected: boolean, findings: SwiftFindings): number {
    const { bytes } = field;
    this.markAt = at;
    const first = bytes[at]!;
    const isReversal = first === letterR;
    const isTwoLetters = isReversal || (first === letterE && allowsExpected);
    const sideAt = isTwoLetters ? at + 1 : at;
    const side = bytes[sideAt];
    if (sideAt >= this.lineEnd || (side !== letterC && side !== letterD)) {
      findings.tell('mark', field.place(at, at + 2), '61', 'the mark is not C, D, RC or RD');
      return -1;
    }
    this.isCredit = (side === letterC) !== isReversal;
    return at + (isTwoLetters ? 2 : 1);
  }

  #readAmount(field: FieldText, decimals: number, findings: SwiftFindings): void {
    const place = () => field.place(this.amountAt, this.amountEnd);
    const units = readDecimal(field.bytes, this.amountAt, this.amountEnd, decimals);
    if (units === 'amount') this.units = tellAmount(field, this.amountAt, this.amountEnd, decimals, findings);
    else if (units === 'amount-decimals') findings.tell('amount-decimals', place(), '61', `the amount has more than ${decimals} decimals`);
    else this.units = units;
    const length = this.amountEnd - this.amountAt;
    tellAmountLength(length, place, '61', findings);
  }

  #readReferences(field: FieldText, findings: SwiftFindings): void {
    const { bytes } = field;
    const end = this.lineEnd;
    const isSpaced = bytes[this.amountEnd] === space && this.amountEnd + 5 <= end && this.#isType(field, this.amountEnd + 1);
    const type = (this.typeAt = this.amountEnd + (isSpaced ? 1 : 0));
    if (isSpaced) findings.tell('entry-type', field.place(type - 1, type + 4), '61', 'a space stands before the type');
    else if (type + 4 > end || !this.#isType(field, type))
      findings.tell(
        'entry-type',
        field.place(type, type + 4),
        '61',
        'the type is not N or F and three letters or digits, or S and three digits',
      );
    // Where no type is, two slashes before the reference of the bank are none either.
    const hasNoType = type + 1 < end && bytes[type] === slash && bytes[type + 1] === slash;
    const start = (this.typeEnd = hasNoType ? type : Math.min(type + 4, end));
    let at = start;
    while (at < end && !(bytes[at] === slash && bytes[at + 1] === slash && at + 1 < end)) at++;
    this.referenceEnd = at;
    const ofBank = at < end ? end - at - 2 : 0;
    if (at - start > referenceMax || (at === start && !hasNoType) || ofBank > referenceMax) {
      const lengths = `the references have ${at - start} and ${ofBank} characters, 1 to ${referenceMax} and at most ${referenceMax} are allowed`;
      findings.tell('entry-reference', field.place(start, end), '61', lengths);
    }
    if (field.lineCount > 2 || (field.lineCount === 2 && field.length - end - 1 > detailsMax)) {
      findings.tell(
        'entry-details',
        field.place(end + 1, field.lineEnd(1)),
        '61',
        `the details are not one line of at most ${detailsMax} characters`,
      );
    }
  }

  #isType({ bytes }: FieldText, at: number): boolean {
    const first = bytes[at]!;
    if (first === letterS) return areDigits(bytes, at + 1, at + 4);
    if (first !== 78 && first !== 70) return false;
    for (let index = at + 1; index < at + 4; index++) if (!isUpper(bytes[index]) && !isDigit(bytes[index])) return false;
    return true;
  }

  /** For the document; of an entry that cannot be read as far as its amount, the dates. */
  values(amount: string | null): Record<string, string | null> {
    const field = this.#field!;
    const valueDate = isoDate(field.bytes, 0, this.lineEnd);
    const dates = { valueDate, entryDate: this.#entryDateText(valueDate) };
    if (!this.hasParts) return dates;
    const type = field.latin1(this.typeAt, this.typeEnd);
    const reference = field.text(this.typeEnd, this.referenceEnd);
    return {
      ...dates,
      mark: field.latin1(this.markAt, this.fundsAt >= 0 ? this.fundsAt : this.amountAt),
      fundsCode: this.fundsAt < 0 ? null : field.latin1(this.fundsAt, this.fundsAt + 1),
      amount,
      transactionType: type === '' ? null : type,
      customerReference: reference === '' ? null : reference,
      bankReference: this.referenceEnd < this.lineEnd ? field.text(this.referenceEnd + 2, this.lineEnd) : null,
      supplementaryDetails: field.lineCount > 1 ? field.text(this.lineEnd + 1) : null,
    };
  }

  #entryDateText(valueDate: string | null): string | null {
    if (this.entryDateAt < 0 || valueDate === null) return null;
    const text = this.#field!.latin1(this.entryDateAt, this.entryDateAt + 4);
    return nearestYear(valueDate, text.slice(0, 2), text.slice(2));
  }
}

/** The first line ends with the mark or the funds code, and the second begins with an amount. */
function isBroken(field: FieldText): boolean {
  const { bytes } = field;
  const end = field.lineEnd(0);
  return end > 6 && end <= markEndMax && isUpper(bytes[end - 1]) && isDigit(bytes[field.lineStart(1)]) && field.lineEnd(1) > end + 1;
}
