/** Amounts for people and other programs: exact decimal text instead of an integer and its scale. */
import type { FieldAmounts } from './chunk.ts';
import { decimalText } from './expressions/values.ts';

/** By currency, such as `{ "ZAR": "1800.00" }`. */
export type CurrencyTexts = Readonly<Record<string, string>>;

/** What was summed of one field. */
export interface AmountTexts {
  readonly byCurrency: CurrencyTexts;
  /** Values that were no amount; in no sum. */
  readonly unreadable: number;
}

/** By currency, with as many digits after the point as the field's scale says. */
export function currencyTexts({ scale, byCurrency }: Pick<FieldAmounts[string], 'scale' | 'byCurrency'>): CurrencyTexts {
  const texts = Object.entries(byCurrency).map(([currency, unscaled]) => [currency, decimalText({ unscaled: BigInt(unscaled), scale })]);
  return Object.fromEntries(texts) as CurrencyTexts;
}

export type FieldTexts = Readonly<Record<string, AmountTexts>>;

/** By field. */
export function amountTexts(amounts: FieldAmounts): FieldTexts {
  return Object.fromEntries(
    Object.entries(amounts).map(([field, sum]) => [field, { byCurrency: currencyTexts(sum), unreadable: sum.unreadable }]),
  );
}

/** Of all records of a file, and of those that ended in each way. */
export type StageTexts = Readonly<Record<'read' | 'valid' | 'rejected' | 'filtered', FieldTexts>>;

export function stageTexts({ read, valid, rejected, filtered }: Readonly<Record<keyof StageTexts, FieldAmounts>>): StageTexts {
  return { read: amountTexts(read), valid: amountTexts(valid), rejected: amountTexts(rejected), filtered: amountTexts(filtered) };
}
