import { expect, test } from 'vitest';
import { loadDocument } from './load-flow.ts';

const head = 'apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: t, name: n }\n';

test.each([
  [
    'a key further left',
    `${head}spec:\n  type: folder\n root: /x\nlabels: {}\n`,
    '6:1',
    'the keys of one mapping begin in the same column',
  ],
  ['a dash further left', `${head}spec:\n  - a\n - b\n`, '6:1', 'the dashes of one list are in the same column'],
  ['a dash further right', `${head}spec:\n  - { a: 1 }\n    - { b: 1 }\n`, '6:5', 'the dashes of one list are in the same column'],
  ['a tab', `${head}spec:\n\ttype: folder\n  root: /x\nlabels: {}\n`, '5:1', 'a tab can not indent; use spaces'],
  ['a bracket left open', `${head}spec: { type: folder\nlabels: {}\n`, '5:1', 'a { before this is not closed'],
])('of a text whose indentation is wrong, the first mistake is told and not what follows from it: %s', (_name, text, place, says) => {
  const found = loadDocument(text).diagnostics.map(({ line, column, message }) => [`${line}:${column}`, message]);
  expect(found).toEqual([[place, expect.stringContaining(says)]]);
});

test.each([
  ['a colon in a text', `${head}spec: folder: /x\n`, 'a text with a colon and a space in it is put in quotes'],
  ['a comma left out', `${head}spec: { type: folder root: /x }\n`, 'a comma is missing'],
  ['a sign that means something', `${head}spec: { type: @folder }\n`, 'a text that begins with this character is put in quotes'],
])('what is wrong within a line is said in plain words: %s', (_name, text, says) => {
  expect(loadDocument(text).diagnostics[0]!.message).toContain(says);
});

test('what can be one thing only is not suggested', () => {
  expect(
    loadDocument(head.replace('v1', 'v2'))
      .diagnostics.map(({ message }) => message)
      .join(),
  ).toMatch(/apiVersion must be headgate\/v1(?!;)/);
});

test('a carriage return alone is no end of a line, and one before a line feed is part of it', () => {
  expect(loadDocument(`${head}spec:\n  # a\r   # b\n  type: folder\n`).diagnostics).toMatchObject([
    { line: 5, column: 6, message: expect.stringContaining('a carriage return without a line feed') },
  ]);
  expect(loadDocument(`${head}spec: { type: folder, root: /x }\n`.replaceAll('\n', '\r\n')).diagnostics).toEqual([]);
});
