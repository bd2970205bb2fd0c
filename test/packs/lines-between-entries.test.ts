import { expect, it } from 'vitest';
import { achFile, readAch } from '../../src/pipeline/formats/nacha/ach-files.fixture.ts';
import { sampleBatches } from '../../src/pipeline/formats/nacha/sample-batches.fixture.ts';
import { convert, expectSameByEveryPath, packFlow } from '../support/pack-flows.ts';

const file = achFile(sampleBatches.PPD);
const second = file.index('entryDetail', 1);
const changed = (change: (lines: string[]) => void): Buffer => {
  const lines = file.lines();
  change(lines);
  return Buffer.from(`${lines.join('\n')}\n`, 'latin1');
};

it.each<readonly [what: string, settings: Readonly<Record<string, string>>, line: string]>([
  ['is no record', {}, 'X'.padEnd(94)],
  ['is no record, and is short', { shortLines: 'refuse' }, 'X'],
  ['is a second file header', {}, file.lines()[0]!],
  ['is filler', { filler: 'refuse' }, '9'.repeat(94)],
  ['is blank', { blankLines: 'refuse' }, ''],
])('a line between two entries that %s is told of the file, and of no entry', async (_, settings, line) => {
  const bytes = changed((lines) => lines.splice(second, 0, line));
  expect(readAch(bytes, settings).summary.records).toEqual({ read: 3, rejected: 0 });
  const plan = packFlow(JSON.stringify({ type: 'nacha', ...settings }));
  const { lines, damage } = await convert(plan, bytes);
  expect(damage[0]?.message).toContain(`line ${second + 1}`);
  expect(expectSameByEveryPath(plan, lines).findings).toEqual([]);
});

it('a short line is told of the entry in it, not of the one before', async () => {
  const bytes = changed((lines) => lines.splice(second, 1, lines[second]!.slice(0, 93)));
  const settings = { shortLines: 'refuse', traceNumbers: 'accept', numberFill: 'accept' };
  expect(readAch(bytes, settings).summary.records).toEqual({ read: 3, rejected: 1 });
  const plan = packFlow(JSON.stringify({ type: 'nacha', ...settings }));
  const { lines, damage } = await convert(plan, bytes);
  expect(damage).toEqual([]);
  const findings = expectSameByEveryPath(plan, lines).findings as readonly (readonly [record: number, ...rest: unknown[]])[];
  expect(findings.map(([record]) => record)).toEqual([2]);
  expect(JSON.stringify(findings)).toContain('line-short');
});
