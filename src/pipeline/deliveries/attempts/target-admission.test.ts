import fc from 'fast-check';
import { expect, it } from 'vitest';
import { takeRecords } from './target-admission.ts';

it('a rate is kept over time by batches of any size, with a second of it saved up at most', () => {
  const batches = fc.array(fc.record({ records: fc.integer({ min: 1, max: 500 }), idleMs: fc.integer({ min: 0, max: 3_000 }) }), {
    minLength: 1,
    maxLength: 30,
  });
  fc.assert(
    fc.property(batches, fc.integer({ min: 1, max: 200 }), (list, perSecond) => {
      let nowMs = 0;
      let paidUntilMs = Number.NEGATIVE_INFINITY;
      const taken: { readonly atMs: number; readonly records: number }[] = [];
      for (const { records, idleMs } of list) {
        nowMs += idleMs;
        let result = takeRecords(paidUntilMs - nowMs, records, perSecond);
        if ('waitMs' in result) {
          expect(result.waitMs).toBeGreaterThan(0);
          nowMs += result.waitMs;
          result = takeRecords(paidUntilMs - nowMs, records, perSecond);
        }
        if ('waitMs' in result) throw new Error('waiting as long as was said is not enough');
        paidUntilMs = nowMs + result.paidMs;
        taken.push({ atMs: nowMs, records });
      }
      // Between any two batches, what was sent before the later one was paid for, but for a second's worth.
      for (const [at, first] of taken.entries()) {
        for (const [index, last] of taken.entries()) {
          if (index <= at) continue;
          const sent = taken.slice(at, index).reduce((sum, { records }) => sum + records, 0);
          expect(sent).toBeLessThanOrEqual(((last.atMs - first.atMs) / 1_000) * perSecond + perSecond + 1e-6);
        }
      }
    }),
  );
});

it('after the wait that was said a batch may go, also where the sum of both rounds to a whole number', () => {
  const { paidMs } = takeRecords(Number.NEGATIVE_INFINITY, 206, 36) as { paidMs: number };
  const { waitMs } = takeRecords(paidMs, 1, 36) as { waitMs: number };
  expect(takeRecords(paidMs - waitMs, 1, 36)).toHaveProperty('paidMs');
});
