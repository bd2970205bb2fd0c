/**
 * Damage of a file that the splitter finds: reasons to hold the file as a whole. Errors of one record are the engine's.
 */
import { defineErrors } from '../../platform/base/errors.ts';

export const formatErrors = defineErrors({
  E_QUOTE_OPEN: {
    meaning:
      'A quoted field is not closed before the end of the file or before the longest allowed record, so the records after it cannot be told apart.',
    actor: 'sender',
    next: 'Close the quote in the record at the given offset (of a job, that of E_QUOTE in `headgate job errors`), or turn quoting off in the flow, and send the file again.',
  },
  E_RECORD_TOO_LONG: {
    meaning: 'A record is longer than the longest allowed record.',
    actor: 'sender',
    next: 'Check the line ends of the file at the given offset; raise the limit only when such records are expected.',
  },
  E_FILE_ENCODING: {
    meaning:
      'The file starts with a byte order mark of Unicode that is not of the encoding of the flow: UTF-16 or UTF-32, or UTF-8 where the flow names a code page.',
    actor: 'sender',
    next: 'Send the file in the encoding that the flow names in `format.encoding` (UTF-8 where it names none).',
  },
  E_HEADER_ROW: {
    meaning:
      'The header row cannot be read: its text is not of the encoding of the flow, its quotes are not those of the format, or it has more than 10,000 columns or 256 KiB.',
    actor: 'sender',
    next: 'Correct the first row of the file and send it again.',
  },
  E_COLUMN_DUPLICATE: {
    meaning: 'Two columns of the header row have the same name, so that a field would be ambiguous.',
    actor: 'sender',
    next: 'Give each column its own name in the first row of the file and send it again.',
  },
  E_COLUMN_MISSING: {
    meaning: 'The header row lacks the column of a field that the flow needs.',
    actor: 'sender',
    next: 'Add the column to the file, or make the field optional and the columns lenient in the flow. Where the message finds another delimiter, say it in `format` of the flow, or have the file sent with that of the flow.',
  },
});
