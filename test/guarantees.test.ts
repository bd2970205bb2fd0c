import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { citedTests, missingCodes, missingTests } from './support/cited-tests.ts';
import { testTitles } from './support/test-titles.ts';

const projectRoot = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8');
/** Source files that a page names by their whole path. */
const namedFiles = (path: string) => [...read(path).matchAll(/`((?:src|test)\/[\w./-]+\.(?:ts|sql))`/g)].map(([, file = '']) => file);
const sourceOf = (path: string) => (existsSync(join(projectRoot, path)) ? read(path) : undefined);

describe.each(['docs/guarantees.md', 'docs/bad-inputs.md', 'docs/connectors/faults.md'])('%s', (path) => {
  it('cites tests that exist, under the names that they have', () => {
    expect(citedTests(read(path)).length).toBeGreaterThan(20);
    expect(missingTests(read(path), sourceOf)).toEqual([]);
  });

  it('names files that exist', () => {
    expect(namedFiles(path).filter((file) => !existsSync(join(projectRoot, file)))).toEqual([]);
  });

  it('names error codes that exist', () => {
    expect(missingCodes(read(path), read('docs/reference/errors.md'))).toEqual([]);
  });
});

it('the architecture page names files that exist', () => {
  const files = namedFiles('docs/ARCHITECTURE.md');
  expect(files.length).toBeGreaterThan(15);
  expect(files.filter((file) => !existsSync(join(projectRoot, file)))).toEqual([]);
});

it('every guarantee that holds cites a test', () => {
  const [holding = ''] = read('docs/guarantees.md').split('\n## Not yet');
  const sections = holding.split('\n### ').slice(1);
  expect(sections.length).toBeGreaterThan(10);
  expect(sections.filter((section) => citedTests(section).length === 0).map((section) => section.split('\n')[0])).toEqual([]);
});

it('no page promises more than it can: "exactly once" and "zero loss" do not occur', () => {
  for (const path of ['docs/guarantees.md', 'docs/bad-inputs.md', 'docs/connectors/faults.md', 'docs/ARCHITECTURE.md'])
    expect(read(path)).not.toMatch(/exactly[- ]once|zero[- ]loss|no data loss/i);
});

describe('a planted citation is caught', () => {
  const known = new Map([
    ['src/a.test.ts', "describe('a file', () => { it('is read', () => {}); it.each([[1]])('of %i bytes', () => {}); });"],
  ]);
  const check = (page: string) => missingTests(page, (path) => known.get(path));

  it.each([
    ['of a file that does not exist', '`src/b.test.ts`: `a file > is read`', 'src/b.test.ts: a file > is read'],
    ['of a test that does not exist', '`src/a.test.ts`: `a file > is written`', 'src/a.test.ts: a file > is written'],
    ['of a test without its group', '`src/a.test.ts`: `is read`', 'src/a.test.ts: is read'],
    ['of a group only', '`src/a.test.ts`: `a file`', 'src/a.test.ts: a file'],
    ['of a file only', 'see `src/a.test.ts`.', 'src/a.test.ts: (no test is named)'],
    ['behind a right one', '`src/a.test.ts`: `a file > is read`, `a file > is gone`', 'src/a.test.ts: a file > is gone'],
  ])('%s', (_what, page, missing) => {
    expect(check(page)).toEqual([missing]);
  });

  it('and a right one is not', () => {
    expect(check('| x | `src/a.test.ts`: `a file > is read`, `a file > of %i bytes` | `src/a.ts` |')).toEqual([]);
  });

  it('of an error code that does not exist', () => {
    expect(missingCodes('E_NAME, E_NAMES', '### E_NAME')).toEqual(['E_NAMES']);
  });
});

it('titles are read from every form of a test', () => {
  const source = [
    "test('plain', () => {});",
    "describe('group', () => { it.each([['a(b', \"'\"]])('table %s', (x: string) => {}); describe('inner', () => { test('deep', () => {}); }); });",
    "itWith('root')('needs root', async () => {});",
    "itWithPublicData('csv', 'needs data', (folder: string) => {});",
    'for (const path of [1]) it(`of ${path}`, () => {});',
    'const quoted = "it(\'no test\', () => {})";',
  ].join('\n');
  expect(testTitles(source)).toEqual(['plain', 'group > table %s', 'group > inner > deep', 'needs root', 'needs data', 'of …']);
});
