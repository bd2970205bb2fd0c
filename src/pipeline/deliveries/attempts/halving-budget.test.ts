import { expect, it } from 'vitest';
import { createHalvingBudget } from './halving-budget.ts';

it('is a burst for each target, and one more with each second', () => {
  let nowMs = 5_000;
  const budget = createHalvingBudget({ monotonicMs: () => nowMs });
  const taken = (targetId: string) => {
    let count = 0;
    while (budget.take({ flowId: 'f', targetId })) count += 1;
    return count;
  };
  expect(taken('api')).toBe(64);
  expect(taken('api')).toBe(0);
  expect(taken('other')).toBe(64);
  nowMs += 3_000;
  expect(taken('api')).toBe(3);
  nowMs += 3_600_000;
  expect(taken('api')).toBe(64);
});
