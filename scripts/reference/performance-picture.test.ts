import { expect, test } from 'vitest';
import type { BenchRun } from '../../bench/comparison.ts';
import { marginOf, performancePicture } from './performance-picture.ts';

const side = { seconds: 1, perSecond: 1, rssBytes: 0 };
const run = (ratio: number, bar: string, met: BenchRun['met']): BenchRun => ({
  level: 'kernel',
  case: 'a < b & c',
  against: 'peer',
  ours: side,
  theirs: side,
  ratio,
  spread: [ratio, ratio],
  bar,
  met,
  pairs: 3,
});
const barWidths = (picture: string) => [...picture.matchAll(/width="([\d.]+)" height="10"\/><line/g)].map(([, width]) => Number(width));

test('a bar that is just kept ends at the line of the bar, in both directions', () => {
  expect(marginOf({ bar: '>= 5x' }, 5)).toBe(1);
  expect(marginOf({ bar: '>= 5x' }, 10)).toBe(2);
  expect(marginOf({ bar: '<= 3x' }, 6)).toBe(0.5);
  expect(() => marginOf({ bar: '' }, 6)).toThrow('no known form');
  const widths = barWidths(
    performancePicture([run(5, '>= 5x', true), run(10, '>= 5x', true), run(6, '<= 3x', false), run(900, '>= 5x', true)]),
  );
  expect(widths).toEqual([190, 253.3, 126.7, 380]);
});

test('rows without a bar or a peer are left out, and texts are escaped', () => {
  const picture = performancePicture([run(2, '', 'no bar'), run(0, '>= 80x', 'not there'), run(5, '>= 5x', true)]);
  expect(barWidths(picture)).toHaveLength(1);
  expect(picture).toContain('kernel: a &lt; b &amp; c, against peer');
  expect(picture).toContain('5.00x (&gt;= 5x)');
});
