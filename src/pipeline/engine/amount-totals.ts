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

export function planSums(plan: Pick<Plan, 'records'>): SumLayout {
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

/** One running total: a double while it is exact, carried into a bigint before it could lose a digit. */
class RunningTotal {
  #carried = 0n;
  #small = 0;

  add(amount: bigint): void {
    this.#carried += amount;
  }

  /** `amount` and the total so far are integers below 2^52. */
  addSmall(amount: number): void {
    this.#small += amount;
    if (this.#small > carryAt || this.#small < -carryAt) {
      this.#carried += BigInt(this.#small);
      this.#small = 0;
    }
  }

  get exact(): bigint {
    return this.#carried + BigInt(this.#small);
  }

  get text(): string {
    return this.#carried === 0n ? String(this.#small) : this.exact.toString();
  }
}

const carryAt = 2 ** 52;

/** Mutable totals over the sums of one layout. */
export class AmountTotals {
  readonly #sums: readonly SumPlan[];
  readonly #byCurrency: Map<string, RunningTotal>[];
  readonly #unreadable: number[];

  constructor(sums: readonly SumPlan[]) {
    this.#sums = sums;
    this.#byCurrency = sums.map(() => new Map());
    this.#unreadable = sums.map(() => 0);
  }

  #total(sum: number, currency: string): RunningTotal {
    const totals = this.#byCurrency[sum]!;
    let total = totals.get(currency);
    if (total === undefined) {
      total = new RunningTotal();
      totals.set(currency, total);
    }
    return total;
  }

  add(sum: number, currency: string, amount: bigint): void {
    this.#total(sum, currency).add(amount);
  }

  /** `amount` is an integer below 2^52. */
  addSmall(sum: number, currency: string, amount: number): void {
    this.#total(sum, currency).addSmall(amount);
  }

  addUnreadable(sum: number): void {
    this.#unreadable[sum]!++;
  }

  addAll(other: AmountTotals): void {
    for (let sum = 0; sum < this.#sums.length; sum++) {
      for (const [currency, total] of other.#byCurrency[sum]!) this.add(sum, currency, total.exact);
      this.#unreadable[sum]! += other.#unreadable[sum]!;
    }
  }

  clear(): void {
    for (let sum = 0; sum < this.#sums.length; sum++) this.#byCurrency[sum] = new Map();
    this.#unreadable.fill(0);
  }

  /** Currencies in alphabetical order, so that equal totals are equal bytes. */
  toFieldAmounts(): FieldAmounts {
    const amounts: Record<string, FieldAmounts[string]> = {};
    for (let sum = 0; sum < this.#sums.length; sum++) {
      const { name, scale } = this.#sums[sum]!;
      const byCurrency: Record<string, string> = {};
      const totals = this.#byCurrency[sum]!;
      for (const currency of [...totals.keys()].sort()) byCurrency[currency] = totals.get(currency)!.text;
      define(amounts, name, { scale, unreadable: this.#unreadable[sum]!, byCurrency });
    }
    return amounts;
  }
}

/** As a property of its own even when a field is called `__proto__`. */
function define(amounts: Record<string, FieldAmounts[string]>, name: string, value: FieldAmounts[string]): void {
  if (name === '__proto__') Object.defineProperty(amounts, name, { value, enumerable: true, configurable: true, writable: true });
  else amounts[name] = value;
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

/** Of the amounts of one record; of sums it says no more than that their records come to so much at least. */
export function withoutSigns(amounts: FieldAmounts): FieldAmounts {
  return fieldAmounts(
    Object.entries(amounts).map(([name, { scale, unreadable, byCurrency }]) => ({
      name,
      scale,
      unreadable,
      byCurrency: new Map(Object.entries(byCurrency).map(([currency, text]) => [currency, magnitudeOf(BigInt(text))])),
    })),
  );
}

export function magnitudeOf(amount: bigint): bigint {
  return amount < 0n ? -amount : amount;
}

/** Adds (`sign` 1) or takes away (`sign` -1). Both sides may lack a field; a currency stays even when it reaches zero. */
export function addAmounts(left: FieldAmounts, right: FieldAmounts, sign: 1 | -1 = 1): FieldAmounts {
  if (sign === 1 && Object.keys(left).length === 0) return right;
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
