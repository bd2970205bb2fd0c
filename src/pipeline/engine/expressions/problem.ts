/**
 * A mistake in the text of an expression, with where it is. The catalogue of what an author can get wrong in one.
 */
import { defineErrors } from '../../../platform/base/errors.ts';

export const expressionProblems = defineErrors({
  E_EXPRESSION_SYNTAX: {
    meaning: 'The text of an expression is not in the language.',
    actor: 'author',
    next: 'Correct the expression at the position given; docs/flow-definition.md lists operators and functions.',
  },
  E_EXPRESSION_TYPE: {
    meaning: 'An operator or function of an expression is given a type it has no meaning for.',
    actor: 'author',
    next: 'Compare and combine values of the same type; convert with int(…), string(…), decimal(…) or date(…).',
  },
  E_EXPRESSION_NAME: {
    meaning: 'An expression names a field, function or scope that does not exist where it is used.',
    actor: 'author',
    next: 'Use a name of the schema or of the list of functions; the message suggests the nearest one.',
  },
  E_EXPRESSION_LIMIT: {
    meaning: 'An expression is longer, deeper or wider than is allowed.',
    actor: 'author',
    next: 'Split the expression into several rules or output fields.',
  },
  E_NOT_SUPPORTED_YET: {
    meaning: 'A flow definition uses a part of headgate/v1 that this version does not run yet. It is refused, never ignored.',
    actor: 'author',
    next: 'Leave the key out, or wait for the version that brings it (CHANGELOG.md).',
  },
  E_PATTERN_REFUSED: {
    meaning: 'A regular expression is not one that runs in linear time (RE2 syntax), or is not a literal.',
    actor: 'author',
    next: 'Write the pattern without back references and look-around.',
  },
});

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
