import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addAmounts } from '../engine/amount-totals.ts';
import type { FieldAmounts } from '../engine/chunk.ts';
import { findImbalances, type LedgerTotals, type StageTotals } from './balance.ts';

const currency = fc.constantFrom('ZAR', 'USD', 'XXX', 'EUR');
const fieldAmounts: fc.Arbitrary<FieldAmounts> = fc.record({
  amount: fc.record({
    scale: fc.constant(2),
    unreadable: fc.nat(5),
    byCurrency: fc.dictionary(currency, fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }).map(String)),
  }),
});
const stage: fc.Arbitrary<StageTotals> = fc.record({ records: fc.nat(1_000_000), amounts: fieldAmounts });
const sum = (stages: readonly StageTotals[]): StageTotals => ({
  records: stages.reduce((total, { records }) => total + records, 0),
  amounts: stages.map(({ amounts }) => amounts).reduce((total, amounts) => addAmounts(total, amounts)),
});

const balanced: fc.Arbitrary<LedgerTotals> = fc
  .record({ parts: fc.tuple(stage, stage, stage), targets: fc.array(fc.tuple(stage, stage, stage, stage), { maxLength: 3 }) })
  .map(({ parts: [valid, rejected, filtered], targets }) => {
    const routed = targets.map((outcomes) => sum(outcomes));
    const enough = { ...valid, records: Math.max(valid.records, ...routed.map(({ records }) => records)) };
    const read = sum([enough, rejected, filtered]);
    return {
      records: { read: read.records, valid: enough.records, rejected: rejected.records, filtered: filtered.records },
      amounts: { read: read.amounts, valid: valid.amounts, rejected: rejected.amounts, filtered: filtered.amounts },
      targets: targets.map(([delivered, refused, dead, cancelled], at) => ({
        id: `t${at}`,
        routed: routed[at]!,
        delivered,
        refused,
        dead,
        cancelled,
      })),
    };
  });

/** Every number of a ledger, by path. */
function* numbers(value: unknown, path: (string | number)[] = []): Generator<(string | number)[]> {
  if (typeof value === 'number' || (typeof value === 'string' && /^-?[0-9]+$/.test(value))) yield path;
  else if (typeof value === 'object' && value !== null)
    for (const [name, inner] of Object.entries(value)) yield* numbers(inner, [...path, name]);
}

function changed(ledger: LedgerTotals, path: readonly (string | number)[]): LedgerTotals {
  const copy = structuredClone(ledger);
  let at = copy as unknown as Record<string | number, unknown>;
  for (const name of path.slice(0, -1)) at = at[name] as Record<string | number, unknown>;
  const last = path.at(-1)!;
  at[last] = typeof at[last] === 'number' ? (at[last] as number) + 1 : String(BigInt(at[last] as string) + 1n);
  return copy;
}

describe('a ledger', () => {
  test('whose stages add up has no imbalance', () => {
    fc.assert(fc.property(balanced, (ledger) => findImbalances(ledger).length === 0));
  });

  test('that has any one count or amount changed by one has an imbalance', () => {
    fc.assert(
      fc.property(balanced, (ledger) => {
        for (const path of numbers(ledger)) expect(findImbalances(changed(ledger, path)), path.join('.')).not.toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  const none: StageTotals = { records: 0, amounts: {} };
  const empty: LedgerTotals = {
    records: { read: 0, valid: 0, rejected: 0, filtered: 0 },
    amounts: { read: {}, valid: {}, rejected: {}, filtered: {} },
    targets: [],
  };

  test('names the law, the place and both sides', () => {
    const zar = (amount: string): FieldAmounts => ({ amount: { scale: 2, unreadable: 0, byCurrency: { ZAR: amount } } });
    expect(findImbalances({ ...empty, amounts: { ...empty.amounts, read: zar('10'), valid: zar('9') } })).toEqual([
      { law: 'read = valid + rejected + filtered', at: 'amounts.amount.ZAR', left: '10', right: '9 + 0 + 0' },
    ]);
    const target = { id: 'a', routed: { records: 1, amounts: {} }, delivered: none, refused: none, dead: none, cancelled: none };
    expect(findImbalances({ ...empty, targets: [target] }).map(({ at }) => at)).toEqual(['targets.a.records', 'targets.a.records']);
  });

  test('with negative or broken counts has an imbalance even when they add up', () => {
    expect(findImbalances({ ...empty, records: { read: 0, valid: 1, rejected: -1, filtered: 0 } })).toHaveLength(1);
    expect(findImbalances({ ...empty, records: { read: Number.NaN, valid: 0, rejected: 0, filtered: 0 } })).toHaveLength(1);
  });

  test('whose currencies cancel each other out is not balanced', () => {
    const amounts = (byCurrency: Record<string, string>): FieldAmounts => ({ amount: { scale: 2, unreadable: 0, byCurrency } });
    const ledger = { ...empty, amounts: { ...empty.amounts, read: amounts({ ZAR: '5', USD: '5' }), valid: amounts({ ZAR: '10' }) } };
    expect(findImbalances(ledger).map(({ at }) => at)).toEqual(['amounts.amount.USD', 'amounts.amount.ZAR']);
  });
});
