import fc from 'fast-check';
import { expect, it } from 'vitest';
import { namesOf } from './virtual-files.ts';

it.each([
  ['/', []],
  ['', []],
  ['.', []],
  ['..', []],
  ['../../etc/passwd', ['etc', 'passwd']],
  ['/in/../../in/./x', ['in', 'x']],
  ['in//x/', ['in', 'x']],
  ['in/..\\x', ['in', '..\\x']],
  ['in/%2e%2e', ['in', '%2e%2e']],
])('the path %j leads to %j', (path, names) => {
  expect(namesOf(path)).toEqual(names);
});

it('no path has a name that leads up, is empty, or holds a slash', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('..', '.', '/', 'a', '\\', '\0', '//', '%2f')), (parts) => {
      for (const name of namesOf(parts.join('')) ?? [])
        expect(name === '' || name === '.' || name === '..' || name.includes('/')).toBe(false);
    }),
  );
});

it('a path of more characters or names than any has leads nowhere', () => {
  expect(namesOf('x'.repeat(4_097))).toBeNull();
  expect(namesOf('x/'.repeat(17))).toBeNull();
});
