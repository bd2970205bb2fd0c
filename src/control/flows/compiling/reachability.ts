/**
 * What can be said of conditions without data: that one is always true or false, and that whatever makes one true makes
 * another true. Sound, not complete: a "no" only means that it could not be shown.
 */
import { compareValues, evaluate, literalValue } from '../../../pipeline/engine/expressions/evaluate.ts';
import type { Expression } from '../../../pipeline/engine/expressions/expression.ts';
import { ExpressionFailure } from '../../../pipeline/engine/expressions/expression-errors.ts';

/** Null when it depends on data, or always fails. */
export function constantValue(expression: Expression): boolean | null {
  try {
    const value = evaluate(expression, { field: dependsOnData, statistic: dependsOnData });
    return typeof value === 'boolean' ? value : null;
  } catch (error) {
    if (error instanceof ExpressionFailure) return null;
    throw error;
  }
}

function dependsOnData(): never {
  throw new ExpressionFailure('depends on data');
}

/** Whatever makes `narrow` true makes `wide` true. */
export function implies(narrow: Expression, wide: Expression): boolean {
  const given = conjuncts(narrow);
  return conjuncts(wide).every((wanted) => given.some((known) => impliesOne(known, wanted)));
}

function conjuncts(expression: Expression): readonly Expression[] {
  return expression.kind === 'call' && expression.name === 'and' ? expression.arguments.flatMap(conjuncts) : [expression];
}

function impliesOne(known: Expression, wanted: Expression): boolean {
  if (JSON.stringify(known) === JSON.stringify(wanted)) return true;
  const [inner, outer] = [valueSet(known), valueSet(wanted)];
  if (inner === null || outer === null || JSON.stringify(inner.subject) !== JSON.stringify(outer.subject)) return false;
  return inner.values.every((value) => outer.values.some((other) => isSame(value, other)));
}

type Literal = Extract<Expression, { kind: 'literal' }>;

/** `x == 'A'` and `x in ['A', 'B']` as the values they allow. */
function valueSet(expression: Expression): { subject: Expression; values: readonly Literal[] } | null {
  if (expression.kind === 'in') return { subject: expression.value, values: expression.list as readonly Literal[] };
  if (expression.kind !== 'call' || expression.name !== 'equal') return null;
  const [left, right] = expression.arguments;
  if (right!.kind === 'literal') return { subject: left!, values: [right!] };
  return left!.kind === 'literal' ? { subject: right!, values: [left!] } : null;
}

function isSame(left: Literal, right: Literal): boolean {
  const [a, b] = [literalValue(left.type, left.value), literalValue(right.type, right.value)];
  if (a === null || b === null) return false;
  try {
    return compareValues(a, b, left.type) === 0;
  } catch {
    return false;
  }
}
