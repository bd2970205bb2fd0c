/** What of a BAI2 file refuses it, by what the sender has to look at. The rules themselves are in `bai2-rules.ts`. */
import { defineErrors } from '../../../platform/base/errors.ts';

export const bai2Errors = defineErrors({
  E_BAI2_STRUCTURE: {
    meaning: 'The records of a BAI2 file do not follow each other as the format says, or one of them cannot be told apart.',
    actor: 'sender',
    next: 'Look at the rule and the line of the finding, correct the file and send it again.',
  },
  E_BAI2_FIELD: {
    meaning: 'A field of a BAI2 record is missing or does not have the form that the format gives it.',
    actor: 'sender',
    next: 'Look at the rule, the line and the columns of the finding, correct the file and send it again.',
  },
  E_BAI2_TOTAL: {
    meaning: 'A control total or a count of a BAI2 file is not what its records add up to.',
    actor: 'sender',
    next: 'Compare the declared with the computed number of the finding: a record is missing, doubled or changed. Send the file again.',
  },
  E_BAI2_DOCUMENT: {
    meaning: 'A document that is to be written as a BAI2 file does not have its shape, or the file would break a rule.',
    actor: 'caller',
    next: 'Correct the document at the JSON pointer that the message begins with, and write it again.',
  },
});
