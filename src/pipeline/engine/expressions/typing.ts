/**
 * What the parts of the checker share: how trees are built, which types go together, how a mistake is reported.
 */

import { nearestName } from '../../../platform/base/nearest-name.ts';
import type { Environment } from './environment.ts';
import type { Expression, FunctionName, ValueType } from './expression.ts';
import type { Syntax } from './parse.ts';
import type { ExpressionProblemCode, TextRange } from './problem.ts';

export interface CheckContext {
  readonly environment: Environment;
  /** Null when a problem was reported in this part of the tree. */
  check(syntax: Syntax): Expression | null;
  refuse(code: ExpressionProblemCode, message: string, range: TextRange): null;
}

export function isNumber(type: ValueType): boolean {
  return type === 'int' || type === 'decimal';
}

export function call(name: FunctionName, type: ValueType, ...operands: Expression[]): Expression {
  return { kind: 'call', type, name, arguments: operands };
}

/** One type for alternatives: null joins any, int becomes decimal beside a decimal. Null when they differ. */
export function joinTypes(expressions: readonly Expression[]): { type: ValueType; expressions: Expression[] } | null {
  const types = new Set(expressions.map((expression) => expression.type).filter((type) => type !== 'null'));
  if (types.size === 0) return { type: 'null', expressions: [...expressions] };
  if (types.size === 1) return { type: [...types][0]!, expressions: [...expressions] };
  if ([...types].some((type) => !isNumber(type))) return null;
  return {
    type: 'decimal',
    expressions: expressions.map((expression) => (expression.type === 'int' ? call('toDecimal', 'decimal', expression) : expression)),
  };
}

export function withNearest(message: string, name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return nearest === null ? message : `${message}; did you mean ${nearest}?`;
}
