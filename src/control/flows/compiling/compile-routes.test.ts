import { expect, it } from 'vitest';
import { loadFlow } from '../load-flow.ts';

const mistakes = (routes: string) =>
  loadFlow(`apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: acme-pay, service: cards, name: refunds, version: 1.0.0 }
spec:
  sources: [{ id: upload, type: http }]
  format: { type: delimited, header: true }
  schema: { record: { fields: { id: { type: string }, amount: { type: decimal, scale: 2 } } } }
  routes: ${routes}
  targets: { archive: { type: file, connection: out, path: archive }, large: { type: file, connection: out, path: large } }
`).diagnostics.map(({ code, message }) => `${code} ${message}`);

const everything = '{ id: everything, when: "true", to: [archive] }';
const large = `{ id: large, when: "record.amount > decimal('1000')", to: [large] }`;

it('with mode all a rule that is always true takes every record, and rules behind it are reached', () => {
  expect(mistakes(`{ mode: all, rules: [${everything}, ${large}], default: { to: [archive] } }`)).toEqual([]);
  expect(mistakes(`{ mode: first, rules: [${everything}, ${large}], default: { to: [archive] } }`)).toContainEqual(
    expect.stringContaining('this is always true: nothing after it, default included, is ever reached'),
  );
});

it('a target to which only a default leads that is never reached has no route', () => {
  expect(mistakes(`{ mode: all, rules: [${everything}], default: { to: [large] } }`)).toEqual(['E_CONFIG_ROUTE no route leads to large']);
});
