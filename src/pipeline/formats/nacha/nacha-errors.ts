/**
 * What the nacha pack finds in a file, in four codes; which rule a finding is about is its `rule`. Writers refuse what would be
 * found in their file with the same codes, and what is no file yet with the others.
 */
import { defineErrors } from '../../../platform/base/errors.ts';

export const nachaErrors = defineErrors({
  E_NACHA_STRUCTURE: {
    meaning: 'The records of an ACH file are not those of its format, or not in its order.',
    actor: 'sender',
    next: 'Correct the record at the given line and send the file again; what a sender is known to do otherwise is a setting of the format.',
  },
  E_NACHA_FIELD: {
    meaning: 'A field of a record of an ACH file holds what it may not.',
    actor: 'sender',
    next: 'Correct the field at the given line and columns and send the file again.',
  },
  E_NACHA_ENTRY: {
    meaning: 'An entry of an ACH file or its addenda do not fit each other, their batch or its class of entries.',
    actor: 'sender',
    next: 'Correct the entry at the given line and send the file again.',
  },
  E_NACHA_TOTAL: {
    meaning: 'A count or a total of an ACH file is not that of its records, or a batch control does not match its header.',
    actor: 'sender',
    next: 'Compare the declared and the computed value, correct the file and send it again.',
  },
  E_NACHA_DOCUMENT: {
    meaning:
      'The document that an ACH file is to be written from lacks something, has a name that no record has, or a value that its field cannot hold.',
    actor: 'caller',
    next: 'Correct the document at the given place; `headgate run --format nacha --parse` shows the shape of a document.',
  },
  E_NACHA_COMPUTED: {
    meaning: 'A number of the document follows from others, and is not what they come to.',
    actor: 'caller',
    next: 'Take the number out of the document, so that it is computed, or correct it; `--option computed=keep` writes it as it is.',
  },
  E_NACHA_LIMIT: {
    meaning: 'A total or a count does not fit its field, or more would have to be held than the writer of ACH files holds.',
    actor: 'caller',
    next: 'Write several batches or several files.',
  },
  E_NACHA_MERGE: {
    meaning: 'ACH files cannot be put into one: they are of different senders or receivers, or the same file twice.',
    actor: 'caller',
    next: 'Name the files of one immediate origin and one immediate destination, each once.',
  },
  E_NACHA_ANSWER: {
    meaning: 'An entry cannot be answered as it is asked for: the file has no such entry, or it is none that such a code answers.',
    actor: 'caller',
    next: 'Correct the list at the given place; a return answers a forward entry, a dishonored return that, a contested one a dishonored one, a refusal a notification of change.',
  },
});
