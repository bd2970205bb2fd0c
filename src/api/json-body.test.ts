import fc from 'fast-check';
import { expect, it } from 'vitest';
import { repeatedField } from './json-body.ts';

it.each([
  ['{"a":1,"a":1}', '/a'],
  ['{"a":{"b":[{},{"c":"}","d":1,"c":2}]}}', '/a/b/1/c'],
  ['{"a":1,"\\u0061":2}', '/a'],
  ['{"a/~":1,"x":["a/~"],"a/~":2}', '/a~1~0'],
  ['{"":1,"":2}', '/'],
  ['[{"__proto__":1,"__proto__":2}]', '/0/__proto__'],
  [`{"a":"\\\\","b":"\\"a\\":","a":0}`, '/a'],
  [`${'{"a":['.repeat(50_000)}{"b":1,"b":1}${']}'.repeat(50_000)}`, `${'/a/0'.repeat(50_000)}/b`],
])('a field that is there twice is found: %.40s', (json, path) => {
  expect(repeatedField(json)).toBe(path);
});

it('fields of their own are no repetition', () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      expect(repeatedField(JSON.stringify(JSON.parse(json)))).toBeNull();
    }),
  );
  expect(repeatedField('"a"')).toBeNull();
  expect(repeatedField('[{"a":"a"},{"a":"a"},"a","a"]')).toBeNull();
});
