import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { itWithPublicData } from '../../../../../test/support/public-data.ts';
import { valueType } from '../values/value-types.ts';
import { messages, messageTypes, namespacePrefix } from './messages.ts';
import { codeOrProprietary, type ElementDefinition, readDefinitions } from './notation.ts';
import { type MessageSchema, readMessageSchema, type SchemaElement } from './xml-schema.fixture.ts';

const currency = 'string pattern=[A-Z]{3,3}';
const bic = 'string pattern=[A-Z]{6,6}[A-Z2-9][A-NP-Z0-9]([A-Z0-9]{3,3}){0,1}';

/** What the simple types of the definitions are in the words of a schema. */
const facetsOfValue: Readonly<Record<string, string>> = {
  country: 'string pattern=[A-Z]{2,2}',
  currency,
  language: 'string pattern=[a-z]{2,2}',
  phone: 'string pattern=\\+[0-9]{1,3}-[0-9()+\\-]{1,30}',
  bic,
  bic2014: 'string pattern=[A-Z0-9]{4,4}[A-Z]{2,2}[A-Z0-9]{2,2}([A-Z0-9]{3,3}){0,1}',
  lei: 'string pattern=[A-Z0-9]{18,18}[0-9]{2,2}',
  iban: 'string pattern=[A-Z]{2,2}[0-9]{2,2}[a-zA-Z0-9]{1,30}',
  isin: 'string pattern=[A-Z0-9]{12,12}',
  isin2015: 'string pattern=[A-Z]{2,2}[A-Z0-9]{9,9}[0-9]{1,1}',
  iban2006: 'string pattern=[a-zA-Z]{2,2}[0-9]{2,2}[a-zA-Z0-9]{1,30}',
  ibei: 'string pattern=[A-Z]{2,2}[B-DF-HJ-NP-TV-XZ0-9]{7,7}[0-9]{1,1}',
  chips: 'string pattern=CH[0-9]{6,6}',
  N9: 'string pattern=[0-9]{9,9}',
  N13: 'string pattern=[0-9]{13,13}',
  uuid: 'string pattern=[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}',
  amount: `Ccy(${currency}) decimal fractionDigits=5 minInclusive=0 totalDigits=18`,
  settled: `Ccy(${currency}) decimal fractionDigits=5 minInclusive=0 totalDigits=18`,
  amount13: `Ccy(${currency}) decimal fractionDigits=13 minInclusive=0 totalDigits=18`,
  implied: 'decimal fractionDigits=5 minInclusive=0 totalDigits=18',
  decimal: 'decimal fractionDigits=17 totalDigits=18',
  nonNegative: 'decimal fractionDigits=17 minInclusive=0 totalDigits=18',
  rate: 'decimal fractionDigits=10 totalDigits=11',
  baseRate: 'decimal fractionDigits=10 totalDigits=11',
  number: 'decimal fractionDigits=0 totalDigits=18',
  positive: 'decimal fractionDigits=0 minInclusive=1 totalDigits=18',
  binary10k: 'base64Binary maxLength=10240 minLength=1',
  N1: 'string pattern=[0-9]',
};

function describeValue(name: string): string {
  const type = messageTypes().get(name);
  if (type?.kind === 'codes') return ['string', ...type.codes.map((code) => `enumeration=${code}`).sort()].join(' ');
  const [, kind, size, most] = /^([xnNXcp])([0-9]+)(?:to([0-9]+))?$/.exec(name) ?? [];
  const sized: Readonly<Record<string, string>> = {
    x: `string maxLength=${size} minLength=1`,
    n: `string pattern=[0-9]{${most === undefined ? `1,${size}` : `${size},${most}`}}`,
    N: `string pattern=[0-9]{${size}}`,
    X: `string pattern=[a-zA-Z0-9]{${size}}`,
    c: `string pattern=[a-zA-Z0-9]{1,${size}}`,
    p: `string pattern=[+]{0,1}[0-9]{1,${size}}`,
  };
  return facetsOfValue[name] ?? (kind === undefined ? name : sized[kind]!);
}

const shapeOf = (children: readonly (ElementDefinition | SchemaElement)[]): string =>
  children.map(({ tag, min, max }) => `${tag}{${min},${max}}`).join(' ');

