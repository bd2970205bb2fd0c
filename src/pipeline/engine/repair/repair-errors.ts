/** What can be wrong with a repair, and with what it makes of one record. */
import { defineErrors } from '../../../platform/base/errors.ts';

export const repairErrors = defineErrors({
  E_REPAIR: {
    meaning: 'A repair names a field that the flow does not have, or its expression is not one that gives a text.',
    actor: 'operator',
    next: 'Correct the expression that is named; in a repair every field is its text as it stands in the file, and the result is a text (docs/dead-letters.md).',
  },
  E_REPAIR_KEY: {
    meaning:
      'A repair would change that by which a record is told from others and known again: a field of its `key`, one that is unique in a file, or one that makes the key of a target (`idempotencyKey`, `keys` of an upsert, `key` of a message, what answers name it by).',
    actor: 'operator',
    next: 'Discard the dead letter with its reason, and have the sender send the record under its right key in a new file.',
  },
  E_REPAIR_MASK: {
    meaning:
      'A repair would copy from a field that is masked into one that is masked less, where it could be read; or the key lacks `records:reveal`, and an expression looks at a masked field, or a condition of the flow looks at one besides a field that is set: what became of the record would tell what stands in it.',
    actor: 'operator',
    next: 'Give the field a text, or compute it from fields that are not masked; with a key that has `records:reveal` also from its own text and from fields that are masked as little as it is.',
  },
  E_REPAIR_TIED: {
    meaning:
      'A repair would change one of the fields of a pack that say the same in part, such as an amount and its side: sums of the record would no longer agree.',
    actor: 'operator',
    next: 'Discard the dead letter with its reason, and have the sender send the record with its right amount in a new file.',
  },
  E_REPAIR_RECORD: {
    meaning:
      'A repair cannot be made on this record: it cannot be read, an expression fails on it, or the text has no place in its format.',
    actor: 'operator',
    next: 'Guard the expression with coalesce(…), give a text that fits, or leave the record out and have the sender correct it.',
  },
});
