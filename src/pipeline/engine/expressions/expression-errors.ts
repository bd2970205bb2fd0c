/**
 * What can go wrong while an expression runs on one record. The message names the operation and never holds a value.
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

/** An expected outcome of one record, not a fault of the program. */
export class ExpressionFailure extends Error {
  readonly code = expressionErrors.E_EXPRESSION;

  constructor(message: string) {
    super(message);
    this.name = 'ExpressionFailure';
  }
}
