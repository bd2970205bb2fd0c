import { expect, it } from 'vitest';
import type { BatchEntry } from '../batch-list.ts';
import { checkDivisions } from './division-check.ts';
import { VerificationLog } from './verification-report.ts';

const same = { sha256: '', bytes: 1 };

function batch(at: number, parent: number | null, state: BatchEntry['state'] = 'divided'): BatchEntry {
  const ranges = [{ chunk: 0, start: 0, end: 1 }];
  const parentId = parent === null ? null : `${parent}`;
  return { id: `${at}`, parentId, target: 'out', state, ranges, records: 1, ...same, body: same, amounts: {}, unknownAttempts: 0 };
}

function failuresOf(entries: readonly BatchEntry[]): string[] {
  const log = new VerificationLog();
  checkDivisions(entries, log);
  return log.report().failures.map(({ at }) => at);
}

it('divided batches lie in each other as deep as they like, and are looked at a few times each', () => {
  const depth = 2_000;
  let looks = 0;
  const seen = (entry: BatchEntry): BatchEntry => ({
    ...entry,
    get parentId() {
      looks++;
      return entry.parentId;
    },
  });
  const chain = Array.from({ length: depth }, (_, at) => seen(batch(at, at === 0 ? null : at - 1)));
  expect(failuresOf([...chain, batch(depth, depth - 1, 'delivered')])).toEqual([]);
  expect(failuresOf([seen(batch(0, depth - 1)), ...chain.slice(1)])).toHaveLength(20);
  expect(looks).toBeLessThan(depth * 20);
});

it('a batch whose parents go in a circle is found out, one that stands beside them is not', () => {
  const circle = [batch(0, 2), batch(1, 0), batch(2, 1)];
  const others = [batch(4, null), batch(5, 4, 'delivered')];
  expect(failuresOf([...circle, ...others])).toEqual(['batch 0', 'batch 1', 'batch 2']);
  expect(failuresOf([...circle, batch(3, 1, 'delivered')])).toContain('batch 3');
  expect(failuresOf([batch(0, 0), ...others])).toEqual(['batch 0']);
});
