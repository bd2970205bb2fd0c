/** Balances, totals and floor limits of statements from the document, and what is computed of their entries. */
import { pointerTo } from '../../documents/document-stream.ts';
import { type DocumentValues, givenAt, type JsonMembers } from '../../writing/document-values.ts';
import { type FieldTexts, swiftAmount } from './field-texts.ts';

/** What the entries of a statement add up to, in minor units. */
export interface EntrySums {
  readonly currency: string;
  /** With the sign of the balance that they change. */
  readonly net: bigint;
  readonly debit: { readonly count: number; readonly units: bigint };
  readonly credit: { readonly count: number; readonly units: bigint };
}

const balanceKeys: ReadonlySet<string> = new Set(['tag', 'mark', 'date', 'currency', 'amount']);

export class MoneyValues {
  readonly #values: DocumentValues;
  readonly #texts: FieldTexts;

  constructor(values: DocumentValues, texts: FieldTexts) {
    this.#values = values;
    this.#texts = texts;
  }

  currency(object: JsonMembers, pointer: string, otherwise: string | null): string {
    const currency = this.#values.optionalText(object, 'currency', pointer) ?? otherwise;
    if (currency === null || !/^[A-Z]{3}$/.test(currency))
      throw this.#values.refuse(pointerTo(pointer, 'currency'), 'a currency is three letters');
    return currency;
  }

  mark(object: JsonMembers, pointer: string): string {
    const mark = this.#values.optionalText(object, 'mark', pointer) ?? '';
    if (mark !== 'C' && mark !== 'D') throw this.#values.refuse(pointerTo(pointer, 'mark'), 'the mark of a balance is C or D');
    return mark;
  }

  /** Signed, in minor units of its currency. */
  balanceUnits(balance: JsonMembers, pointer: string): bigint {
    const units = this.amountUnits(balance, this.currency(balance, pointer, null), pointer);
    return this.mark(balance, pointer) === 'D' ? -units : units;
  }

  amountUnits(object: JsonMembers, currency: string, pointer: string): bigint {
    const place = pointerTo(pointer, 'amount');
    return this.#texts.units(this.#values.optionalText(object, 'amount', pointer) ?? '', currency, place);
  }

  /**
   * Tag and value of a balance. `tags`: those that it may have, the first of them where it has none. `computed`: what it is where
   * neither mark nor amount are given; null: they have to be.
   */
  balance(
    balance: JsonMembers,
    pointer: string,
    {
      tags,
      currency: otherwise,
      computed,
    }: { readonly tags: readonly string[]; readonly currency: string | null; readonly computed: bigint | null },
  ): readonly [tag: string, value: string] {
    const values = this.#values;
    values.onlyKeys(balance, (key) => balanceKeys.has(key), pointer);
    const tag = values.optionalText(balance, 'tag', pointer) ?? tags[0]!;
    if (!tags.includes(tag)) throw values.refuse(pointerTo(pointer, 'tag'), `the tag is one of ${tags.join(', ')}`);
    const currency = this.currency(balance, pointer, otherwise);
    const date = this.#texts.date(values.optionalText(balance, 'date', pointer) ?? '', pointerTo(pointer, 'date'));
    if (computed !== null && givenAt(balance, 'amount') === null && givenAt(balance, 'mark') === null) {
      const isDebit = computed < 0n;
      return [tag, `${isDebit ? 'D' : 'C'}${date}${currency}${swiftAmount(isDebit ? -computed : computed, currency)}`];
    }
    return [tag, `${this.mark(balance, pointer)}${date}${currency}${swiftAmount(this.amountUnits(balance, currency, pointer), currency)}`];
  }

  /** Value of a field 34F. */
  floorLimit(limit: JsonMembers, pointer: string): string {
    this.#values.onlyKeys(limit, (key) => key !== 'tag' && key !== 'date' && balanceKeys.has(key), pointer);
    const currency = this.currency(limit, pointer, null);
    const mark = givenAt(limit, 'mark') === null ? '' : this.mark(limit, pointer);
    return currency + mark + swiftAmount(this.amountUnits(limit, currency, pointer), currency);
  }

  /** Value of a field 90D or 90C; count and amount are those of the entries where they are absent or null. */
  entryTotal(total: JsonMembers, pointer: string, side: 'debit' | 'credit', sums: EntrySums): string {
    this.#values.onlyKeys(total, (key) => key === 'count' || key === 'currency' || key === 'amount', pointer);
    const currency = this.currency(total, pointer, sums.currency);
    const count = this.#values.optionalCount(total, 'count', pointer) ?? sums[side].count;
    const units = givenAt(total, 'amount') === null ? sums[side].units : this.amountUnits(total, currency, pointer);
    return count + currency + swiftAmount(units, currency);
  }
}
