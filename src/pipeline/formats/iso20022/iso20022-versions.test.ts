import { describe, expect, it } from 'vitest';
import { readMessage } from './iso20022-files.fixture.ts';
import { change } from './iso20022-mutants.fixture.ts';
import { inVersion, versionSamples } from './iso20022-versions.fixture.ts';

const rulesOf = (message: string): string[] => [...new Set(readMessage(message).findings.map(({ rule }) => rule))];

describe.each(versionSamples)('$name', ({ name, message, beside, mutants }) => {
  it('is read', () => {
    const { findings, summary } = readMessage(message);
    expect(findings).toEqual([]);
    expect(summary.details).toMatchObject({ message: name });
    expect(summary.records.read).toBeGreaterThan(0);
    expect(summary.controlTotals.balanced).toBe(true);
  });

  it('has what the version beside it does not have', () => {
    const [neighbour, rule] = beside;
    expect(rulesOf(inVersion(message, neighbour))).toEqual([rule]);
  });

  it.each(mutants)('with one change is refused by %s (%s)', (rule, search, replacement) => {
    expect(rulesOf(change(message, search, replacement))).toEqual([rule]);
  });
});
