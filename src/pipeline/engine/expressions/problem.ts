/**
 * A mistake in the text of an expression, with where it is. What an author can get wrong is listed in `expression-errors.ts`.
 */
import type { expressionProblems } from './expression-errors.ts';

export type ExpressionProblemCode = keyof typeof expressionProblems;

/** Half-open range of UTF-16 units in the expression's text. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

export class ExpressionProblem extends Error {
  readonly code: ExpressionProblemCode;
  readonly range: TextRange;

  constructor(code: ExpressionProblemCode, message: string, range: TextRange) {
    super(message);
    this.name = 'ExpressionProblem';
    this.code = code;
    this.range = range;
  }
}

export function problem(code: ExpressionProblemCode, message: string, range: TextRange): ExpressionProblem {
  return new ExpressionProblem(code, message, { start: range.start, end: range.end });
}
