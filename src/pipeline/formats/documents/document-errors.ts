/** What is wrong with a document that a file is to be written from, before a pack looks at what it says. */
import { defineErrors } from '../../../platform/base/errors.ts';

export const documentErrors = defineErrors({
  E_DOCUMENT_JSON: {
    meaning: 'The document that a file is to be written from is not one JSON document in UTF-8, or a key of it appears twice.',
    actor: 'caller',
    next: 'Correct the document at the given place; `headgate run --format NAME --parse` shows the shape of a document.',
  },
  E_DOCUMENT_SIZE: {
    meaning: 'A part of the document that has to be held as a whole is longer, or nested deeper, than the writer of its format holds.',
    actor: 'caller',
    next: 'Write several files from smaller documents; the page of the format says what is held.',
  },
});
