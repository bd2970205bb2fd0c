/**
 * Everything a chunk adds up while it runs: counts, amounts, findings, stripes. One record at a time from the slow path,
 * many at once from a generated kernel; both end in the same summary.
 */

import { AmountTotals, magnitudeOf } from './amount-totals.ts';
import { TargetOutput } from './bodies/target-output.ts';
import type { ChunkSinks, ChunkSummary, EnvelopeRecord, Finding } from './chunk.ts';
import type { CompiledFlow } from './compile-flow.ts';
import { FindingGroups } from './finding-groups.ts';
import type { RecordFinding } from './records/record-finding.ts';
import type { RecordAmount } from './records/record-judge.ts';

export class ChunkTally {
  readonly #flow: CompiledFlow;
  readonly #sinks: ChunkSinks;
  readonly outputs: readonly TargetOutput[];
  readonly byType: number[];
  readonly amounts: { readonly valid: AmountTotals; readonly rejected: AmountTotals; readonly filtered: AmountTotals };
  /** Of rejected records, without signs; null where nothing is limited by it. */
  readonly #magnitudes: AmountTotals | null;
  valid = 0;
  rejected = 0;
  filtered = 0;
  warned = 0;
  header: EnvelopeRecord | null = null;
  trailer: EnvelopeRecord | null = null;
  readonly damage: Finding[] = [];
  /** Called before stripes are cut: amounts that are still added up elsewhere. */
  drain: () => void = () => {};
  readonly #errors = new FindingGroups();
  readonly #warnings = new FindingGroups();

  constructor(flow: CompiledFlow, sinks: ChunkSinks, outputBytes: number) {
    const { sums } = flow.sums;
    this.#flow = flow;
    this.#sinks = sinks;
    this.outputs = flow.plan.targets.map((_, index) => new TargetOutput(index, sinks.targets[index]!, sums, outputBytes));
    this.byType = flow.plan.records.map(() => 0);
    this.amounts = { valid: new AmountTotals(sums), rejected: new AmountTotals(sums), filtered: new AmountTotals(sums) };
    this.#magnitudes = flow.plan.acceptance.maxInvalidAmount === null ? null : new AmountTotals(sums);
  }

  get read(): number {
    return this.valid + this.rejected + this.filtered;
  }

  /** Records of one type that a kernel took. */
  addTaken(taken: { readonly type: number; readonly valid: number; readonly filtered: number }): void {
    this.valid += taken.valid;
    this.filtered += taken.filtered;
    this.byType[taken.type]! += taken.valid + taken.filtered;
  }

  reject(findings: readonly RecordFinding[], record: number, offset: number): void {
    this.rejected++;
    for (const { code, field, rule, message } of findings) {
      const finding = { record, offset, code, field, rule, message };
      this.#errors.add(finding);
      this.#sinks.rejected(finding);
    }
  }

  warn(warnings: readonly RecordFinding[], record: number, offset: number): void {
    this.warned++;
    for (const { code, field, rule, message } of warnings) {
      const finding = { record, offset, code, field, rule, message };
      this.#warnings.add(finding);
      this.#sinks.warned(finding);
    }
  }

  addAmounts(status: 'valid' | 'rejected' | 'filtered', amounts: readonly RecordAmount[], targets: readonly number[]): void {
    for (const { sum, currency, amount } of amounts) {
      if (amount === null) this.amounts[status].addUnreadable(sum);
      else {
        this.amounts[status].add(sum, currency, amount);
        if (status === 'rejected') this.#magnitudes?.add(sum, currency, magnitudeOf(amount));
        for (const target of targets) this.outputs[target]!.stripeAmounts.add(sum, currency, amount);
      }
    }
  }

  /** Closes the open stripes of all targets at once. */
  cutStripes(): void {
    this.drain();
    for (const output of this.outputs) output.cutStripe();
  }

  summary(): ChunkSummary {
    const { records } = this.#flow.plan;
    const read = new AmountTotals(this.#flow.sums.sums);
    for (const totals of Object.values(this.amounts)) read.addAll(totals);
    const types = records.map((record, index) => [record, this.byType[index]!] as const).filter(([record]) => record.role === 'data');
    return {
      records: { read: this.read, valid: this.valid, rejected: this.rejected, filtered: this.filtered },
      warned: this.warned,
      amounts: {
        read: read.toFieldAmounts(),
        valid: this.amounts.valid.toFieldAmounts(),
        rejected: this.amounts.rejected.toFieldAmounts(),
        filtered: this.amounts.filtered.toFieldAmounts(),
      },
      ...(this.#magnitudes === null ? {} : { rejectedMagnitudes: this.#magnitudes.toFieldAmounts() }),
      byType: Object.fromEntries(types.map(([record, count]) => [record.name, count])),
      targets: this.outputs.map((output) => output.finish()),
      header: this.header,
      trailer: this.trailer,
      errors: this.#errors.toGroups(),
      warnings: this.#warnings.toGroups(),
      damage: this.damage,
    };
  }
}
