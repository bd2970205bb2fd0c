/** Details of a file by type code, and their sums by direction and currency. */
import { currencyMinorUnits } from '../../engine/reference-data/currencies.ts';
import { CurrencySums, type Units } from '../exact-sum.ts';
import type { TypeCode } from './type-codes.ts';

/** Of a currency that ISO 4217 does not have, or gives none. */
export const assumedDigits = 2;

export class DetailTally {
  read = 0;
  rejected = 0;
  readonly #counts = new Uint32Array(1000);
  readonly #sums = { credit: new CurrencySums(), debit: new CurrencySums() };

  count(typeCode: number): void {
    this.#counts[typeCode]!++;
  }

  add(type: TypeCode, currency: string, units: Units): void {
    if (type.direction !== 'none') this.#sums[type.direction].add(currency, currencyMinorUnits.get(currency) ?? assumedDigits, units);
  }

  amounts() {
    return { credit: this.#sums.credit.texts(), debit: this.#sums.debit.texts() };
  }

  typeCodes(): Record<string, number> {
    const counted = [...this.#counts.entries()].filter(([, count]) => count > 0);
    return Object.fromEntries(counted.map(([code, count]) => [String(code).padStart(3, '0'), count]));
  }
}
