/** Balances (fields 60, 62, 64, 65): mark, date, currency and amount. */
import { currencyMinorUnits } from '../../engine/reference-data/currencies.ts';
import { decimalText, negated, type Units } from '../exact-sum.ts';
import { areUpperLetters, isDate } from '../statements/byte-fields.ts';
import type { Place } from '../statements/rule-findings.ts';
import { isoDate } from './calendar-dates.ts';
import { decimalsOf, readDecimal, readWhole } from './decimal-amounts.ts';
import type { FieldText } from './field-text.ts';
import type { SwiftFindings } from './swift-findings.ts';

const letterC = 67;
const letterD = 68;
const amountAt = 10;
const amountLengthMax = 15;
const filledLengthMax = 30;

export interface Balance {
  readonly currency: string;
  /** Negative for a debit. */
  readonly units: Units;
}

/** Null where it cannot be read; what is wrong is told. */
export function readBalance(field: FieldText, findings: SwiftFindings): Balance | null {
  const { bytes, tag } = field;
  const end = field.lineEnd(0);
  const mark = bytes[0];
  if (end <= amountAt || field.lineCount > 1 || !areUpperLetters(bytes, 7, amountAt)) {
    findings.tell('field-format', field.place(), tag, 'the field is not a mark, a date, a currency and an amount');
    return null;
  }
  const isMarked = mark === letterC || mark === letterD;
  if (!isMarked) findings.tell('mark', field.place(0, 1), tag, 'the mark is not C or D');
  if (!isDate(bytes, 1, 7)) findings.tell('date', field.place(1, 7), tag, 'the date is not a day of the calendar');
  const currency = field.latin1(7, amountAt);
  const units = readMoney(field, amountAt, currency, findings);
  return units === null || !isMarked ? null : { currency, units: mark === letterD ? negated(units) : units };
}

/** An amount up to the end of the first line in a currency, which is checked too. */
export function readMoney(field: FieldText, start: number, currency: string, findings: SwiftFindings): Units | null {
  const { bytes, tag } = field;
  const end = field.lineEnd(0);
  const decimals = decimalsOf(currency);
  if (!currencyMinorUnits.has(currency)) {
    findings.tell(
      'currency-unknown',
      field.place(start - 3, start),
      tag,
      `${currency} is not a currency of ISO 4217; two decimals are assumed`,
    );
  }
  const place = () => field.place(start, end);
  const units = readDecimal(bytes, start, end, decimals);
  tellAmountLength(end - start, place, tag, findings);
  if (units === 'amount') return tellAmount(field, start, end, decimals, findings);
  if (units === 'amount-decimals')
    findings.tell('amount-decimals', place(), tag, `the amount has more decimals than the ${decimals} of ${currency}`);
  return units === 'amount-decimals' ? null : units;
}

/** Banks fill amounts of statements with zeros; beyond a bound they are none. */
export function tellAmountLength(length: number, place: () => Place, tag: string, findings: SwiftFindings): void {
  if (length <= amountLengthMax) return;
  const severity = length > filledLengthMax ? 'error' : undefined;
  findings.tell('amount-length', place(), tag, `the amount has ${length} characters, ${amountLengthMax} are allowed`, severity);
}

/** What an amount that is none is read as: in statements digits alone are a whole amount. */
export function tellAmount(field: FieldText, start: number, end: number, decimals: number, findings: SwiftFindings): Units | null {
  const whole = findings.isStatement ? readWhole(field.bytes, start, end, decimals) : null;
  findings.tell('amount', field.place(start, end), field.tag, 'the amount is not digits with one comma', whole === null ? 'error' : 'warn');
  return whole;
}

/** For the document. */
export function balanceValues(field: FieldText, balance: Balance | null): Record<string, string | null> {
  return {
    tag: field.tag,
    mark: field.latin1(0, Math.min(1, field.length)),
    date: isoDate(field.bytes, 1, field.length),
    currency: field.latin1(7, Math.min(amountAt, field.length)),
    amount: balance === null ? null : decimalText(absolute(balance.units), decimalsOf(balance.currency)),
  };
}

export function absolute(units: Units): bigint {
  const exact = BigInt(units);
  return exact < 0n ? -exact : exact;
}
