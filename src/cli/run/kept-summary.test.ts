import { expect, it } from 'vitest';
import { delimitedFormat, fieldPlan, planOf, recordPlan, targetPlan } from '../../pipeline/engine/plans.fixture.ts';
import { runInMemory } from '../../pipeline/engine/runs.fixture.ts';
import { foldSummaries } from './file-end.ts';
import { keptSummary } from './kept-summary.ts';

it('of stripes only their places are kept, and all totals', () => {
  const record = recordPlan([fieldPlan('amount', 'decimal', { column: 0, header: 'amount' }, { sum: true })], {});
  const plan = planOf({ format: delimitedFormat, records: [record], targets: [targetPlan('all', { format: 'ndjson' })] });
  const { summary } = runInMemory({ plan, bytes: Buffer.from('1.50\n'.repeat(10_000)) });
  const [target] = summary.targets;
  expect(target!.stripes.length).toBeGreaterThan(1);
  expect(target!.stripes.some(({ amounts }) => Object.keys(amounts).length > 0)).toBe(true);
  const kept = keptSummary(summary);
  const places = target!.stripes.map((stripe) => ({ ...stripe, amounts: {} }));
  expect(kept).toEqual({ ...summary, targets: [{ ...target, stripes: places }] });
  const folded = foldSummaries([kept, keptSummary(summary)]).targets[0]!;
  expect(folded.records).toBe(20_000);
  expect(folded.stripes.every(({ amounts }) => amounts === kept.targets[0]!.stripes[0]!.amounts)).toBe(true);
});
