/** The account identifier with its statuses and summaries (03), and the transaction detail (16). */

import { digitsValue, type Units } from '../exact-sum.ts';
import { areDigits } from '../statements/byte-fields.ts';
import { readFunds } from './funds-availability.ts';
import type { FieldValues, RecordFields } from './record-fields.ts';
import { type TypeCode, typeCode } from './type-codes.ts';

export type UnknownTypeCodes = 'refuse' | 'warn' | 'allow';

const nonMonetary = 890;

type AddSummary = (units: Units, typeCode: number | null) => void;

/** Gives the account's currency, null where it is the group's; `add` gets each amount of the record with its type code. */
export function readAccountIdentifier(
  fields: RecordFields,
  unknownCodes: UnknownTypeCodes,
  add: AddSummary,
): { readonly currency: string | null } {
  const values = fields.values;
  fields.text('accountNumber', { required: true });
  const currency = fields.currency('currencyCode');
  const summaries: FieldValues[] = [];
  while (takeTypeCode(fields)) {
    fields.values = values === null ? null : {};
    readSummary(fields, unknownCodes, add);
    if (fields.values !== null) summaries.push(fields.values);
  }
  fields.values = values;
  if (values !== null) values['summaries'] = summaries;
  fields.endOfRecord();
  return { currency };
}

/** Skips empty fields where a type code would be: senders that report nothing, or end a line with a comma too many. */
function takeTypeCode(fields: RecordFields): boolean {
  while (fields.take('typeCode', true)) if (!fields.record.isFieldEmpty) return true;
  return false;
}

function readSummary(fields: RecordFields, unknownCodes: UnknownTypeCodes, add: AddSummary): void {
  const code = readTypeCode(fields, unknownCodes);
  if (code?.type.level === 'detail') tellLevel(fields, code.number, 'detail');
  const amount = fields.amount('amount');
  if (amount !== null) {
    if (amount < 0 && code !== null && code.type.level !== 'status') tellSign(fields);
    add(amount, code?.number ?? null);
  }
  // The fields after a status are often left out at the end of a record.
  if (fields.values !== null) fields.values['itemCount'] = fields.values['fundsType'] = null;
  const hasCount = fields.take('itemCount', true);
  const count = hasCount ? readItemCount(fields) : null;
  const funds = hasCount && fields.record.hasNext ? readFunds(fields, amount) : { isEmpty: true };
  if (code?.type.level === 'status' && code.type.isKnown && (count !== null || !funds.isEmpty)) {
    fields.report('status-availability', 'itemCount', `the status ${code.number} has an item count or a funds type`, 'warn');
  }
}

function readItemCount(fields: RecordFields): number | null {
  const { bytes, fieldStart, fieldEnd, isFieldEmpty } = fields.record;
  let count: number | null = null;
  if (!isFieldEmpty) {
    if (fieldEnd - fieldStart <= 9 && areDigits(bytes, fieldStart, fieldEnd)) count = Number(digitsValue(bytes, fieldStart, fieldEnd));
    else fields.report('item-count', 'itemCount', 'the item count is not digits, at most nine');
  }
  fields.keepNumber('itemCount', count);
  return count;
}

export interface Detail {
  /** Null where there is no code or amount to count. */
  readonly type: TypeCode | null;
  readonly number: number | null;
  readonly amount: Units | null;
}

export function readDetail(fields: RecordFields, unknownCodes: UnknownTypeCodes): Detail {
  const hasCode = fields.take('typeCode');
  const code = hasCode ? readTypeCode(fields, unknownCodes) : null;
  if (code?.type.isKnown && code.number < 900 && code.type.level !== 'detail') tellLevel(fields, code.number, code.type.level);
  const amount = fields.amount('amount');
  if (amount !== null && amount < 0) tellSign(fields);
  if (code?.number === nonMonetary && !fields.record.isFieldEmpty) {
    fields.report('non-monetary-amount', 'amount', 'the type code 890 has no amount, but one is given', 'warn');
  }
  readFunds(fields, amount);
  fields.text('bankReferenceNumber', { required: false });
  fields.text('customerReferenceNumber', { required: false });
  const hasText = fields.record.restField();
  if (!hasText) fields.missing('text', 'warn');
  if (fields.values !== null) fields.values['text'] = (hasText && fields.record.fieldText()) || null;
  fields.slashes(hasText ? fields.record.fieldStart : Number.POSITIVE_INFINITY);
  return { type: code?.type ?? null, number: code?.number ?? null, amount };
}

function readTypeCode(fields: RecordFields, unknownCodes: UnknownTypeCodes): { readonly type: TypeCode; readonly number: number } | null {
  const { bytes, fieldStart, fieldEnd, isFieldEmpty } = fields.record;
  fields.keep('typeCode');
  if (fieldEnd - fieldStart !== 3 || !areDigits(bytes, fieldStart, fieldEnd)) {
    fields.report('type-code-form', 'typeCode', 'the type code is not three digits', isFieldEmpty ? 'warn' : 'error');
    return null;
  }
  const number = Number(digitsValue(bytes, fieldStart, fieldEnd));
  const type = typeCode(number);
  if (!type.isKnown && unknownCodes !== 'allow') {
    fields.report(
      'type-code-unknown',
      'typeCode',
      `the type code ${number} is not in Appendix A`,
      unknownCodes === 'refuse' ? 'error' : 'warn',
    );
  }
  return { type, number };
}

function tellLevel(fields: RecordFields, number: number, level: TypeCode['level']): void {
  fields.report('type-code-level', 'typeCode', `the type code ${number} is that of a ${level}`, 'warn');
}

function tellSign(fields: RecordFields): void {
  fields.report('amount-sign', 'amount', 'the amount is negative', 'warn');
}
