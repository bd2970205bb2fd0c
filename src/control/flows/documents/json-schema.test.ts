import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadDocument } from '../load-flow.ts';
import { renderJsonSchema } from './json-schema.ts';

const root = new URL('../../../../', import.meta.url).pathname;
const shipped = readFileSync(join(root, 'schemas/headgate.v1.json'), 'utf8');
const validate = new Ajv2020({ allErrors: false, strict: true, strictTypes: false, strictRequired: false, allowUnionTypes: true }).compile(
  JSON.parse(shipped),
);
const eft = readFileSync(join(root, 'examples/eft.yaml'), 'utf8');
const examples = readdirSync(join(root, 'examples'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'));

test('the shipped schema is the one that the descriptions make', () => {
  expect(renderJsonSchema()).toBe(shipped);
});

test.each(examples)('accepts examples/%s', (file) => {
  validate(parse(readFileSync(join(root, 'examples', file), 'utf8')));
  expect(validate.errors).toBeNull();
});

test.each([
  ['an unknown key', 'duplicates:', 'duplicatez:'],
  ['a wrong choice', 'onDuplicate: reject', 'onDuplicate: rejekt'],
  ['a wrong type', 'maxInvalidRatio: 0.02', 'maxInvalidRatio: lots'],
  ['a bound', 'maxInvalidRatio: 0.02', 'maxInvalidRatio: 2'],
  ['a missing key', '  name: eft-credit-inbound\n', ''],
  ['a missing key of a variant', 'type: file, connection: eft-out, path: rtgs', 'type: file, path: rtgs'],
  ['a key of another variant', 'type: file, connection: eft-out, path: rtgs', 'type: file, connection: eft-out, table: rtgs'],
  ['an unknown variant', 'type: fixed-width', 'type: fixed'],
  ['a name', 'name: eft-credit-inbound', 'name: EFT Credit'],
  ['a duration', 'timeout: 5s', 'timeout: soon'],
  ['a range', 'at: [2, 16]', 'at: [0, 16]'],
  ['a field name', 'paymentId: { at', '"pay ment": { at'],
  ['a kind', 'kind: FlowDefinition', 'kind: Flow'],
])('refuses %s, as the checker does', (_name, from, to) => {
  expect(eft).toContain(from);
  const changed = eft.replace(from, to);
  expect(validate(parse(changed))).toBe(false);
  expect(loadDocument(changed).document).toBeNull();
});

test('refuses a secret that is written out', () => {
  const connection = { apiVersion: 'headgate/v1', kind: 'Connection', metadata: { tenant: 't', name: 'n' } };
  const spec = { type: 'postgres', host: 'h', database: 'd', user: 'u' };
  expect(validate({ ...connection, spec: { ...spec, password: 'env:P' } })).toBe(true);
  expect(validate({ ...connection, spec: { ...spec, password: 'hunter2' } })).toBe(false);
});
