/**
 * The currencies that the totals of a summed field can be asked for: those that the `enum` of its currency field lists, else
 * those of ISO 4217. A code that was mistyped would name a total that is always zero.
 */

import type { RecordPlan } from '../../../pipeline/engine/plan.ts';
import { currencyMinorUnits } from '../../../pipeline/engine/reference-data/currencies.ts';
import { nearestName } from '../../../platform/base/nearest-name.ts';

/** Null: its records name no currency field. Of several fields of one name, those of each. */
export function summedCurrencies(field: string, records: readonly RecordPlan[]): readonly string[] | null {
  const named = records.flatMap((record) =>
    record.fields
      .filter(({ name, sum, currencyField }) => sum && name === field && currencyField !== null)
      .map(({ currencyField }) => record.fields[currencyField!]!),
  );
  return named.length === 0 ? null : [...new Set(named.flatMap((currency) => currency.enum ?? [...currencyMinorUnits.keys()]))];
}

/** In words; null where the total can be asked for. */
export function currencyFault(currency: string, field: string, records: readonly RecordPlan[]): string | null {
  const known = summedCurrencies(field, records);
  if (known === null) return `${field} names no currency field`;
  if (known.includes(currency)) return null;
  const nearest = nearestName(currency, known);
  const isListed = known.some((code) => !currencyMinorUnits.has(code)) || known.length < currencyMinorUnits.size;
  const source = isListed ? `in the enum of the currency of ${field}` : 'in ISO 4217';
  return `no currency ${currency} ${source}${nearest === null ? '' : `; did you mean ${nearest}?`}`;
}
