import { expect, it } from 'vitest';
import { amountTexts, currencyTexts, stageTexts } from './amount-texts.ts';

it.each([
  ['1800', 2, '18.00'],
  ['-5', 2, '-0.05'],
  ['0', 2, '0.00'],
  ['7', 0, '7'],
  ['-7', 0, '-7'],
  ['123456789012345678901234567890', 4, '12345678901234567890123456.7890'],
  ['1', 18, '0.000000000000000001'],
])('%s at scale %i is %s, without a digit lost', (unscaled, scale, text) => {
  expect(currencyTexts({ scale, byCurrency: { ZAR: unscaled } })).toEqual({ ZAR: text });
});

it('fields and currencies keep their names, whatever they are called', () => {
  const amounts = JSON.parse('{ "__proto__": { "scale": 2, "unreadable": 3, "byCurrency": { "XXX": "1", "ZAR": "20" } } }');
  expect(JSON.stringify(amountTexts(amounts))).toBe('{"__proto__":{"byCurrency":{"XXX":"0.01","ZAR":"0.20"},"unreadable":3}}');
  expect(amountTexts({})).toEqual({});
  const stages = stageTexts({ read: amounts, valid: {}, rejected: amounts, filtered: {} });
  expect(Object.keys(stages)).toEqual(['read', 'valid', 'rejected', 'filtered']);
});
