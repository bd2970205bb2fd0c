import { describe, expect, it } from 'vitest';
import { achFile, readAch } from './ach-files.fixture.ts';
import { mutants } from './mutants.fixture.ts';
import { type NachaRuleId, nachaRules } from './nacha-rules.ts';
import { nachaSettingList, readNachaSettings } from './nacha-settings.ts';
import * as records from './record-layouts.ts';
import { sampleBatches } from './sample-batches.fixture.ts';

const policies = nachaSettingList.filter(({ choices }) => choices?.includes('refuse') && choices.includes('accept'));

function severities(setting: string, policy: string) {
  return readNachaSettings(new Map([[setting, policy]])).severities;
}

describe('a setting of a policy', () => {
  it.each(policies.map(({ name }) => name))('%s governs rules, and nothing else', (name) => {
    const accepted = severities(name, 'accept');
    const governed = (Object.keys(nachaRules) as NachaRuleId[]).filter(
      (rule) => !accepted.has(rule) && (rule !== 'line-breaks-missing' || name === 'noLineBreaks'),
    );
    expect(governed.length).toBeGreaterThan(0);
    for (const rule of governed) {
      expect([severities(name, 'warn').get(rule), severities(name, 'refuse').get(rule)]).toEqual(['warn', 'error']);
      const { of, change } = mutants[rule];
      const bytes = () => {
        const changed = change(achFile(...of.map((sample) => sampleBatches[sample])));
        return Buffer.isBuffer(changed) ? changed : Buffer.from(typeof changed === 'string' ? changed : changed.text(), 'latin1');
      };
      const severityOf = (policy: string) =>
        readAch(bytes(), { [name]: policy }).findings.find((finding) => finding.rule === rule)?.severity;
      expect([severityOf('accept'), severityOf('warn'), severityOf('refuse')]).toEqual([undefined, 'warn', 'error']);
    }
  });

  it('refuses no file that has nothing of what it refuses, however its lines end and whatever pieces it comes in', () => {
    const strictest = Object.fromEntries(policies.map(({ name }) => [name, 'refuse']));
    for (const batch of Object.values(sampleBatches))
      for (const lineEnd of ['\n', '\r\n'])
        for (const sizes of [[], [1], [95], [130, 7]])
          expect(readAch(Buffer.from(achFile(batch).text(lineEnd)), strictest, sizes).findings).toEqual([]);
  });

  it('without it the severity is that of the rule', () => {
    const byDefault = readNachaSettings(new Map()).severities;
    for (const [rule, { severity }] of Object.entries(nachaRules))
      expect([rule, byDefault.get(rule as NachaRuleId)]).toEqual([rule, rule === 'line-breaks-missing' ? undefined : severity]);
  });
});

describe('balancedOffset', () => {
  /** Entries that balance the batch of debits. */
  const balanced = () => {
    const file = achFile(sampleBatches.ARC).set('batchHeader', 'serviceClassCode', 200).set('batchControl', 'serviceClassCode', 200);
    const values = { transactionCode: 22, RDFIIdentification: '23138010', checkDigit: '4', DFIAccountNumber: '1', amount: 1_000 };
    return file
      .insert(3, records.entryDetail, { ...values, individualName: 'OFFSET', identificationNumber: 'X', traceNumber: '121042880009999' })
      .total();
  };
  const rules = (setting: string, file = balanced()) =>
    readAch(Buffer.from(file.text()), { balancedOffset: setting }).findings.map(({ rule }) => rule);

  it('ignore: an offsetting entry is as any other', () => expect(rules('ignore')).toEqual(['transaction-code-sec']));
  it('allow: it may be of the other side', () => expect(rules('allow')).toEqual([]));
  it('require: batches have to be balanced', () => {
    expect(rules('require')).toEqual([]);
    expect(rules('require', achFile(sampleBatches.ARC))).toEqual(['batch-unbalanced']);
  });

  it('allow: it may be in a batch of returns', () => {
    const file = achFile(sampleBatches['PPD returned']);
    const values = { transactionCode: 22, RDFIIdentification: '23138010', checkDigit: '4', DFIAccountNumber: '1', amount: 1_000 };
    file.insert(4, records.entryDetail, { ...values, individualName: 'OFFSET', traceNumber: '121042880009999' }).total();
    expect([rules('allow', file), rules('ignore', file)]).toEqual([[], ['category-mixed']]);
  });
});
