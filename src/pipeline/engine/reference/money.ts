/**
 * Amounts of the reference parser: plain maps of bigint, added record by record (docs/record-rules.md, section 7).
 */
import type { FieldAmounts } from '../chunk.ts';
import type { Decimal } from '../expressions/values.ts';
import type { Plan, RecordPlan } from '../plan.ts';
import type { CheckedField } from './field-checks.ts';

/** One amount of one record; null where it could not be read. */
export interface Amount {
  readonly name: string;
  readonly currency: string;
  readonly unscaled: bigint | null;
}

/** Scale of each summed name: the largest of the fields that share it. */
export function summedScales(plan: Plan): ReadonlyMap<string, number> {
  const scales = new Map<string, number>();
  for (const record of plan.records) {
    if (record.role !== 'data') continue;
    for (const field of record.fields) if (field.sum) scales.set(field.name, Math.max(scales.get(field.name) ?? 0, scaleOf(field)));
  }
  return scales;
}

function scaleOf(field: RecordPlan['fields'][number]): number {
  return field.type === 'decimal' ? field.scale : 0;
}

export function amountsOf(type: RecordPlan, fields: readonly CheckedField[], scales: ReadonlyMap<string, number>): Amount[] {
  const amounts: Amount[] = [];
  for (const [index, field] of type.fields.entries()) {
    const { text, value } = fields[index]!;
    if (!field.sum || text === null) continue;
    const currency = currencyOf(field.currencyField === null ? null : fields[field.currencyField]!);
    const unscaled = value === null ? null : typeof value === 'bigint' ? value : (value as Decimal).unscaled;
    const shift = 10n ** BigInt(scales.get(field.name)! - scaleOf(field));
    amounts.push({ name: field.name, currency, unscaled: unscaled === null ? null : unscaled * shift });
  }
  return amounts;
}

/** Empty where it could not be read. */
export function withoutSign(amount: Amount): Amount[] {
  const { unscaled } = amount;
  return unscaled === null ? [] : [{ ...amount, unscaled: unscaled < 0n ? -unscaled : unscaled }];
}

/** A record that cannot be taken apart has no readable amount in any field that it should have. */
export function unreadableAmounts(plan: Plan, type: RecordPlan | null): Amount[] {
  const types = type === null ? plan.records.filter((record) => record.role === 'data') : [type];
  const names = new Set(types.flatMap((record) => record.fields.filter((field) => field.sum).map((field) => field.name)));
  return [...names].map((name) => ({ name, currency: 'XXX', unscaled: null }));
}

function currencyOf(field: CheckedField | null): string {
  const isKnown = field !== null && field.problem === null && field.text !== null && /^[A-Z]{3}$/.test(field.text);
  return isKnown ? field.text! : 'XXX';
}

/** Totals per summed name and currency. */
export class MoneyTotals {
  readonly #scales: ReadonlyMap<string, number>;
  readonly #sums = new Map<string, Map<string, bigint>>();
  readonly #unreadable = new Map<string, number>();

  constructor(scales: ReadonlyMap<string, number>) {
    this.#scales = scales;
  }

  add(amounts: readonly Amount[]): void {
    for (const { name, currency, unscaled } of amounts) {
      if (unscaled === null) this.#unreadable.set(name, (this.#unreadable.get(name) ?? 0) + 1);
      else {
        const sums = this.#sums.get(name) ?? new Map<string, bigint>();
        sums.set(currency, (sums.get(currency) ?? 0n) + unscaled);
        this.#sums.set(name, sums);
      }
    }
  }

  toFieldAmounts(): FieldAmounts {
    const amounts: Record<string, FieldAmounts[string]> = {};
    for (const [name, scale] of this.#scales) {
      const sums = [...(this.#sums.get(name) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
      const byCurrency = Object.fromEntries(sums.map(([currency, sum]) => [currency, sum.toString()]));
      Object.defineProperty(amounts, name, { value: { scale, unreadable: this.#unreadable.get(name) ?? 0, byCurrency }, enumerable: true });
    }
    return amounts;
  }
}
