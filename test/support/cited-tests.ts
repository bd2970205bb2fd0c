/**
 * What a page cites: tests as `path.test.ts`: `group > test`, `group > test`, those of a suite that several files run
 * (`path.fixture.ts`) in the same way, and error codes. Each must exist, so that a page
 * that promises something cannot outlive what shows it.
 */
import { testTitles } from './test-titles.ts';

const testPath = /`([\w./-]+\.test\.ts(?=`)|[\w./-]+\.fixture\.ts(?=`:))`(:(?:\s*`[^`\n]+`,?)*)?/g;

export interface CitedTest {
  readonly path: string;
  readonly title: string;
}

/** Every cited test; a path without a title comes with an empty one, which no file has. */
export function citedTests(page: string): CitedTest[] {
  return [...page.matchAll(testPath)].flatMap(([, path = '', titles = '']) => {
    const named = [...titles.matchAll(/`([^`\n]+)`/g)].map(([, title = '']) => ({ path, title }));
    return named.length > 0 ? named : [{ path, title: '' }];
  });
}

/** The citations of the page that lead nowhere. `sourceOf` gives the text of a file, or undefined where there is none. */
export function missingTests(page: string, sourceOf: (path: string) => string | undefined): string[] {
  const titlesByPath = new Map<string, readonly string[]>();
  const titlesOf = (path: string): readonly string[] => {
    const known = titlesByPath.get(path);
    if (known !== undefined) return known;
    const source = sourceOf(path);
    const titles = source === undefined ? [] : testTitles(source);
    titlesByPath.set(path, titles);
    return titles;
  };
  return citedTests(page)
    .filter(({ path, title }) => !titlesOf(path).includes(title))
    .map(({ path, title }) => `${path}: ${title === '' ? '(no test is named)' : title}`);
}

/** The error codes that the page names and the reference page does not have. */
export function missingCodes(page: string, errorsPage: string): string[] {
  const known = new Set(errorsPage.match(/\bE_[A-Z][A-Z0-9_]*\b/g));
  return [...new Set(page.match(/\bE_[A-Z][A-Z0-9_]*\b/g))].filter((code) => !known.has(code));
}
