import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { functionSignatures } from '../../pipeline/engine/expressions/functions.ts';
import { checkDocuments } from './check-documents.ts';

const root = new URL('../../../', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, root), 'utf8');
const page = read('docs/flow-definition.md');

const pagesIn = (folder: string) =>
  readdirSync(new URL(`docs/${folder}`, root))
    .filter((name) => name.endsWith('.md') && name !== 'faults.md')
    .map((name) => `${folder}/${name}`);
const pages = ['flow-definition.md', 'unpacking.md', 'acknowledgements.md', ...pagesIn('connectors'), ...pagesIn('sources')];

/** Whole documents; a block may also hold a part of one. */
const documentsOf = (text: string) =>
  [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map((match) => match[1]!).filter((block) => block.startsWith('apiVersion:'));

/** Connections of the examples, to which pages refer. */
const known = ['acme-pay/acme-out.yaml', 'acme-pay/acme-drop.yaml', 'acme-pay/ledger-db.yaml'].map((file) => read(`examples/${file}`));
const nameOf = (document: string) => /^kind: (\w+)\nmetadata: .*\bname: ([\w-]+)/m.exec(document)!.slice(1).join(' ');

describe.each(pages)('on the page %s', (name) => {
  const text = read(`docs/${name}`);
  const documents = documentsOf(text);

  test('every document is in a block that is read', () => {
    expect(text.match(/^ *apiVersion: headgate\/v1$/gm)).toHaveLength(documents.length);
  });

  test('there are a whole connection and a whole flow', () => {
    for (const kind of ['Connection', 'FlowDefinition'])
      expect(documents.filter((each) => each.includes(`\nkind: ${kind}\n`))).not.toEqual([]);
  });

  test.each(documents.map((document) => [nameOf(document), document]))('%s is sound, with what it refers to', (own, document) => {
    const others = [...documents, ...known].filter((other) => nameOf(other) !== own && !other.includes('kind: FlowDefinition\n'));
    const [checked] = checkDocuments([document, ...others].map((each) => ({ file: nameOf(each), text: each })));
    expect(checked!.diagnostics).toEqual([]);
  });
});

test('the page names every function of expressions', () => {
  const other = ['upperAscii', 'lowerAscii'];
  const missing = Object.keys(functionSignatures).filter((name) => !other.includes(name) && !new RegExp(`\\b${name}\\b`).test(page));
  expect(missing).toEqual([]);
});
