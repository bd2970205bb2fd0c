import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decimalText, ExactSum } from './exact-sum.ts';

it('sums of any size are exact, whether they are added one by one or as sums', () => {
  const units = fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }));
  fc.assert(
    fc.property(fc.array(fc.array(units)), (lists) => {
      const all = new ExactSum();
      const of = lists.map((list) => {
        const sum = new ExactSum();
        for (const each of list) sum.add(each);
        return sum;
      });
      for (const sum of of) all.addSum(sum);
      expect(all.value).toBe(lists.flat().reduce<bigint>((total, each) => total + BigInt(each), 0n));
      all.reset();
      expect(all.value).toBe(0n);
    }),
  );
});

it.each([
  [0n, 2, '0.00'],
  [-5n, 2, '-0.05'],
  [12_345n, 3, '12.345'],
  [12n, 0, '12'],
])('%s with %s digits is %s', (units, digits, text) => {
  expect(decimalText(units, digits)).toBe(text);
});
