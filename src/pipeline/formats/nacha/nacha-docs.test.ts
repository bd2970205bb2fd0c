import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { answerRows, fieldRows, makerRows, ruleRows, settingRows, writerRows } from './documented-tables.fixture.ts';

const page = readFileSync(fileURLToPath(new URL('../../../../docs/formats/nacha.md', import.meta.url)), 'utf8');

/** The rows of the table below a heading. */
function rowsBelow(heading: string): string[] {
  const section = page.split('\n## ').find((each) => each.startsWith(`${heading}\n`)) ?? '';
  return section.split('\n').filter((line) => line.startsWith('| `'));
}

it.each([
  ['Settings', () => settingRows()],
  ['Writing', writerRows],
  ['Files of files', makerRows],
  ['Answers', answerRows],
  ['Rules', ruleRows],
  ['Field names', fieldRows],
])('docs/formats/nacha.md: the table below "%s" is that of the code', (heading, rows) => {
  expect(rowsBelow(heading)).toEqual(rows());
});
