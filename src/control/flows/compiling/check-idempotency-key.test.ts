import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Plan } from '../../../pipeline/engine/plan.ts';
import { ReferenceRun } from '../../../pipeline/engine/reference/reference-run.ts';
import { loadFlow } from '../load-flow.ts';

interface KeyedFlow {
  readonly fields: string;
  /** What the output field `id` is; without it, the field of this name. */
  readonly key?: string;
  readonly more?: string;
}

/** With an http target whose Idempotency-Key is the output field `id`. */
function flow({ fields, key, more = ', idempotencyKey: out.id' }: KeyedFlow) {
  return loadFlow(`apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: acme, service: cards, name: refunds, version: 1.0.0 }
spec:
  format: { type: json-lines }
  schema: { record: { fields: { ${fields} } } }
${key === undefined ? '' : `  transform: [{ id: shape, set: { id: ${JSON.stringify(key)} } }]\n`}  routes: { default: { to: [api] } }
  targets: { api: { type: http, connection: api${more} } }
`);
}

function findings(keyed: KeyedFlow): string[] {
  const { diagnostics } = flow(keyed);
  return diagnostics.map(({ severity, code, path, message }) => `${severity} ${code} ${path}: ${message}`);
}

const at = 'E_CONFIG_IDEMPOTENCY_KEY spec.targets.api.idempotencyKey';
const notUnique = `error ${at}: id is not unique: two records could be sent under one key; add \`unique: file\``;
const madeOfNone = `error ${at}: out.id is made of no field with \`unique: file\`: two records could be sent under one key`;
const computed = `warning ${at}: out.id is computed: records for which it comes out the same are sent under one key`;
const unique = 'id: { type: string, required: true, unique: file }, other: { type: string }';

test.each([
  ['a text', unique, undefined],
  ['a text under another name', 'ref: { type: string, unique: file }', 'record.ref'],
  ['a code', 'id: { type: iban, unique: file }', undefined],
  ['a date', 'id: { type: date, unique: file }', undefined],
  ['a moment by its own format', 'id: { type: datetime, format: yyyyMMddHHmmss, unique: file }', undefined],
  ['a number that is written in one way', 'id: { type: int, unique: file, pattern: "[1-9][0-9]*" }', undefined],
  ['a number that is written in one way, with anchors', String.raw`id: { type: int, unique: file, pattern: '^[1-9]\d+$' }`, undefined],
])('%s that is unique in a file is a key', (_, fields, key) => {
  expect(findings({ fields, ...(key === undefined ? {} : { key }) })).toEqual([]);
});

test('a field that may come again in a file is no key', () => {
  expect(findings({ fields: 'id: { type: string, required: true }' })).toEqual([notUnique]);
});

test.each([
  ['a constant', "'all'"],
  ['other fields', 'record.other + record.other'],
  ['a condition', "record.id == 'x'"],
  ['a list that the field is in', "record.id in ['x', 'y']"],
])('%s is no key', (_, key) => {
  expect(findings({ fields: unique, key })).toEqual([madeOfNone]);
});

test.each([
  ['a part', 'record.id.substring(0, 4)'],
  ['white space taken away', 'record.id.trim()'],
  ['another field in front', 'coalesce(record.other, record.id)'],
])('%s makes a key of which nobody can tell, and a warning', (_, key) => {
  expect(findings({ fields: unique, key })).toEqual([computed]);
});

test.each([
  ['int', 'type: int', 'make it a string, or give it the pattern "[1-9][0-9]*"'],
  ['int', 'type: int, pattern: "[0-9]*"', 'make it a string, or give it the pattern "[1-9][0-9]*"'],
  ['int', 'type: int, pattern: "[1-9][0-9]*$"', 'make it a string, or give it the pattern "[1-9][0-9]*"'],
  ['int', 'type: int, pattern: "[1-9][0-9]*|0+"', 'make it a string, or give it the pattern "[1-9][0-9]*"'],
  ['decimal', 'type: decimal, scale: 2', 'use a string as key'],
  ['datetime', 'type: datetime', 'use a string as key'],
])('a unique %s (%s) is no key: one value has several texts', (type, field, remedy) => {
  expect(findings({ fields: `id: { ${field}, unique: file }` })).toEqual([
    `error ${at}: id is of type ${type}, which has several spellings of a value; ${remedy}`,
  ]);
});

test('an expression that is a mistake is reported once', () => {
  expect(findings({ fields: unique, key: 'record.nope' })).toHaveLength(1);
});

const planOf = (field: string) => flow({ fields: `id: { ${field}, unique: file }`, more: '' }).plan!;

/** The values of `out.id` of the records that are sent: of equal texts, `unique: file` lets the first pass. */
function keysOf(plan: Plan, texts: readonly string[]): string[] {
  const taken = new Set<string>();
  const lines = texts.map((id) => `${JSON.stringify({ id })}\n`).join('');
  return [...new ReferenceRun(plan).records([Buffer.from(lines)])].flatMap(({ status, uniques, outputs }) => {
    const text = uniques.get('id');
    if (status !== 'valid' || text === undefined || taken.has(text)) return [];
    taken.add(text);
    return [String((JSON.parse(Buffer.from(outputs.get(0)!).toString()) as { id: unknown }).id)];
  });
}

const sound = [
  ['type: string', ['a', ' a', 'a ', 'A', '\u00e9', 'e\u0301', '7', '07', 'a\t']],
  ['type: string, trim: true', ['a', ' a', 'a ', 'a\t', '\u00a0a']],
  ['type: int, pattern: "[1-9][0-9]*"', ['7', '07', '007', '-7', '0', '-0', '70', '700']],
  [String.raw`type: int, pattern: '^[1-9]\d+$'`, ['7', '70', '070', '71', '-70', '0']],
  ['type: date', ['2026-01-31', '2026-02-01', '20260131']],
  ['type: date, format: yyyyMM', ['202601', '202602', '2026-01']],
  ['type: time', ['12:00:00', '12:00:00.000', '12:00:00.100', '12:00']],
  ['type: datetime, format: yyyyMMddHHmm', ['202601311200', '202601311201', '20260131120']],
] as const;

test.each(sound)('of a field { %s } that the check lets pass, no two records are sent under one key', (field, texts) => {
  expect(findings({ fields: `id: { ${field}, unique: file }` })).toEqual([]);
  const plan = planOf(field);
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...texts), { maxLength: 12 }), (ids) => {
      const keys = keysOf(plan, ids);
      expect(new Set(keys).size).toBe(keys.length);
    }),
    { numRuns: 50 },
  );
  expect(keysOf(plan, texts).length).toBeGreaterThan(1);
});

test.each([
  ['type: int', ['7', '007']],
  ['type: decimal, scale: 2', ['7', '7.00']],
  ['type: datetime', ['2026-01-31T12:00:00Z', '2026-01-31T13:00:00+01:00']],
])('of a field { %s } two texts are one key, which is why it is refused', (field, texts) => {
  const keys = keysOf(planOf(field), texts);
  expect([keys.length, new Set(keys).size]).toEqual([2, 1]);
});
