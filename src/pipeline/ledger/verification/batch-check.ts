/**
 * Holds the batches of a job against the lines of its output segments: each line that was to be delivered lies in exactly
 * one batch that was not divided, excluded lines in none, and every batch is made of whole lines.
 */
import { addAmounts } from '../../engine/amount-totals.ts';
import type { FieldAmounts } from '../../engine/chunk.ts';
import { type Amount, MoneyTotals } from '../../engine/reference/money.ts';
import { isSameAmounts, type StageTotals } from '../balance.ts';
import type { BatchEntry, SegmentRange } from '../batch-list.ts';
import { checkDivisions } from './division-check.ts';
import type { VerificationLog } from './verification-report.ts';

export interface DeliveredLine {
  readonly target: number;
  readonly chunk: number;
  readonly start: number;
  readonly end: number;
  readonly amounts: readonly Amount[];
  readonly isExcluded: boolean;
}

export interface TargetOutcomes {
  readonly delivered: StageTotals;
  readonly refused: StageTotals;
  readonly dead: StageTotals;
  readonly cancelled: StageTotals;
  /** Lines that are in no batch. */
  readonly unbatched: StageTotals;
}

interface OpenRange extends SegmentRange {
  readonly batch: BatchTotals;
  covered: number;
}

interface BatchTotals {
  readonly entry: BatchEntry;
  records: number;
  readonly money: MoneyTotals;
}

interface TargetLines {
  readonly ranges: readonly OpenRange[];
  next: number;
  readonly unbatched: { records: number; readonly money: MoneyTotals };
}

const nothing: StageTotals = { records: 0, amounts: {} };

const name = 'batches';
const code = 'E_VERIFY_BATCHES';

export class BatchCheck {
  readonly #log: VerificationLog;
  readonly #targets: readonly TargetLines[];
  readonly #targetIds: readonly string[];
  readonly #batches: readonly BatchTotals[];
  readonly #entries: readonly BatchEntry[];

