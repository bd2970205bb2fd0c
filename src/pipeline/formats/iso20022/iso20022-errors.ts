/** What a well-formed file breaks: the schema of its message, or a rule beyond the schema. */
import { defineErrors } from '../../../platform/base/errors.ts';

export const iso20022Errors = defineErrors({
  E_ISO20022_MESSAGE: {
    meaning: 'The XML holds no message of ISO 20022 that is read, or one in a version that is not.',
    actor: 'sender',
    next: 'Send one of the messages that the finding lists, in the namespace of its version.',
  },
  E_ISO20022_SCHEMA: {
    meaning: 'An element, its place, or its text is not as the schema of the message has it.',
    actor: 'sender',
    next: 'Correct the element at the given path and send the file again.',
  },
  E_ISO20022_BUSINESS: {
    meaning: 'The message is valid by its schema, but a total, a balance, check digits, a code or a currency amount in it is wrong.',
    actor: 'sender',
    next: 'Correct the element at the given path, or the total that does not agree, and send the file again.',
  },
  E_ISO20022_DOCUMENT: {
    meaning: 'A document that is to be written as a message of ISO 20022 is none, or the message would break a rule.',
    actor: 'caller',
    next: 'Correct the document at the JSON pointer that the message begins with, and write it again.',
  },
});
