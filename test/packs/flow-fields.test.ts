/** The pages of the packs list what flows see of a file; the lists are the schemas. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { PackField, PackSchema, PackSettings } from '../../src/pipeline/formats/pack.ts';
import { packFlows } from '../../src/pipeline/formats/pack-flows.ts';

/** What a page has rows for: a name, and the settings that give its schema. */
const documented = {
  nacha: [['', {}]],
  iso20022: ['pain.001', 'pain.002', 'pain.008', 'pacs.002', 'pacs.004', 'pacs.008', 'pacs.009', 'camt.052', 'camt.053', 'camt.054'].map(
    (message) => [message, { message }] as const,
  ),
} as const satisfies Readonly<Record<string, readonly (readonly [string, Readonly<Record<string, string>>])[]>>;

function schemaOf(name: keyof typeof packFlows, given: Readonly<Record<string, string>>): PackSchema {
  const { settings, schema } = packFlows[name]!;
  const filled: PackSettings = new Map(settings.map((setting) => [setting.name, given[setting.name] ?? setting.default]));
  const found = schema(filled);
  if ('problem' in found) throw new Error(found.problem);
  return found;
}

const listed = (fields: Readonly<Record<string, PackField>>) =>
  Object.entries(fields)
    .map(([name, { type }]) => (type === 'string' ? `\`${name}\`` : `\`${name}\` (${type})`))
    .join(', ');

function rowsOf(label: string, { header, record, trailer }: PackSchema): string[] {
  const row = (part: string, fields: PackSchema['trailer']) =>
    fields === null ? [] : [`| ${label === '' ? '' : `\`${label}\` | `}${part} | ${listed(fields)} |`];
  return [...row('header', header), ...row('record', record), ...row('trailer', trailer)];
}

it.each(Object.keys(documented) as (keyof typeof documented)[])('docs/formats/%s.md lists what a flow sees', (name) => {
  const page = readFileSync(new URL(`../../docs/formats/${name}.md`, import.meta.url), 'utf8');
  const section = page.split('\n## ').find((each) => each.startsWith('In a flow\n')) ?? '';
  const rows = section.split('\n').filter((line) => /^\| (`[^|]*` \| )?(header|record|trailer) \|/.test(line));
  expect(rows).toEqual(documented[name].flatMap(([label, given]) => rowsOf(label, schemaOf(name, given))));
});

const flowsOfPacks = [
  ['nacha', {}],
  ['bai2', {}],
  ['swift-mt', { messages: 'statements' }],
  ['swift-mt', { messages: 'payments', strictness: 'lenient' }],
  ...documented.iso20022.map(([, given]) => ['iso20022', given] as const),
  ['iso20022', { message: 'pain.002', statuses: 'all' }],
] as const satisfies readonly (readonly [keyof typeof packFlows, Readonly<Record<string, string>>])[];

it.each(flowsOfPacks)('no amount of a record of %s that is added up is repaired, nor the currency that it is in: %j', (name, given) => {
  const { record, tied } = schemaOf(name, given);
  const summed = Object.entries(record).filter(([, { sum }]) => sum === true);
  expect(tied).toEqual(expect.arrayContaining(summed.flatMap(([field, { currency = field }]) => [field, currency])));
  expect(Object.keys(record)).toEqual(expect.arrayContaining([...tied]));
});
