import { describe, expect, it } from 'vitest';
import { fileFailures, MoneySums, sameMoney } from './banks-report.ts';

const file = {
  format: 'nacha',
  flow: 'ach',
  file: 'a.ach',
  jobId: 'j',
  state: 'completed',
  written: { records: 3, amounts: { USD: '6.00' }, faulty: ['000'] },
  records: { read: 3, valid: 2, rejected: 1 },
  amounts: { read: { USD: '6' }, rejected: { USD: '1.0000' }, delivered: { USD: '5.00' } },
  delivered: 2,
  controlTotals: { declared: {}, balanced: true },
  answer: { file: 'a', status: null, records: ['000'], amounts: { USD: '1.00' }, errors: 0 },
} as const;

describe('the story of the banks', () => {
  it('has no failure where everything is accounted for', () => {
    expect(fileFailures(file)).toEqual([]);
  });

  it.each([
    ['a record that was not delivered', { delivered: 1 }],
    ['a record that was not read', { records: { read: 2, valid: 1, rejected: 1 }, delivered: 1 }],
    ['a cent that went missing', { amounts: { ...file.amounts, delivered: { USD: '4.99' } } }],
    ['another amount than was written', { amounts: { ...file.amounts, read: { USD: '6.01' }, delivered: { USD: '5.01' } } }],
    ['another currency', { amounts: { ...file.amounts, delivered: { EUR: '5.00' } } }],
    ['a job that is held', { state: 'held' }],
    ['totals that are not those declared', { controlTotals: { declared: {}, balanced: false } }],
    ['an answer that is not valid', { answer: { ...file.answer, errors: 1 } }],
    ['an answer that tells of another record', { answer: { ...file.answer, records: ['001'] } }],
    ['a status that is not that of its records', { answer: { ...file.answer, amounts: null, status: 'ACSP' } }],
    ['a record that was rejected though it is right', { written: { ...file.written, faulty: [] }, answer: null }],
    ['a record that is neither valid nor rejected', { records: { read: 3, valid: 1, rejected: 1 }, delivered: 1 }],
    ['an answer of another amount', { answer: { ...file.answer, amounts: { USD: '1.01' } } }],
  ])('finds %s', (_, change) => {
    expect(fileFailures({ ...file, ...change }).length).toBeGreaterThan(0);
  });

  it('adds up amounts exactly, whatever their decimals', () => {
    expect(new MoneySums().addAll({ USD: '0.1', JPY: '5' }).addAll({ USD: '0.20' }).addAll({ USD: '-0.005' }).money).toEqual({
      USD: '0.295',
      JPY: '5.00',
    });
    expect(sameMoney({ USD: '1.50', EUR: '0.00' }, { USD: '1.5000' })).toBe(true);
  });
});
