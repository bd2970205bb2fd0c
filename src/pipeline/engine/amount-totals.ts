/**
 * Exact sums of the fields that a plan sums, per currency, and the layout of those fields over the record types. Sums are
 * bigint at the field's scale: nothing overflows and nothing is rounded.
 */
import type { FieldAmounts } from './chunk.ts';
import type { Plan, RecordPlan } from './plan.ts';

export const unknownCurrency = 'XXX';
const currencyForm = /^[A-Z]{3}$/;

/** The currency an amount is counted under. */
export function currencyOf(text: string | null): string {
  return text !== null && currencyForm.test(text) ? text : unknownCurrency;
}

/** One summed field name; where several record types share the name at different scales, the largest scale counts. */
export interface SumPlan {
  readonly name: string;
  readonly scale: number;
}

/** A summed field of one record type. */
export interface SummedField {
  readonly field: number;
  readonly sum: number;
  readonly currencyField: number | null;
  /** 10^(scale of the sum - scale of the field). */
  readonly factor: bigint;
}

export interface SumLayout {
  readonly sums: readonly SumPlan[];
  /** By record type. Header and trailer fields are never summed. */
  readonly byType: readonly (readonly SummedField[])[];
}

export function planSums(plan: Plan): SumLayout {
  const scales = new Map<string, number>();
  const summed = plan.records.map((record) => (record.role === 'data' ? summedFields(record) : []));
  for (const { name, scale } of summed.flat()) scales.set(name, Math.max(scale, scales.get(name) ?? 0));
  const sums = [...scales].map(([name, scale]) => ({ name, scale }));
  const byType = summed.map((fields) =>
    fields.map(({ name, scale, index, currencyField }) => ({
      field: index,
      sum: sums.findIndex((sum) => sum.name === name),
      currencyField,
      factor: 10n ** BigInt(scales.get(name)! - scale),
    })),
  );
  return { sums, byType };
}

function summedFields(record: RecordPlan): { name: string; scale: number; index: number; currencyField: number | null }[] {
  return record.fields.flatMap((field, index) =>
    field.sum ? [{ name: field.name, scale: field.type === 'decimal' ? field.scale : 0, index, currencyField: field.currencyField }] : [],
  );
}

/** Mutable totals over the sums of one layout. */
export class AmountTotals {
  readonly #sums: readonly SumPlan[];
  readonly #byCurrency: Map<string, bigint>[];
  readonly #unreadable: number[];

  constructor(sums: readonly SumPlan[]) {
    this.#sums = sums;
    this.#byCurrency = sums.map(() => new Map());
    this.#unreadable = sums.map(() => 0);
  }

  add(sum: number, currency: string, amount: bigint): void {
    const totals = this.#byCurrency[sum]!;
    totals.set(currency, (totals.get(currency) ?? 0n) + amount);
  }

  addUnreadable(sum: number): void {
    this.#unreadable[sum]!++;
  }

  addAll(other: AmountTotals): void {
    for (let sum = 0; sum < this.#sums.length; sum++) {
      for (const [currency, amount] of other.#byCurrency[sum]!) this.add(sum, currency, amount);
      this.#unreadable[sum]! += other.#unreadable[sum]!;
    }
  }

  clear(): void {
    for (const totals of this.#byCurrency) totals.clear();
    this.#unreadable.fill(0);
  }

  /** Currencies in alphabetical order, so that equal totals are equal bytes. */
  toFieldAmounts(): FieldAmounts {
    return fieldAmounts(
      this.#sums.map((sum, index) => ({
        name: sum.name,
        scale: sum.scale,
        unreadable: this.#unreadable[index]!,
        byCurrency: this.#byCurrency[index]!,
      })),
    );
  }
}

function fieldAmounts(
  sums: readonly {
    readonly name: string;
    readonly scale: number;
    readonly unreadable: number;
    readonly byCurrency: ReadonlyMap<string, bigint>;
  }[],
): FieldAmounts {
  return Object.fromEntries(
    sums.map(({ name, scale, unreadable, byCurrency }) => {
      const sorted = [...byCurrency].sort(([a], [b]) => (a < b ? -1 : 1)).map(([currency, amount]) => [currency, amount.toString()]);
      return [name, { scale, unreadable, byCurrency: Object.fromEntries(sorted) as Record<string, string> }];
    }),
  );
}

/** Adds (`sign` 1) or takes away (`sign` -1). Both sides may lack a field; a currency stays even when it reaches zero. */
export function addAmounts(left: FieldAmounts, right: FieldAmounts, sign: 1 | -1 = 1): FieldAmounts {
  const names = [...new Set([...Object.keys(left), ...Object.keys(right)])];
  return fieldAmounts(
    names.map((name) => {
      const a = Object.hasOwn(left, name) ? left[name]! : null;
      const b = Object.hasOwn(right, name) ? right[name]! : null;
      if (a !== null && b !== null && a.scale !== b.scale) throw new Error(`amounts of ${JSON.stringify(name)} have different scales`);
      const byCurrency = new Map(Object.entries(a?.byCurrency ?? {}).map(([currency, text]) => [currency, BigInt(text)]));
      for (const [currency, text] of Object.entries(b?.byCurrency ?? {})) {
        byCurrency.set(currency, (byCurrency.get(currency) ?? 0n) + BigInt(sign) * BigInt(text));
      }
      return { name, scale: (a ?? b)!.scale, unreadable: (a?.unreadable ?? 0) + sign * (b?.unreadable ?? 0), byCurrency };
    }),
  );
}