/** Differences between the definition and the schema of a message, and how many types were held against each other. */
function differences(schema: MessageSchema, message: (typeof messages)[number]): { readonly found: string[]; readonly compared: number } {
  const found: string[] = [];
  const seen = new Set<string>();
  const compare = (theirs: string, ours: string, path: string): void => {
    if (seen.has(`${theirs} ${ours}`)) return;
    seen.add(`${theirs} ${ours}`);
    const expected = schema.typeOf(theirs);
    const type = messageTypes().get(ours) ?? codeOrProprietary(ours);
    if (expected.kind === 'value' || type === null || type.kind === 'codes') {
      const facets = expected.kind === 'value' ? expected.facets.replace('[\\+]', '[+]') : 'elements';
      const own = type !== null && type.kind !== 'codes' ? 'elements' : describeValue(ours);
      if (facets !== own) found.push(`${path}: ${own}, schema: ${facets}`);
      return;
    }
    const isKind = (expected.kind === type.kind || expected.children.length === 1) && `${expected.oneOf}` === `${type.oneOf}`;
    if (!isKind || shapeOf(expected.children) !== shapeOf(type.children))
      found.push(`${path}: ${type.kind} ${shapeOf(type.children)}, schema: ${expected.kind} ${shapeOf(expected.children)}`);
    for (const child of expected.children) {
      const own = type.children.find(({ tag }) => tag === child.tag);
      if (own !== undefined) compare(child.type, own.type, `${path}/${child.tag}`);
    }
  };
  if (schema.root.tag !== message.tag) found.push(`${message.tag}, schema: ${schema.root.tag}`);
  compare(schema.root.type, message.type, message.name);
  return { found, compared: seen.size };
}

itWithPublicData('iso20022', 'definitions are those of the schemas of their namespaces', (folder) => {
  const paths = JSON.parse(readFileSync(join(folder, 'XSD_BY_NAMESPACE.json'), 'utf8')) as Record<string, string>;
  const withSchema = messages.filter(({ name }) => paths[namespacePrefix + name] !== undefined);
  for (const message of withSchema) {
    const { found, compared } = differences(readMessageSchema(join(folder, paths[namespacePrefix + message.name]!)), message);
    expect(found).toEqual([]);
    expect(compared).toBeGreaterThan(100);
  }
  // No schema of these is in the folder.
  expect(messages.filter((message) => !withSchema.includes(message)).map(({ name }) => name)).toEqual([
    'pain.001.001.11',
    'pain.001.001.12',
    'pain.002.001.03',
    'pain.002.001.10',
    'pain.002.001.12',
    'pain.002.001.13',
    'pain.002.001.14',
    'pacs.002.001.03',
    'pacs.002.001.12',
    'pacs.002.001.13',
    'pacs.002.001.14',
    'pacs.004.001.02',
    'pacs.004.001.09',
    'pacs.004.001.13',
    'pacs.008.001.02',
    'pacs.008.001.10',
    'pacs.008.001.12',
    'pacs.009.001.10',
    'pacs.009.001.11',
    'camt.052.001.10',
    'camt.052.001.11',
    'camt.052.001.12',
    'camt.053.001.06',
    'camt.053.001.10',
    'camt.053.001.11',
    'camt.053.001.12',
    'camt.054.001.06',
    'camt.054.001.10',
    'camt.054.001.11',
    'camt.054.001.12',
  ]);
});

describe('the notation', () => {
  it('changes a type in its elements', () => {
    const types = readDefinitions(['A > X:x1 Y?:x2\n  Z{0,3}:x3\nB < A X?:x4 -Y Z:x5 X>W*:x6 ^>V+:x7']);
    expect(types.get('B')).toEqual({
      kind: 'sequence',
      children: [
        { tag: 'V', min: 1, max: Number.POSITIVE_INFINITY, type: 'x7' },
        { tag: 'X', min: 0, max: 1, type: 'x4' },
        { tag: 'W', min: 0, max: Number.POSITIVE_INFINITY, type: 'x6' },
        { tag: 'Z', min: 0, max: 3, type: 'x5' },
      ],
    });
  });

  it('has sequences in which one of several elements is there', () => {
    expect(readDefinitions(['A > X:x1 ( Y:x2 Z:x3 ) U?:x4']).get('A')).toMatchObject({
      children: [{ tag: 'X' }, { tag: 'Y' }, { tag: 'Z' }, { tag: 'U' }],
      oneOf: [1, 3],
    });
  });

  it.each([
    ['A < B', 'type B is not defined'],
    ['A > X:x1\nA > Y:x1', 'type A is defined twice'],
    ['A > X:x1\nB < A -Y', 'a change of Y, which the type does not have'],
    ['A > X', 'no element of the notation: X'],
  ])('%j is refused', (text, message) => {
    expect(() => readDefinitions([text])).toThrow(message);
  });

  it('has every type that its lines use, and uses every type', () => {
    const types = messageTypes();
    const used = new Set(messages.map(({ type }) => type));
    for (const type of types.values()) {
      if (type.kind === 'codes') continue;
      for (const { type: name } of type.children) {
        used.add(name);
        if (!types.has(name) && codeOrProprietary(name) === null && name !== 'any') expect(() => valueType(name)).not.toThrow();
      }
    }
    // Some are only there to be changed.
    expect([...types.keys()].filter((name) => !used.has(name)).length).toBeLessThan(20);
  });
});
