import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { functionSignatures } from '../../pipeline/engine/expressions/functions.ts';
import { loadDocument } from './load-flow.ts';

const page = readFileSync(new URL('../../../docs/flow-definition.md', import.meta.url), 'utf8');
const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1]!);

test('every document on the page is sound', () => {
  expect(blocks.length).toBeGreaterThanOrEqual(6);
  for (const block of blocks) expect(loadDocument(block).diagnostics).toEqual([]);
});

test('the page names every function of expressions', () => {
  const other = ['upperAscii', 'lowerAscii'];
  const missing = Object.keys(functionSignatures).filter((name) => !other.includes(name) && !new RegExp(`\\b${name}\\b`).test(page));
  expect(missing).toEqual([]);
});
