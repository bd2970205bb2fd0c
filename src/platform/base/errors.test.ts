import { expect, it } from 'vitest';
import { declaredErrors, defineErrors, HeadgateError } from './errors.ts';

const declaration = { meaning: 'It happens.', actor: 'operator', next: 'Do this.', retryable: true } as const;

it('an error knows what its catalogue says', () => {
  const { E_TESTED } = defineErrors({ E_TESTED: declaration });
  expect(new HeadgateError(E_TESTED, 'x')).toMatchObject({ code: 'E_TESTED', retryable: true, next: 'Do this.' });
  expect(declaredErrors().map(({ code }) => code)).toContain('E_TESTED');
});

it('a code that is declared twice, or is no code, is refused', () => {
  defineErrors({ E_TESTED_ONCE: declaration });
  expect(() => defineErrors({ E_TESTED_ONCE: declaration })).toThrow(/declared twice/);
  expect(() => defineErrors({ lowercase: declaration })).toThrow(/does not match/);
});

it('what is retryable can be said for one error, and defaults to no for an undeclared code', () => {
  expect(new HeadgateError('E_TESTED', 'x', { retryable: false }).retryable).toBe(false);
  expect(new HeadgateError('E_NEVER_DECLARED', 'x')).toMatchObject({ retryable: false, next: '', details: [] });
});
