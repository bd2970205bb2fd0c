import { expect, test } from 'vitest';
import { loadFlow } from '../load-flow.ts';

function findings(field: string, width: number, { format = '{ type: json-lines }', set = '' } = {}): string[] {
  const { diagnostics } = loadFlow(`apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: acme, service: cards, name: refunds, version: 1.0.0 }
spec:
  format: ${format}
  schema: { record: { fields: { id: { ${field} } } } }
${set === '' ? '' : `  transform: [{ id: shape, set: { id: ${JSON.stringify(set)} } }]\n`}  routes: { default: { to: [out] } }
  targets: { out: { type: file, connection: out, path: out, format: fixed-width, columns: { id: { width: ${width} } } } }
`);
  return diagnostics.map(({ severity, code, path, message }) => `${severity} ${code} ${path}: ${message}`);
}

const fixed = { format: '{ type: fixed-width }' };

test.each([
  ['a text of a fixed width', 'at: [1, 6], type: string', 6, fixed],
  ['an int of a fixed width', 'at: [1, 6], type: int', 6, fixed],
  ['the shorter of both limits', 'at: [1, 9], type: string, maxLength: 7', 7, fixed],
  ['a text with maxLength', 'type: string, maxLength: 7', 7, {}],
  ['choices', 'type: string, enum: [a, "é4", abc]', 3, {}],
  ['a date', 'type: date, format: ddMMyyyy', 10, {}],
  ['a currency', 'type: currency', 3, {}],
])('a column that is narrower than %s can be is warned of', (_, field, bytes, more) => {
  expect(findings(field, bytes, more)).toEqual([]);
  expect(findings(field, bytes - 1, more)).toEqual([
    `warning E_CONFIG_CONFLICT spec.targets.out.columns.id: id can have ${bytes} bytes: a value that is longer than the ${bytes - 1} of this column rejects its record (E_OUTPUT_WIDTH)`,
  ]);
});

test.each([
  ['a text of any length', 'type: string', {}],
  ['a decimal', 'at: [1, 9], type: decimal, scale: 2, point: implied', fixed],
  ['what is computed', 'at: [1, 9], type: string', { ...fixed, set: "record.id + 'x'" }],
])('no width is too narrow for %s, as far as anybody knows', (_, field, more) => {
  expect(findings(field, 1, more)).toEqual([]);
});