  constructor(
    entries: readonly BatchEntry[],
    about: { readonly targetIds: readonly string[]; readonly scales: ReadonlyMap<string, number>; readonly log: VerificationLog },
  ) {
    const { targetIds, scales, log } = about;
    this.#log = log;
    this.#targetIds = targetIds;
    this.#entries = entries;
    checkDivisions(entries, log);
    this.#batches = entries
      .filter((entry) => entry.state !== 'divided')
      .map((entry) => ({ entry, records: 0, money: new MoneyTotals(scales) }));
    const unknown = entries.find((entry) => !targetIds.includes(entry.target));
    log.check(name, unknown === undefined ? null : { code, at: `batch ${unknown.id}`, message: 'the flow has no such target' });
    this.#targets = targetIds.map((target) => ({
      ranges: rangesOf(this.#batches.filter((batch) => batch.entry.target === target)),
      next: 0,
      unbatched: { records: 0, money: new MoneyTotals(scales) },
    }));
    for (const target of this.#targets) this.#checkOverlaps(target);
  }

  /** Lines of one target come in file order. */
  take(line: DeliveredLine): void {
    const target = this.#targets[line.target];
    if (target === undefined) return;
    while (target.next < target.ranges.length && isBefore(target.ranges[target.next]!, line)) target.next++;
    const range = target.ranges[target.next];
    const isTouched = range !== undefined && range.chunk === line.chunk && range.start < line.end;
    if (!isTouched) {
      if (line.isExcluded) return;
      target.unbatched.records++;
      target.unbatched.money.add(line.amounts);
      return;
    }
    const isInside = range.start <= line.start && line.end <= range.end;
    const message = line.isExcluded ? 'it holds an excluded record' : 'it does not hold whole lines';
    this.#log.check(name, isInside && !line.isExcluded ? null : { code, at: `batch ${range.batch.entry.id}`, message });
    range.covered += line.end - line.start;
    range.batch.records++;
    range.batch.money.add(line.amounts);
  }

  /** After the last line: compares each batch with its lines, and says what became of each target's lines. */
  finish(): TargetOutcomes[] {
    for (const target of this.#targets) {
      for (const range of target.ranges) {
        const isCovered = range.covered === range.end - range.start;
        this.#log.check(
          name,
          isCovered
            ? null
            : { code, at: `batch ${range.batch.entry.id}`, message: 'a range of it is not made of whole lines of its target' },
        );
      }
    }
    for (const batch of this.#batches) this.#compareBatch(batch.entry, { records: batch.records, amounts: batch.money.toFieldAmounts() });
    this.#compareDivided();
    return this.#targets.map((target, index) => this.#outcomesOf(target, this.#targetIds[index]!));
  }

  #checkOverlaps(target: TargetLines): void {
    target.ranges.forEach((range, at) => {
      const previous = target.ranges[at - 1];
      const isApart = previous === undefined || previous.chunk !== range.chunk || previous.end <= range.start;
      this.#log.check(
        name,
        isApart ? null : { code, at: `batch ${range.batch.entry.id}`, message: `it shares lines with batch ${previous?.batch.entry.id}` },
      );
    });
  }

  #compareBatch(entry: BatchEntry, found: StageTotals): void {
    const bytes = entry.ranges.reduce((sum, range) => sum + range.end - range.start, 0);
    const isEqual = entry.records === found.records && entry.bytes === bytes && isSameAmounts(entry.amounts, found.amounts);
    this.#log.check(name, isEqual ? null : { code, at: `batch ${entry.id}`, message: 'its counts or amounts are not those of its lines' });
  }

  /** A divided batch has the lines of its children: each is added to its parent once nothing is to be added to it. Those in a circle have none. */
  #compareDivided(): void {
    const byId = new Map(this.#entries.map((entry) => [entry.id, entry]));
    const parentOf = ({ parentId }: BatchEntry) => (parentId === null ? undefined : byId.get(parentId));
    const totals = new Map<BatchEntry, StageTotals>();
    for (const { entry, records, money } of this.#batches) totals.set(entry, { records, amounts: money.toFieldAmounts() });
    const awaited = new Map<BatchEntry, number>();
    for (const entry of this.#entries) {
      const parent = parentOf(entry);
      if (parent !== undefined) awaited.set(parent, (awaited.get(parent) ?? 0) + 1);
    }
    const complete = this.#entries.filter((entry) => !awaited.has(entry));
    for (let entry = complete.pop(); entry !== undefined; entry = complete.pop()) {
      const parent = parentOf(entry);
      if (parent === undefined) continue;
      const [sum, own] = [totals.get(parent) ?? nothing, totals.get(entry) ?? nothing];
      totals.set(parent, { records: sum.records + own.records, amounts: addAmounts(sum.amounts, own.amounts) });
      const left = awaited.get(parent)! - 1;
      awaited.set(parent, left);
      if (left === 0) complete.push(parent);
    }
    for (const entry of this.#entries) {
      if (entry.state === 'divided') this.#compareBatch(entry, totals.get(entry) ?? nothing);
    }
  }

  #outcomesOf(target: TargetLines, id: string): TargetOutcomes {
    const stage = (state: BatchEntry['state']): StageTotals => {
      const batches = this.#batches.filter(({ entry }) => entry.target === id && entry.state === state);
      return {
        records: batches.reduce((sum, batch) => sum + batch.records, 0),
        amounts: batches.reduce<FieldAmounts>((sum, batch) => addAmounts(sum, batch.money.toFieldAmounts()), {}),
      };
    };
    return {
      delivered: stage('delivered'),
      refused: stage('refused'),
      dead: stage('dead'),
      cancelled: stage('cancelled'),
      unbatched: { records: target.unbatched.records, amounts: target.unbatched.money.toFieldAmounts() },
    };
  }
}

function rangesOf(batches: readonly BatchTotals[]): OpenRange[] {
  const ranges = batches.flatMap((batch) => batch.entry.ranges.map((range) => ({ ...range, batch, covered: 0 })));
  return ranges.sort((a, b) => a.chunk - b.chunk || a.start - b.start);
}

function isBefore(range: SegmentRange, line: DeliveredLine): boolean {
  return range.chunk < line.chunk || (range.chunk === line.chunk && range.end <= line.start);
}
