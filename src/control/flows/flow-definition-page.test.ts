import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { functionSignatures } from '../../pipeline/engine/expressions/functions.ts';
import { checkDocuments } from './check-documents.ts';
import { loadFlowTest } from './load-flow-test.ts';

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
const knownFiles = ['examples/acme-pay/acme-out.yaml', 'examples/acme-pay/acme-drop.yaml', 'examples/acme-pay/ledger-db.yaml'];
const known = knownFiles.map(read);
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

  test('what a flow refers to and is not on the page is said to be among the examples', () => {
    const files = knownFiles.filter((file) => {
      const connection = nameOf(read(file));
      const isUsed = documents.some((each) => each.includes(`connection: ${connection.split(' ')[1]}`));
      return isUsed && !documents.map(nameOf).includes(connection);
    });
    expect(files.filter((file) => !text.includes(file))).toEqual([]);
  });

  test('an example says where tenant, policy, secrets and keys come from', () => {
    if (text.includes('\n## An example\n')) expect(text).toContain('](../operating/tenants.md)');
  });

  const tests = documents.filter((document) => document.includes('\nkind: FlowTest\n'));
  if (tests.length > 0)
    test('tests of flows are sound', () => {
      for (const each of tests) expect(loadFlowTest(each).diagnostics).toEqual([]);
    });

  const applied = documents.filter((document) => !tests.includes(document));
  test.each(applied.map((document) => [nameOf(document), document]))('%s is sound, with what it refers to', (own, document) => {
    const others = [...applied, ...known].filter((other) => nameOf(other) !== own && !other.includes('kind: FlowDefinition\n'));
    const [checked] = checkDocuments([document, ...others].map((each) => ({ file: nameOf(each), text: each })));
    expect(checked!.diagnostics).toEqual([]);
  });
});

test('the policy of the page on tenants is sound, and said to need a key that may apply it', () => {
  const tenants = read('docs/operating/tenants.md');
  const [policy] = documentsOf(tenants);
  expect(checkDocuments([{ file: 'policy.yaml', text: policy! }])[0]!.diagnostics).toEqual([]);
  expect(tenants).toContain('policy:write');
});

test('the page names every function of expressions', () => {
  const other = ['upperAscii', 'lowerAscii'];
  const missing = Object.keys(functionSignatures).filter((name) => !other.includes(name) && !new RegExp(`\\b${name}\\b`).test(page));
  expect(missing).toEqual([]);
});
