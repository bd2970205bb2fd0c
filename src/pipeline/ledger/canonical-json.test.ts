import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectedVerdicts, itWithPublicData } from '../../../test/support/public-data.ts';
import { canonicalJson } from './canonical-json.ts';

function itself(): unknown {
  const list: unknown[] = [];
  list.push(list);
  return list;
}

describe('canonical JSON', () => {
  test('orders keys by UTF-16 units, leaves out spaces and prints numbers as ECMAScript does', () => {
    expect(canonicalJson({ b: 1, a: [true, null, 'x'], '€': 1e21, '\r': -0, '10': 0.000001 })).toBe(
      '{"\\r":0,"10":0.000001,"a":[true,null,"x"],"b":1,"€":1e+21}',
    );
  });

  test('reads back as the same value, whatever the order of keys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test('is that of the reference implementation', () => {
    const text = fc.string({ unit: 'grapheme' });
    const value = fc.jsonValue({ stringUnit: 'grapheme' });
    fc.assert(
      fc.property(fc.dictionary(text, fc.oneof(value, fc.double({ noNaN: true, noDefaultInfinity: true }))), (object) => {
        expect(canonicalJson(object)).toBe(canonicalize(object));
      }),
    );
  });

  test('is that of the reference implementation for keys that an object can not keep in order', () => {
    const key = fc.oneof(fc.constantFrom('__proto__', '9', '10', '-1', '1a', 'a', 'toJSON', 'constructor'), fc.string());
    const nested = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 4 }, fc.integer(), fc.array(tie('value')), fc.dictionary(key, tie('value'), { maxKeys: 40 })),
    }));
    fc.assert(
      fc.property(nested.value, (value) => {
        expect(canonicalJson(value)).toBe(canonicalize(value));
      }),
    );
  });

  test('leaves the value as it is', () => {
    const value = { b: [{ d: 1, c: 2 }], a: { f: null, e: 'x' } };
    canonicalJson(value);
    expect(JSON.stringify(value)).toBe('{"b":[{"d":1,"c":2}],"a":{"f":null,"e":"x"}}');
  });

  test.each([
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    ['\ud800'],
    [{ '\udc00': 1 }],
    [itself()],
    [{ a: undefined }],
    [{ '1': { b: undefined } }],
    [{ a: { toJSON: () => 1 } }],
    [undefined],
    [10n],
    [new Date(0)],
    [() => 1],
    [new Map()],
    [Symbol('x')],
    [[undefined]],
  ])('refuses what JSON cannot hold (%#)', (value) => {
    expect(() => canonicalJson(value)).toThrow(expect.objectContaining({ code: 'E_CANONICAL_JSON' }));
  });

  itWithPublicData('canonical', 'equals the published vectors of RFC 8785', (folder) => {
    const vectors = expectedVerdicts<{ input: string; output: string; canonicalBytes: number }>(folder);
    expect(vectors.length).toBeGreaterThan(0);
    for (const vector of vectors.filter(({ input }) => input.endsWith('.json'))) {
      const text = canonicalJson(JSON.parse(readFileSync(join(folder, vector.input), 'utf8')));
      expect(text).toBe(readFileSync(join(folder, vector.output), 'utf8').trimEnd());
      expect(Buffer.byteLength(text)).toBe(vector.canonicalBytes);
    }
  });
});
