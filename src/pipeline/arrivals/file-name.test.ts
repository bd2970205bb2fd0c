import fc from 'fast-check';
import { expect, it } from 'vitest';
import { canMatchOneName, createNameMatcher, problemOfName, textOfName } from './file-name.ts';

it.each([
  '../../etc/cron.d/x',
  '..\\..\\x',
  '%2e%2e%2f',
  '%2E%2E%2Fetc',
  '%252e%252e%252fx',
  'a%2fb',
  'a%5cb',
  'a%00b',
  '/etc/passwd',
  'C:\\x',
  '.',
  '..',
  '',
  'a\u0000b',
  'a\r\nb',
  'a\tb',
  'a\u007fb',
  'a\u0085b',
  'gpj.\u202etxt.exe',
  '\u2066x\u2069',
  '\u200ex',
  'zero\u200bwidth',
  '\ufeffbom',
  'line\u2028separator',
  'tag\u{e0041}',
  'a'.repeat(256),
  'é'.repeat(128),
  'CON',
  'con',
  'NUL.txt',
  'com1.csv',
  'LPT9',
  'aux.',
  'trailing ',
  'trailing.',
  ' leading',
  'lone\ud800surrogate',
])('the name %j is refused', (name) => {
  expect(problemOfName(name)).not.toBeNull();
});

it.each([
  'EFT_20261124.txt',
  'a',
  '.hidden',
  'Ünïcode–name.csv',
  '日本語.csv',
  'with space.txt',
  "it's (1) [2] #3 & 100%.csv",
  'a'.repeat(255),
  'console.txt',
  'a..b',
  '-rf',
  '%41.csv',
  'émile.csv'.normalize('NFD'),
])('the name %j is taken', (name) => {
  expect(problemOfName(name)).toBeNull();
});

it('what is wrong with a name is said without repeating it', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 4, unit: 'binary' }), (name) => {
      const problem = problemOfName(name);
      if (problem !== null) expect(problem).not.toContain(name);
    }),
  );
});

it('bytes that are no UTF-8 become text that can be stored, and others stay as they are', () => {
  expect(textOfName(Buffer.from([0x61, 0xff, 0xfe]))).toEqual({ text: 'a\\xff\\xfe', isExact: false });
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (name) => {
      expect(textOfName(Buffer.from(name))).toEqual({ text: name, isExact: true });
    }),
  );
});

it('patterns match as their meaning in regular expressions does', () => {
  const letters = fc.constantFrom('a', 'b', '.', '*', '?');
  fc.assert(
    fc.property(
      fc.string({ unit: letters, maxLength: 8 }),
      fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 10 }),
      (pattern, name) => {
        const meaning = new RegExp(
          `^${[...pattern].map((each) => (each === '*' ? '[^]*' : each === '?' ? '[^]' : each === '.' ? '\\.' : each)).join('')}$`,
        );
        const isHidden = name.startsWith('.') && !pattern.startsWith('.');
        expect(createNameMatcher(pattern)(name)).toBe(!isHidden && meaning.test(name));
      },
    ),
    { numRuns: 2_000 },
  );
});

it.each([
  ['*', '*.ach', true],
  ['*.ach', '*.xml', false],
  ['a*', '*.ach', true],
  ['pay-?.ach', 'pay-??.ach', false],
  ['pay-?.ach', 'pay-*.ach', true],
  ['?', '??', false],
  ['*a*b*', '*b*a*', true],
  ['*', '.*', false],
  ['.?', '.*', true],
  ['a', 'a', true],
  ['?x', '😀x', true],
  ['?x', '😀y', false],
  ['x?', 'x😀', true],
  ['??', '😀', false],
])('the patterns %s and %s match one name: %s', (one, other, expected) => {
  expect([canMatchOneName(one, other), canMatchOneName(other, one)]).toEqual([expected, expected]);
});

it('two patterns match one name if there is one that is matched by both', () => {
  const letters = ['a', 'b'];
  const names = letters.flatMap((a) => [a, ...letters.flatMap((b) => [a + b, ...letters.map((c) => a + b + c)])]);
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(pattern, pattern, (one, other) => {
      const isCommon = names.some((name) => createNameMatcher(one)(name) && createNameMatcher(other)(name));
      // Where both have a star the name may be longer than either.
      if (isCommon || !one.includes('*') || !other.includes('*')) expect(canMatchOneName(one, other)).toBe(isCommon);
    }),
    { numRuns: 3_000 },
  );
});

it('a hostile pattern costs no more than pattern times name', () => {
  expect(createNameMatcher('*a'.repeat(60))(`${'a'.repeat(250)}b`)).toBe(false);
});
