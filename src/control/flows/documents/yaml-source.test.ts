import { expect, it } from 'vitest';
import { loadDocument } from '../load-flow.ts';

const saidOf = (text: string) => loadDocument(text).diagnostics.map(({ code, line, column, path }) => `${line}:${column} ${code} ${path}`);
const flow = (more: string) => `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: t, service: s, name: n, version: 1.0.0 }
spec:
  sources: [{ id: up, type: http }]
  format: { type: delimited, header: true, delimiter: ";", delimiter: "," }
  schema: { record: { fields: { id: { type: string }, amount: { type: decimal } } } }
  targets: [{ id: out, type: file, connection: out, path: out }]
  routes: { default: [out] }
${more}`;

it('a key that is there twice hides no other mistake, of shape or of meaning', () => {
  const [twice, ...others] = saidOf(
    flow(`  validate: [{ id: a, assert: record.amunt > 0, code: A1, message: m }]\n  validate: []\n  routs: {}\n`),
  );
  expect(twice).toBe('6:60 E_YAML spec.format.delimiter');
  expect(others).toEqual(
    expect.arrayContaining([
      '11:3 E_YAML spec.validate',
      expect.stringMatching(/^12:3 E_CONFIG_KEY spec\.routs$/),
      expect.stringMatching(/^10:\d+ E_\w+ spec\.validate\[0\]\.assert$/),
    ]),
  );
  expect(loadDocument(flow('')).document).toBeNull();
});

it('a document whose only mistake is a key that is there twice is refused, and nothing of it is in force', () => {
  const connection =
    'apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: t, name: n }\nspec: { type: folder, root: /x, root: /y }\n';
  const { document, hash, plan } = loadDocument(connection);
  expect([document, hash, plan, saidOf(connection)]).toEqual([null, null, null, ['4:33 E_YAML spec.root']]);
});

it('of a document with aliases or anchors nothing more is said', () => {
  expect(saidOf(`${flow('')}  a: &a 1\n`).every((each) => each.includes('E_YAML'))).toBe(true);
});
