import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePattern } from '../expressions/patterns.ts';
import { isAnchored, parseSimplePattern, simpleExpression } from './simple-pattern.ts';

const atom = fc.constantFrom(
  'a',
  'Z',
  '[0-9]',
  '[A-Z]',
  '[a-c-]',
  '\\d',
  '\\.',
  '-',
  '[xyz]',
  '\\w',
  '[ -~]',
  '[a:]',
  '[:a]',
  '[a&&b]',
  'é',
  '.',
  '(ab)',
  '[^a]',
);
const count = fc.constantFrom(
  '',
  '{2}',
  '{1,3}',
  '{0,2}',
  '+',
  '*',
  '?',
  '{2,}',
  '+?',
  '{02}',
  '{1,03}',
  '{0,1000}',
  '{0,1001}',
  '{1001}',
  '{1001,}',
);
const pattern = fc
  .tuple(
    fc.array(fc.tuple(atom, count), { minLength: 1, maxLength: 4 }),
    fc.option(fc.tuple(atom, count)),
    fc.constantFrom(['', ''], ['^', '$'], ['^', ''], ['', '$']),
  )
  .map(([atoms, group, [open, close]]) => {
    const body = atoms.map((parts) => parts.join('')).join('');
    return `${open}${body}${group === null ? '' : `(${group.join('')})?`}${close}`;
  });
const text = fc.oneof(fc.stringMatching(/^[aZ09bcx.\-_é\n]{0,6}$/), fc.string({ maxLength: 6 }));

describe('simple patterns', () => {
  it('match what RE2 matches', () => {
    let simple = 0;
    fc.assert(
      fc.property(pattern, fc.array(text, { minLength: 1, maxLength: 8 }), (source, texts) => {
        const parsed = parseSimplePattern(source);
        if (parsed === null) return;
        simple++;
        const exact = compilePattern(source, isAnchored(source) ? 'part' : 'whole');
        for (const value of texts) expect([value, simpleExpression(parsed).test(value)]).toEqual([value, exact(value)]);
      }),
      { numRuns: 1_500 },
    );
    expect(simple).toBeGreaterThan(30);
  });

  it('are the usual ones of payment files', () => {
    for (const source of [
      '^P[0-9]{9}$',
      '^[0-9]{1,12}(\\.[0-9]{1,2})?$',
      '^[A-Z0-9-]{1,35}$',
      '[A-Z]{3}',
      "[A-Za-z0-9 .,()/+:?'-]{1,35}",
    ]) {
      expect([source, parseSimplePattern(source) !== null]).toEqual([source, true]);
    }
  });

  it('leave out whatever could backtrack', () => {
    for (const source of ['^(a+)+$', '(a|b)+', 'a*a*', '[0-9]+[0-9]', 'a{1,3}(a)?', '^a', 'a$', '(?i)a', '\\bx']) {
      expect([source, parseSimplePattern(source)]).toEqual([source, null]);
    }
  });

  it('leave out counts that RE2 refuses or reads as text', () => {
    for (const source of ['[A-Z]{0,1001}', '[A-Z]{1001}', '[A-Z]{1001,}', 'A([0-9]{1001})?', '[A-Z]{02}', '[A-Z]{1,03}'])
      expect([source, parseSimplePattern(source)]).toEqual([source, null]);
    expect(parseSimplePattern('[A-Z]{0,1000}')!.atoms).toMatchObject([{ min: 0, max: 1_000 }]);
  });
});
