import { expect, it } from 'vitest';
import { loadFlow } from '../load-flow.ts';

const fields = {
  iso: '{ amount: { type: decimal, scale: 2, sum: true, currency: currency }, currency: { type: currency } }',
  listed: '{ amount: { type: decimal, scale: 2, sum: true, currency: currency }, currency: { type: string, enum: [EUR, PTS] } }',
  none: '{ amount: { type: decimal, scale: 2, sum: true } }',
};

const mistakes = (schema: keyof typeof fields, { trailer = '', acceptance = '', rule = '' }) =>
  loadFlow(`apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: acme-pay, service: cards, name: refunds, version: 1.0.0 }
spec:
  sources: [{ id: upload, type: http }]
  format: { type: delimited, header: true }
  schema: { record: { fields: ${fields[schema]} } }
  validate: [${rule}]
  acceptance: { mode: partial${acceptance} }
  routes: { default: { to: [ledger] } }
  targets: { ledger: { type: file, connection: acme-out, format: csv${trailer} } }
`).diagnostics.map(({ code, message }) => `${code} ${message}`);

const trailerOf = (currency: string) => ({ trailer: `, trailerLines: ["T{sum.amount.${currency}:12}"]` });
const limitOf = (currency: string) => ({ acceptance: `, maxInvalidAmount: { ${currency}: "10.00" }` });
const ruleOf = (currency: string) => ({
  rule: `{ id: total, scope: file, assert: "stats.sumBy.amount['${currency}'] <= decimal('100')", code: TOTAL, message: "too much" }`,
});

it.each([
  ['of ISO 4217', 'iso', 'EUR'],
  ['that the enum of the currency lists', 'listed', 'PTS'],
] as const)('totals of a currency %s can be asked for', (_, schema, currency) => {
  for (const more of [trailerOf, limitOf, ruleOf]) expect(mistakes(schema, more(currency))).toEqual([]);
});

it.each([
  ['that there is not', 'iso', 'EUX', /no currency EUX .*; did you mean (EUR|EUX)?/],
  ['that the enum of the currency does not list', 'listed', 'GBP', /no currency GBP/],
  ['of amounts without one', 'none', 'EUR', /names no currency field/],
] as const)('totals of a currency %s are refused, wherever they are asked for', (_, schema, currency, says) => {
  for (const more of [trailerOf, limitOf, ruleOf]) expect(mistakes(schema, more(currency))).toEqual([expect.stringMatching(says)]);
});
