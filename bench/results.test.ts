import { expect, test } from 'vitest';
import type { BenchRun } from './comparison.ts';
import { type BenchDocument, machineText, mergeRuns, mergeVersions } from './results.ts';

const run = (level: string, ratio: number) => ({ level, ratio }) as BenchRun;
const documentOf = (cores: number, runs: readonly BenchRun[]): BenchDocument => ({ machine: { cores }, versions: {}, quick: false, runs });
const levels = ['kernel', 'platform', 'queue'];

test('a level that is measured again replaces what was there, the others stay, in the order of the levels', () => {
  const before = documentOf(2, [run('kernel', 1), run('platform', 2), run('platform', 3), run('queue', 4)]);
  const merged = mergeRuns(before, documentOf(2, [run('platform', 5)]), ['platform'], levels);
  expect(merged.map(({ ratio }) => ratio)).toEqual([1, 5, 4]);
});

test('what another machine measured is kept with its name, until that machine measures again', () => {
  const first = documentOf(4, [run('kernel', 1), run('platform', 3)]);
  const second = documentOf(2, [run('queue', 2)]);
  const merged = mergeRuns(first, second, ['queue'], levels);
  expect(merged.map(({ level, machine }) => [level, machine])).toEqual([
    ['kernel', machineText(first.machine)],
    ['platform', machineText(first.machine)],
    ['queue', undefined],
  ]);
  const back = mergeRuns({ ...second, runs: merged }, documentOf(4, [run('kernel', 5)]), ['kernel'], levels);
  expect(back.map(({ level, machine }) => [level, machine])).toEqual([
    ['kernel', undefined],
    ['platform', undefined],
    ['queue', machineText(second.machine)],
  ]);
});

test('a peer that is new, or is not there now, leaves what was measured without it; another version of one does not', () => {
  const withVersions = (versions: BenchDocument['versions'], runs: readonly BenchRun[]): BenchDocument => ({
    ...documentOf(2, runs),
    versions,
  });
  const before = withVersions({ node: 'v1', gone: '1' }, [run('kernel', 1)]);
  const now = withVersions({ node: 'v1', added: '2' }, [run('queue', 2)]);
  expect(mergeRuns(before, now, ['queue'], levels).map(({ ratio }) => ratio)).toEqual([1, 2]);
  expect(mergeVersions(before, now)).toEqual({ node: 'v1', gone: '1', added: '2' });
  const other = withVersions({ node: 'v2', added: '2' }, [run('queue', 2)]);
  expect(mergeRuns(before, other, ['queue'], levels).map(({ ratio }) => ratio)).toEqual([2]);
  expect(mergeVersions(before, other)).toEqual({ node: 'v2', added: '2' });
});
