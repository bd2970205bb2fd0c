/** What the reference parser adds up: the same figures as a folded chunk summary, without stripes. */
import type { ChunkSummary, EnvelopeRecord, FieldAmounts, Finding } from '../chunk.ts';
import type { Plan } from '../plan.ts';
import { MoneyTotals, withoutSign } from './money.ts';
import type { ReferenceRecord } from './reference-record.ts';

export interface RunTotals extends Pick<ChunkSummary, 'records' | 'warned' | 'amounts' | 'byType' | 'header' | 'trailer' | 'damage'> {
  /** The rejected amounts summed without their signs. */
  readonly rejectedMagnitudes: FieldAmounts;
  readonly targets: readonly {
    readonly target: number;
    readonly records: number;
    readonly bytes: number;
    readonly amounts: FieldAmounts;
  }[];
}

export class ReferenceTotals {
  readonly #plan: Plan;
  readonly #counts = { valid: 0, rejected: 0, filtered: 0 };
  readonly #money: {
    readonly read: MoneyTotals;
    readonly valid: MoneyTotals;
    readonly rejected: MoneyTotals;
    readonly filtered: MoneyTotals;
  };
  readonly #rejectedMagnitudes: MoneyTotals;
  readonly #byType = new Map<string, number>();
  readonly #targets: { records: number; bytes: number; readonly money: MoneyTotals }[];
  #warned = 0;
  header: EnvelopeRecord | null = null;
  trailer: EnvelopeRecord | null = null;
  readonly damage: Finding[] = [];

  constructor(plan: Plan, scales: ReadonlyMap<string, number>) {
    this.#plan = plan;
    const money = () => new MoneyTotals(scales);
    this.#money = { read: money(), valid: money(), rejected: money(), filtered: money() };
    this.#rejectedMagnitudes = money();
    this.#targets = plan.targets.map(() => ({ records: 0, bytes: 0, money: money() }));
  }

  get read(): number {
    return this.#counts.valid + this.#counts.rejected + this.#counts.filtered;
  }

  add(record: ReferenceRecord): void {
    this.#counts[record.status]++;
    this.#money.read.add(record.amounts);
    this.#money[record.status].add(record.amounts);
    if (record.status === 'rejected') this.#rejectedMagnitudes.add(record.amounts.flatMap(withoutSign));
    if (record.warnings.length > 0) this.#warned++;
    if (record.type !== null) this.#byType.set(record.type, (this.#byType.get(record.type) ?? 0) + 1);
    for (const [target, line] of record.outputs) {
      const totals = this.#targets[target]!;
      totals.records++;
      totals.bytes += line.length;
      totals.money.add(record.amounts);
    }
  }

  result(): RunTotals {
    const types = this.#plan.records.filter((record) => record.role === 'data');
    const money = this.#money;
    return {
      records: { read: this.read, ...this.#counts },
      warned: this.#warned,
      amounts: {
        read: money.read.toFieldAmounts(),
        valid: money.valid.toFieldAmounts(),
        rejected: money.rejected.toFieldAmounts(),
        filtered: money.filtered.toFieldAmounts(),
      },
      rejectedMagnitudes: this.#rejectedMagnitudes.toFieldAmounts(),
      byType: Object.fromEntries(types.map(({ name }) => [name, this.#byType.get(name) ?? 0])),
      targets: this.#targets.map(({ records, bytes, money: amounts }, target) => ({
        target,
        records,
        bytes,
        amounts: amounts.toFieldAmounts(),
      })),
      header: this.header,
      trailer: this.trailer,
      damage: this.damage,
    };
  }
}
