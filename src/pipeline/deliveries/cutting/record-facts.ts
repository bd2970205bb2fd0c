/**
 * What deliveries need to know of single records beyond their lines: the business key, where it is unique in a file, and
 * the amounts. Read again from the raw file by the engine's slow path, only where a target or a split needs it.
 */
import type { ByteSource } from '../../../platform/base/byte-source.ts';
import { AmountTotals } from '../../engine/amount-totals.ts';
import type { FieldAmounts } from '../../engine/chunk.ts';
import { type CompiledFlow, compileFlow } from '../../engine/compile-flow.ts';
import { RecordFetcher } from '../../engine/file/record-fetcher.ts';
import type { Plan } from '../../engine/plan.ts';
import type { RecordJudge } from '../../engine/records/record-judge.ts';
import type { RecordIdentity } from './delivery-key.ts';
import type { RoutedRecord } from './routed-records.ts';

const compiled = new WeakMap<Plan, CompiledFlow>();

export function compiledFlow(plan: Plan): CompiledFlow {
  let flow = compiled.get(plan);
  if (flow === undefined) compiled.set(plan, (flow = compileFlow(plan)));
  return flow;
}

/** True when record identities are business keys, so that finding one costs a look into the file. */
export function hasUniqueKey(plan: Plan): boolean {
  return uniqueKeyIndex(compiledFlow(plan)) >= 0;
}

/** False: no field is summed, so that amounts are known to be nothing. */
export function hasSums(plan: Plan): boolean {
  return compiledFlow(plan).sums.sums.length > 0;
}

function uniqueKeyIndex(flow: CompiledFlow): number {
  return flow.hashedKeys.findIndex((key) => key.name === 'key' && key.isUnique);
}

/** Over one chunk's records. `columns`: the column names of the chunk's context. */
export class RecordFacts {
  readonly #flow: CompiledFlow;
  readonly #fetcher: RecordFetcher;
  readonly #key: number;
  readonly #orderKey: number;

  constructor(plan: Plan, columns: readonly string[] | null, file: ByteSource) {
    this.#flow = compiledFlow(plan);
    this.#fetcher = new RecordFetcher(this.#flow, columns, file);
    this.#key = uniqueKeyIndex(this.#flow);
    this.#orderKey = this.#flow.hashedKeys.findIndex(({ name }) => name === 'key');
  }

  /** The business key, unique or not; null for a record without one. */
  orderKey(routed: RoutedRecord): readonly (string | null)[] | null {
    return this.#orderKey < 0 ? null : (this.#fetcher.fetch(routed.offset).keys[this.#orderKey] ?? null);
  }

  /** A record without a key is known by its number. */
  identity(routed: RoutedRecord): RecordIdentity {
    const key = this.#key < 0 ? null : this.#fetcher.fetch(routed.offset).keys[this.#key];
    return key === null || key === undefined ? { record: routed.record } : { key };
  }

  amounts(routed: RoutedRecord): FieldAmounts {
    const totals = new AmountTotals(this.#flow.sums.sums);
    addTo(totals, this.#fetcher.fetch(routed.offset));
    return totals.toFieldAmounts();
  }

  /** Of all of them together. */
  totalAmounts(records: Iterable<RoutedRecord>): FieldAmounts {
    const totals = new AmountTotals(this.#flow.sums.sums);
    for (const routed of records) addTo(totals, this.#fetcher.fetch(routed.offset));
    return totals.toFieldAmounts();
  }
}

function addTo(totals: AmountTotals, judge: RecordJudge): void {
  for (const { sum, currency, amount } of judge.amounts) {
    if (amount === null) totals.addUnreadable(sum);
    else totals.add(sum, currency, amount);
  }
}
