/**
 * What can be wrong with the text of an expression, and what can go wrong while it runs on one record. Messages name the
 * operation and never hold a value.
 */
import { defineErrors } from '../../../platform/base/errors.ts';

export const expressionErrors = defineErrors({
  E_EXPRESSION: {
    meaning:
      'An expression of the flow could not be computed for this record: an absent value in an operator, a number out of range, or a text that is not a number.',
    actor: 'author',
    next: 'Guard the expression with has(…) or coalesce(…), or make the field required; correct the record when its value is wrong.',
  },
});

/** What an author can get wrong in the text of one. */
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
    next: 'Write the pattern without back references and look-around, and with counts of at most 1,000; `minLength` and `maxLength` count further.',
  },
});

/** An expected outcome of one record, not a fault of the program. */
export class ExpressionFailure extends Error {
  readonly code = expressionErrors.E_EXPRESSION;

  constructor(message: string) {
    super(message);
    this.name = 'ExpressionFailure';
  }
}
