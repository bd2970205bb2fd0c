import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { functionSignatures } from '../../pipeline/engine/expressions/functions.ts';
import { loadDocument } from './load-flow.ts';

const read = (name: string) => readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8');
const page = read('flow-definition.md');

const blocksOf = (text: string) => [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1]!);

test.each([
  ['flow-definition.md', 6],
  ['sources/sftp.md', 2],
  ['connectors/file.md', 2],
  ['sources/blob.md', 4],
  ['connectors/http.md', 2],
  ['connectors/sftp.md', 2],
  ['connectors/blob.md', 2],
])('every document on the page %s is sound', (name, count) => {
  const blocks = blocksOf(read(name));
  expect(blocks.length).toBeGreaterThanOrEqual(count);
  for (const block of blocks) expect(loadDocument(block).diagnostics).toEqual([]);
});

test('the page names every function of expressions', () => {
  const other = ['upperAscii', 'lowerAscii'];
  const missing = Object.keys(functionSignatures).filter((name) => !other.includes(name) && !new RegExp(`\\b${name}\\b`).test(page));
  expect(missing).toEqual([]);
});
