/** What of a SWIFT MT file refuses it, by what the sender has to look at. The rules themselves are in `swift-rules.ts`. */
import { defineErrors } from '../../../platform/base/errors.ts';

export const swiftErrors = defineErrors({
  E_SWIFT_STRUCTURE: {
    meaning: 'The blocks, messages or lines of a SWIFT MT file cannot be told apart, or a message is of a type that is not read.',
    actor: 'sender',
    next: 'Look at the rule and the line of the finding, correct the file and send it again.',
  },
  E_SWIFT_FIELD: {
    meaning: 'A field of a SWIFT MT message is missing, out of its place, or does not have the form that the standard gives it.',
    actor: 'sender',
    next: 'Look at the rule, the tag and the columns of the finding, correct the message and send the file again.',
  },
  E_SWIFT_TOTAL: {
    meaning: 'Balances, entries and totals of a SWIFT MT statement do not add up.',
    actor: 'sender',
    next: 'Compare the declared with the computed number of the finding: an entry or a page is missing, doubled or changed. Send the file again.',
  },
  E_SWIFT_RULE: {
    meaning: 'Fields of a SWIFT MT message do not go together: a network validated rule of its type is broken.',
    actor: 'sender',
    next: 'Look at the rule of the finding, correct the message and send the file again.',
  },
  E_SWIFT_DOCUMENT: {
    meaning: 'A document that is to be written as SWIFT MT messages does not have its shape, or a message would break a rule.',
    actor: 'caller',
    next: 'Correct the document at the JSON pointer that the message begins with, and write it again.',
  },
});
