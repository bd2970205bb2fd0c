/**
 * Funds types and the fields that follow them: none after 0, 1, 2 and Z; three amounts after S; a date and a time after V;
 * a count and as many pairs of day and amount after D. Source: section 3, records 03 and 16.
 */
import { ExactSum, type Units } from '../exact-sum.ts';
import type { FieldValues, RecordFields } from './record-fields.ts';

const optional = { required: false } as const;
const letterS = 83;
const letterV = 86;
const letterD = 68;

const fundsTypes = '012SVDZ';

export interface Funds {
  readonly isEmpty: boolean;
}

/** Reads a funds type with what belongs to it; `amount` is what the days have to add up to, null where it is not known. */
export function readFunds(fields: RecordFields, amount: Units | null): Funds {
  const values = fields.values;
  if (!fields.take('fundsType')) return { isEmpty: true };
  const { record } = fields;
  if (record.isFieldEmpty) {
    if (values !== null) values['fundsType'] = null;
    return { isEmpty: true };
  }
  const type = record.bytes[record.fieldStart]! & ~(record.bytes[record.fieldStart]! >= 97 ? 32 : 0);
  if (record.fieldEnd - record.fieldStart !== 1 || !fundsTypes.includes(String.fromCharCode(type))) {
    fields.report('funds-type', 'fundsType', 'the field is not a funds type');
    return { isEmpty: false };
  }
  const held: FieldValues | null = values === null ? null : { typeCode: String.fromCharCode(type) };
  fields.values = held;
  if (type === letterS) readThreeDays(fields, amount);
  else if (type === letterV) {
    fields.date('date', optional);
    fields.time('time', optional);
  } else if (type === letterD) readDistributions(fields, amount);
  fields.values = values;
  if (values !== null) values['fundsType'] = held;
  return { isEmpty: false };
}

function readThreeDays(fields: RecordFields, amount: Units | null): void {
  const sum = new ExactSum();
  let isWhole = true;
  for (const field of ['immediateAmount', 'oneDayAmount', 'twoDayAmount']) {
    const units = fields.amount(field);
    if (units === null) isWhole = false;
    else sum.add(units);
  }
  if (isWhole) compare(fields, sum, amount);
}

function readDistributions(fields: RecordFields, amount: Units | null): void {
  const count = fields.number('distributionNumber', { required: true });
  if (count === null) return;
  const values = fields.values;
  const distributions: FieldValues[] = [];
  const sum = new ExactSum();
  let isWhole = true;
  for (let index = 0; index < count && isWhole; index++) {
    fields.values = values === null ? null : {};
    const { errors } = fields;
    fields.number('day', optional);
    const units = fields.amount('amount');
    if (fields.errors > errors) isWhole = false;
    else sum.add(units ?? 0);
    if (fields.values !== null) distributions.push(fields.values);
  }
  fields.values = values;
  if (values !== null) values['distributions'] = distributions;
  if (isWhole) compare(fields, sum, amount);
}

function compare(fields: RecordFields, sum: ExactSum, amount: Units | null): void {
  if (amount === null || sum.value === BigInt(amount)) return;
  fields.report('availability-sum', 'fundsType', `the days add up to ${sum.value}, the amount is ${amount}`, 'warn');
}
