import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { partsOf, valuesOf } from './mysql-parts.ts';

describe('parts', () => {
  it('are all of it in order, as few as fit, and within the bounds unless one alone is not', () => {
    const items = fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 200 }) }), { maxLength: 100 });
    fc.assert(
      fc.property(items, fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 1_000 }), (given, countMax, bytesMax) => {
        const parts = partsOf(given, { countMax, bytesMax });
        expect(parts.flat()).toEqual(given);
        if (given.every(({ bytes }) => bytes * countMax <= bytesMax)) expect(parts).toHaveLength(Math.ceil(given.length / countMax));
        for (const part of parts) {
          expect(part.length).toBeLessThanOrEqual(countMax);
          if (part.length > 1) expect(part.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(bytesMax);
        }
      }),
    );
  });
});

describe('values', () => {
  it('are in the order of the columns, numbers digit by digit', () => {
    const json = '{"b":9223372036854775807,"a":"1.10","c":null,"d":true,"e":-0,"extra":1}';
    expect(valuesOf(json, ['a', 'b', 'c', 'd', 'e', 'missing'])).toEqual(['1.10', '9223372036854775807', null, true, '-0', null]);
  });

  it('of any record are what its JSON says, whether texts look like numbers or not', () => {
    const odd = fc.constantFrom('":1', 'a, 2', '[-3', ':4', '"', '5');
    const value = fc.oneof(fc.string(), odd, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null));
    fc.assert(
      fc.property(fc.record({ a: value, b: value }), (record) => {
        const expected = [record.a, record.b].map((one) => (typeof one === 'number' ? JSON.stringify(one) : one));
        expect(valuesOf(JSON.stringify(record), ['a', 'b'])).toEqual(expected);
        expect(valuesOf(JSON.stringify(record, null, 1), ['a', 'b'])).toEqual(expected);
      }),
    );
  });
});
