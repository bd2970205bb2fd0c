/** What a message declares is compared as exactly as integers of any size would be. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ElementFrame } from '../schema/element-frame.ts';
import { ExactSum } from './exact-sum.ts';
import { Declared } from './message-rules.ts';

const scale = 17;

function declared(text: string): Declared {
  const made = new Declared();
  const bytes = Buffer.from(text, 'latin1');
  made.take({ bytes, length: bytes.length, currency: -1, isValid: true }, new ElementFrame());
  return made;
}

function sumOf(amounts: readonly bigint[]): ExactSum {
  const sum = new ExactSum();
  for (const amount of amounts) {
    const bytes = Buffer.from(decimalText(amount < 0n ? -amount : amount, 5));
    sum.add(bytes, bytes.length, amount < 0n ? -1 : 1);
  }
  return sum;
}

function decimalText(units: bigint, decimals: number): string {
  const digits = units.toString().padStart(decimals + 1, '0');
  return decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

const spaces = fc.constantFrom('', ' ', '\n\t');
const amount = fc.oneof(fc.bigInt({ min: 0n, max: 10n ** 7n }), fc.bigInt({ min: 0n, max: 10n ** 18n - 1n }));

it('a sum is the declared one exactly if it is so digit by digit, whatever size, decimals, zeros and spaces it has', () => {
  fc.assert(
    fc.property(
      fc.array(amount, { maxLength: 5 }),
      fc.constantFrom(0n, 0n, 1n, -1n),
      fc.nat(12),
      spaces,
      fc.nat(3),
      (amounts, off, more, space, zeros) => {
        const total = amounts.reduce((sum, each) => sum + each, 0n);
        // Off by one unit of the last decimal that is written.
        const units = total * 10n ** BigInt(more) + off;
        fc.pre(units >= 0n);
        const text = `${space}${'0'.repeat(zeros)}${decimalText(units, 5 + more)}${space}`;
        expect(declared(text).isSum(sumOf(amounts))).toBe(off === 0n);
        expect(declared(text).units(scale)).toBe(units * 10n ** BigInt(scale - 5 - more));
      },
    ),
  );
});

it('a sum that is written without its last zeros, or below zero, is the same', () => {
  expect(declared('12.5').isSum(sumOf([1_250_000n]))).toBe(true);
  expect(declared('12').isSum(sumOf([1_200_000n]))).toBe(true);
  expect(declared('+12').isSum(sumOf([1_200_000n]))).toBe(true);
  expect(declared('-12.50').isSum(sumOf([-1_250_000n]))).toBe(true);
  expect(declared('12.50').isSum(sumOf([-1_250_000n]))).toBe(false);
  expect(declared('0').isSum(sumOf([5n, -5n]))).toBe(true);
});

it('a count of up to fifteen digits is compared exactly', () => {
  fc.assert(
    fc.property(fc.nat(999_999_999_999_999), fc.nat(2), spaces, (count, off, space) => {
      const text = `${space}${String(count).padStart(15, '0')}${space}`;
      expect(declared(text).isCount(count + off)).toBe(off === 0);
      expect(declared(text).text).toBe(text.trim());
    }),
  );
});

it('what is kept of a declared number stays when the next one is taken', () => {
  const first = declared('12.50');
  const kept = first.copy();
  first.take({ bytes: Buffer.from('99.99'), length: 5, currency: -1, isValid: false }, new ElementFrame());
  expect([kept.text, kept.isThere, first.text, first.isThere]).toEqual(['12.50', true, '99.99', false]);
});
