/**
 * Laws of the expression language over random trees, with a tiny second evaluation of numbers and logic that shares no
 * code with `evaluate.ts`.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  arbitraryExpression,
  arbitraryValue,
  type GeneratorFields,
  printExpression,
} from '../../../../test/support/expression-generator.ts';
import { checkExpression } from './check.ts';
import type { Environment, FieldBinding } from './environment.ts';
import { type EvaluationScope, evaluate } from './evaluate.ts';
import type { Expression, ValueType } from './expression.ts';
import { ExpressionFailure } from './expression-errors.ts';
import { type Decimal, isDecimal, type Value } from './values.ts';

const types: readonly Exclude<ValueType, 'null'>[] = ['string', 'int', 'decimal', 'bool', 'date', 'time', 'datetime'];
const bindings: FieldBinding[] = types.flatMap((type, index) => [
  { name: `${type}A`, type, index: index * 2 },
  { name: `${type}B`, type, index: index * 2 + 1 },
]);
const from: GeneratorFields[] = [{ scope: 'record', fields: bindings }];
const environment: Environment = { scopes: { record: bindings }, statistics: null, absent: {}, later: [], hiddenFields: new Map() };
const arbitraryRecord = fc.tuple(...bindings.map((field) => arbitraryValue(field.type)));
const anyTree = fc.oneof(...types.map((type) => arbitraryExpression({ type, depth: 4, from })));

function scopeOf(values: readonly Value[]): EvaluationScope {
  return { field: (_scope, index) => values[index] ?? null, statistic: () => null };
}

function outcome(expression: Expression, values: readonly Value[]): { value: Value } | 'failed' {
  try {
    return { value: evaluate(expression, scopeOf(values)) };
  } catch (error) {
    if (error instanceof ExpressionFailure) return 'failed';
    throw error;
  }
}

function hasType(value: Value, type: ValueType): boolean {
  if (value === null) return true;
  if (type === 'int') return typeof value === 'bigint' && value >= -(2n ** 63n) && value < 2n ** 63n;
  if (type === 'decimal') return isDecimal(value);
  if (type === 'bool') return typeof value === 'boolean';
  return typeof value === 'string';
}

/** Numbers as fractions over 10^60, three-valued logic; undefined is a failure. Null: not covered here. */
type Second = bigint | boolean | undefined;
const unit = 10n ** 60n;

function secondOpinion(expression: Expression, values: readonly Value[]): Second | null {
  if (expression.kind === 'field') return fromValue(values[expression.index] ?? null);
  if (expression.kind === 'literal') return fromValue(evaluate(expression, scopeOf(values)));
  if (expression.kind !== 'call') return null;
  const [a, b] = expression.arguments.map((operand) => secondOpinion(operand, values));
  if (a === null || b === null) return null;
  switch (expression.name) {
    case 'and':
      return a === false || b === false ? false : a === undefined || b === undefined ? undefined : true;
    case 'or':
      return a === true || b === true ? true : a === undefined || b === undefined ? undefined : false;
    case 'not':
      return a === undefined ? undefined : !a;
    case 'add':
    case 'subtract': {
      if (a === undefined || b === undefined) return undefined;
      const result = expression.name === 'add' ? (a as bigint) + (b as bigint) : (a as bigint) - (b as bigint);
      return expression.type === 'int' && (result >= 2n ** 63n * unit || result < -(2n ** 63n) * unit) ? undefined : result;
    }
    case 'less':
      return a === undefined || b === undefined ? undefined : a! < b!;
    case 'equal':
      return a === undefined || b === undefined ? undefined : a === b;
    default:
      return null;
  }
}

function fromValue(value: Value): Second | null {
  if (value === null) return undefined;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return value * unit;
  return typeof value === 'string' ? null : (value as Decimal).unscaled * 10n ** BigInt(60 - value.scale);
}

describe('laws of expressions', () => {
  test('a checked tree gives a value of its own type or a failure, and the same one every time', () => {
    fc.assert(
      fc.property(anyTree, arbitraryRecord, (expression, values) => {
        const first = outcome(expression, values);
        expect(outcome(JSON.parse(JSON.stringify(expression)) as Expression, values)).toEqual(first);
        return first === 'failed' || hasType(first.value, expression.type);
      }),
      { numRuns: 2_000 },
    );
  });

  test('text printed from a tree checks back to a tree with the same values', () => {
    let read = 0;
    fc.assert(
      fc.property(anyTree, arbitraryRecord, (expression, values) => {
        const checked = checkExpression({ source: printExpression(expression), environment, expected: null });
        // Trees that the checker never makes, such as == of two nulls, do not come out of the generator.
        expect(checked.problems.map((found) => found.message)).toEqual([]);
        read++;
        expect(outcome(checked.expression!, values)).toEqual(outcome(expression, values));
      }),
      { numRuns: 1_000 },
    );
    expect(read).toBeGreaterThan(900);
  });

  test('numbers and logic agree with a second evaluation', () => {
    const numeric = fc.oneof(...(['int', 'decimal', 'bool'] as const).map((type) => arbitraryExpression({ type, depth: 3, from })));
    let compared = 0;
    fc.assert(
      fc.property(numeric, arbitraryRecord, (expression, values) => {
        const second = secondOpinion(expression, values);
        if (second === null) return;
        compared++;
        const first = outcome(expression, values);
        if (first === 'failed' || first.value === null) expect(second).toBeUndefined();
        else expect(fromValue(first.value)).toBe(second);
      }),
      { numRuns: 5_000 },
    );
    expect(compared).toBeGreaterThan(1_000);
  });

  test('an operand that decides absorbs the failure of the other, in any order', () => {
    const failing: Expression = {
      kind: 'call',
      type: 'bool',
      name: 'equal',
      arguments: [
        { kind: 'field', type: 'int', scope: 'record', index: 99, name: 'gone' },
        { kind: 'literal', type: 'int', value: '1' },
      ],
    };
    fc.assert(
      fc.property(arbitraryExpression({ type: 'bool', depth: 2, from }), arbitraryRecord, (operand, values) => {
        const alone = outcome(operand, values);
        for (const name of ['and', 'or'] as const) {
          for (const operands of [
            [operand, failing],
            [failing, operand],
          ]) {
            const both = outcome({ kind: 'call', type: 'bool', name, arguments: operands }, values);
            const decisive = name === 'or';
            expect(both).toEqual(alone !== 'failed' && alone.value === decisive ? { value: decisive } : 'failed');
          }
        }
      }),
    );
  });
});
