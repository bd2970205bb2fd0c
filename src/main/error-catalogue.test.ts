import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { declaredErrors } from './error-catalogue.ts';

it('the catalogue has every code that the page of errors has, which is made from the sources', () => {
  const page = readFileSync(new URL('../../docs/reference/errors.md', import.meta.url), 'utf8');
  const documented = [...page.matchAll(/^## (E_\w+)$/gm)].map(([, code]) => code);
  const declared = declaredErrors().map(({ code }) => code);
  expect(documented.length).toBeGreaterThan(200);
  expect(documented.filter((code) => !declared.includes(code!))).toEqual([]);
});
