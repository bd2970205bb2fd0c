import { describe, expect, it } from 'vitest';
import { checkExpression } from '../../engine/expressions/check.ts';
import type { ValueType } from '../../engine/expressions/expression.ts';
import { createKeyReader } from './kafka-key.ts';

const output = (
  [
    ['id', 'string'],
    ['place', 'int'],
    ['amount', 'decimal'],
    ['urgent', 'bool'],
  ] as const satisfies [string, ValueType][]
).map(([name, type], index) => ({ name, type, index, value: { kind: 'literal', type, value: null } as const }));

function keyOf(source: string, json: string): string | null | false {
  const { expression, problems } = checkExpression({
    source,
    environment: { scopes: { out: output }, statistics: null, absent: {}, later: [], hiddenFields: new Map() },
    expected: null,
  });
  expect(problems).toEqual([]);
  const key = createKeyReader(expression, output)(Buffer.from(json));
  return key === null || key === false ? key : key.toString();
}

const record = '{"id":"ß-1","place":9007199254740993,"amount":"10.50","urgent":true}';

describe('the key of a message', () => {
  it.each([
    ['out.id', 'ß-1'],
    ['out.place', '9007199254740993'],
    ['out.amount', '10.50'],
    ['out.urgent', 'true'],
    ["out.id + '/' + string(out.amount)", 'ß-1/10.50'],
    ["out.urgent ? 'HIGH' : 'LOW'", 'HIGH'],
  ])('%s is computed of the line, exactly', (source, key) => {
    expect(keyOf(source, record)).toBe(key);
  });

  it('is none where the value is absent', () => {
    expect(keyOf('out.id', '{"id":null,"place":1,"amount":"1","urgent":false}')).toBe(null);
  });

  it('can not be computed where the expression fails', () => {
    expect(keyOf("out.id + 'x'", '{"id":null,"place":1,"amount":"1","urgent":false}')).toBe(false);
  });

  it('is none without an expression', () => {
    expect(createKeyReader(null, output)(Buffer.from(record))).toBe(null);
  });
});
