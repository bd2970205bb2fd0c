/**
 * Floor limits and totals of an interim report (MT 942). Entries below a floor limit are not listed but counted, so totals
 * have to be those of the entries only where the limit is zero; else they are at least that.
 */
import { ExactSum, type Units } from '../exact-sum.ts';
import type { Place } from '../statements/rule-findings.ts';
import type { SwiftFindings } from './swift-findings.ts';

interface DeclaredTotal {
  readonly count: number;
  readonly units: Units | null;
  readonly place: Place;
}

interface FloorLimit {
  readonly mark: string | null;
  readonly units: Units | null;
  readonly place: Place;
}

const sides = ['debit', 'credit'] as const;
type Side = (typeof sides)[number];

const tags: Readonly<Record<Side, string>> = { debit: '90D', credit: '90C' };
const marks: Readonly<Record<Side, string>> = { debit: 'D', credit: 'C' };

export class InterimTotals {
  readonly #findings: SwiftFindings;
  readonly #entries: Readonly<Record<Side, { count: number; readonly sum: ExactSum }>> = {
    debit: { count: 0, sum: new ExactSum() },
    credit: { count: 0, sum: new ExactSum() },
  };
  readonly #declared: Partial<Record<Side, DeclaredTotal>> = {};
  readonly #limits: FloorLimit[] = [];
  /** A floor limit is there that cannot be read. */
  isLimitUnknown = false;

  constructor(findings: SwiftFindings) {
    this.#findings = findings;
  }

  addEntry(isCredit: boolean, units: Units): void {
    const entries = this.#entries[isCredit ? 'credit' : 'debit'];
    entries.count++;
    entries.sum.add(units);
  }

  addTotal(isCredit: boolean, total: DeclaredTotal): void {
    this.#declared[isCredit ? 'credit' : 'debit'] ??= total;
  }

  addFloorLimit(mark: string | null, units: Units | null, place: Place): void {
    this.#limits.push({ mark, units, place });
    const [first, second] = this.#limits;
    const isRight = second === undefined ? mark !== 'C' : first!.mark === 'D' && mark === 'C';
    if (!isRight && this.#limits.length <= 2) {
      this.#findings.tell('floor-limits', place, '34F', 'the marks of the floor limits are not none, or D and then C');
    }
  }

  /** With entries that could not be read no total is compared. */
  check(isIncomplete: boolean): void {
    this.#checkLimits();
    if (isIncomplete) return;
    for (const side of sides) {
      const declared = this.#declared[side];
      if (declared !== undefined) this.#compare(side, declared);
    }
  }

  /** Banks mark a single limit in the texts that they hand to their customers. */
  #checkLimits(): void {
    const [limit] = this.#limits;
    if (this.isLimitUnknown || this.#limits.length !== 1 || limit!.mark !== 'D') return;
    const severity = this.#findings.hasBlocks ? undefined : 'warn';
    this.#findings.tell('floor-limits', limit!.place, '34F', 'the only floor limit has a mark', severity);
  }

  #compare(side: Side, { count, units, place }: DeclaredTotal): void {
    const entries = this.#entries[side];
    const hasLimit = !this.#isZeroLimit(side);
    const relation = hasLimit ? 'at least ' : '';
    if (hasLimit ? count < entries.count : count !== entries.count) {
      this.#findings.tell('interim-count', place, tags[side], `declared ${count}, computed ${relation}${entries.count}`);
    }
    if (units === null) return;
    const declared = BigInt(units);
    const computed = entries.sum.value;
    if (hasLimit ? declared < computed : declared !== computed) {
      this.#findings.tell('interim-sum', place, tags[side], `declared ${declared}, computed ${relation}${computed} in minor units`);
    }
  }

  /** A limit without a mark is for both sides. */
  #isZeroLimit(side: Side): boolean {
    const limit = this.#limits.find(({ mark }) => mark === null || mark === marks[side]);
    return limit?.units !== null && limit !== undefined && BigInt(limit.units) === 0n;
  }
}
