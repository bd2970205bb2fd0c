import { expect, test } from 'vitest';
import { compare, compareWithLimit, judge, median } from './comparison.ts';

test('the median of an even number of values is their middle', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
});

test('a bar is met only when the whole interval is on its side', () => {
  expect(judge([15, 16, 17, 16, 15.5, 16.2, 15.8, 16.1, 16.4], { kind: 'at-least', value: 15 }).met).toBe(true);
  expect(judge([10, 11, 12, 11, 10.5], { kind: 'at-least', value: 15 }).met).toBe(false);
  expect(judge([10, 20, 11, 19, 15], { kind: 'at-least', value: 15 }).met).toBe('undecided');
  expect(judge([2, 2.1, 2.2], { kind: 'at-most', value: 3 }).met).toBe(true);
  expect(judge([4, 4.1, 4.2], { kind: 'at-most', value: 3 }).met).toBe(false);
});

test('runs alternate and the ratio is taken pair by pair', async () => {
  const order: string[] = [];
  const run = await compare({
    level: 'kernel',
    case: 'csv',
    against: 'peer',
    units: 100,
    pairs: 3,
    bar: { kind: 'at-least', value: 5 },
    ours: async () => {
      order.push('ours');
      return { seconds: 1, rssBytes: 10 };
    },
    theirs: async () => {
      order.push('theirs');
      return { seconds: 10, rssBytes: 20 };
    },
  });
  expect(order).toEqual(['ours', 'theirs', 'ours', 'theirs', 'ours', 'theirs']);
  expect(run).toMatchObject({ ratio: 10, met: true, bar: '>= 5x', ours: { perSecond: 100, rssBytes: 10 }, theirs: { seconds: 10 } });
});

test('against a limit the ratio is the measured share of it', () => {
  const common = { level: 'memory', case: 'serve', against: '200 MB', unit: 'bytes', limit: 200 } as const;
  expect(compareWithLimit({ ...common, values: [150] })).toMatchObject({ ratio: 0.75, met: true, ours: { rssBytes: 150 } });
  expect(compareWithLimit({ ...common, values: [250], seconds: 2, units: 10 })).toMatchObject({
    met: false,
    ours: { perSecond: 5, seconds: 2 },
  });
  expect(compareWithLimit({ ...common, unit: 'seconds', values: [100, 300, 100] })).toMatchObject({
    ratio: 0.5,
    met: 'undecided',
    ours: { seconds: 100 },
  });
});
