import { describe, expect, it } from 'vitest';
import { creditTransfers, goodMessages, readMessage } from './iso20022-files.fixture.ts';
import { change, harmless, mutants } from './iso20022-mutants.fixture.ts';
import { iso20022Pack } from './iso20022-pack.ts';

describe('a message with one change that breaks a rule', () => {
  it.each(mutants.map((mutant, index) => ({ rule: mutant[0], index })))('$rule ($index)', ({ rule, index }) => {
    const [, message, search, replacement, options = {}] = mutants[index]!;
    expect(readMessage(message, { options }).findings).toEqual([]);
    const { findings } = readMessage(change(message, search, replacement), { options });
    expect([...new Set(findings.map((finding) => finding.rule))]).toEqual([rule]);
    expect(findings[0]).toMatchObject({ code: iso20022Pack.rules[rule]!.code, severity: rule === 'both-levels' ? 'warn' : 'error' });
  });

  it('is there for every rule of the pack', () => {
    expect([...new Set(mutants.map(([rule]) => rule))].sort()).toEqual(Object.keys(iso20022Pack.rules).sort());
  });
});

it.each([
  ['QQ33BUKB20201555555555', 'the country has no IBANs'],
  ['GB33BUKB2020155555555', 'the length is not that of IBANs of the country'],
  ['GB33BUK120201555555555', 'a letter or digit is not where the country has one'],
  ['GB34BUKB20201555555555', 'the check digits are wrong'],
  ['GB99BUKB20201555555555', 'the check digits are wrong'],
])('what is wrong with %s is told: %s', (iban, message) => {
  const { findings } = readMessage(change(creditTransfers, 'GB33BUKB20201555555555', iban));
  expect(findings.map((finding) => [finding.rule, finding.message])).toEqual([['iban', expect.stringContaining(message)]]);
});

describe('a change that breaks no rule', () => {
  it.each(harmless)('%s', (_, message, search, replacement) => {
    expect(readMessage(change(message, search, replacement)).findings).toEqual([]);
  });
});

describe('good messages', () => {
  it.each(Object.entries(goodMessages))('%s have no finding', (_, message) => {
    const { findings, summary } = readMessage(message);
    expect(findings).toEqual([]);
    expect(summary.controlTotals.balanced).toBe(true);
  });
});
