import { describe, expect, it } from 'vitest';
import { achFile, readAch } from './ach-files.fixture.ts';
import { addenda } from './addenda-layouts.ts';
import { moreMutants } from './more-mutants.fixture.ts';
import type { Mutant } from './mutant-making.fixture.ts';
import { mutants } from './mutants.fixture.ts';
import { type NachaRuleId, nachaRules } from './nacha-rules.ts';
import { addendaOfSamples, sampleBatches } from './sample-batches.fixture.ts';
import { secClasses } from './sec-classes.ts';

function read({ of, change, settings }: Mutant) {
  const changed = change(achFile(...of.map((name) => sampleBatches[name])));
  const bytes = Buffer.isBuffer(changed) ? changed : Buffer.from(typeof changed === 'string' ? changed : changed.text(), 'latin1');
  return readAch(bytes, settings);
}

const found = (mutant: Mutant) => [...new Set(read(mutant).findings.map(({ rule }) => rule))].sort();

describe('a good file', () => {
  it.each(Object.entries(sampleBatches))('%s has no finding', (_, batch) => {
    const { findings, summary } = readAch(Buffer.from(achFile(batch).text()));
    expect(findings).toEqual([]);
    expect(summary.controlTotals.balanced).toBe(true);
    expect(summary.records.rejected).toBe(0);
  });

  it('there is one for each class and each addenda record', () => {
    expect(new Set(Object.values(sampleBatches).map(({ sec }) => sec))).toEqual(new Set(secClasses.keys()));
    expect(addendaOfSamples).toEqual(new Set(Object.keys(addenda)));
  });
});

it('a batch number of zero is told as that, not as one that follows another', () => {
  const { findings } = readAch(Buffer.from(achFile(sampleBatches.PPD).put('batchHeader', 87, '0'.repeat(7)).text()));
  expect(findings[0]).toMatchObject({ rule: 'batch-number-order', message: 'the batch number is zero', columns: [88, 94] });
});

it('what follows a line with a tail is told at its own line', () => {
  const lines = achFile(sampleBatches.PPD).set('entryDetail', 'individualName', '').lines();
  const text = lines.map((line, index) => `${line}${index === 1 ? ' 00000100' : ''}\r\n`).join('');
  const { findings } = readAch(Buffer.from(text));
  expect(findings.map(({ rule, line, offset }) => ({ rule, line, offset }))).toEqual([
    { rule: 'line-tail', line: 2, offset: 96 + 94 },
    { rule: 'individual-name', line: 3, offset: 2 * 96 + 9 + 54 },
  ]);
});

describe('a rule is found broken, and it alone', () => {
  it('each rule has a mutant', () => {
    expect(Object.keys(mutants).sort()).toEqual(Object.keys(nachaRules).sort());
  });

  it.each(Object.entries(mutants))('%s', (rule, mutant) => {
    expect(found(mutant)).toEqual([rule, ...(mutant.also ?? [])].sort());
  });

  it.each(moreMutants)('$rule: $name', ({ rule, ...mutant }) => {
    expect(found(mutant)).toEqual([rule, ...(mutant.also ?? [])].sort());
  });

  it.each(Object.entries(mutants))('%s: its code and severity are those of the rule', (rule, mutant) => {
    const { code, severity } = nachaRules[rule as NachaRuleId];
    const findings = read(mutant).findings.filter((finding) => finding.rule === rule);
    const isSet = mutant.settings !== undefined;
    for (const finding of findings) expect(finding).toMatchObject({ code, ...(isSet ? {} : { severity }) });
  });

  it.each(Object.entries(mutants))('%s: its place is in the file, and columns and field belong together', (_, mutant) => {
    for (const { line, columns, offset, record, field } of read(mutant).findings) {
      expect(line).toBeGreaterThan(0);
      expect(offset).toBeGreaterThanOrEqual(0);
      expect(columns === null).toBe(field === null);
      if (columns !== null) {
        expect(record).not.toBeNull();
        expect(columns[0]).toBeLessThanOrEqual(columns[1]);
      }
    }
  });
});
