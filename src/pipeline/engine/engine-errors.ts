/**
 * What can be wrong with a record, a file or a chunk's input, as codes. They appear in findings, in receipts and in
 * docs/reference/errors.md. A message beside a code may name positions and limits, never content.
 */
import { defineErrors, type ErrorDeclaration } from '../../platform/base/errors.ts';

const fromSender = (meaning: string, next: string): ErrorDeclaration => ({ meaning, actor: 'sender', next });
const correctRecord = 'Correct the record at the given offset and send it again.';

/** Structure of a record: nothing else about it is checked. */
export const structureErrors = defineErrors({
  E_ENCODING: fromSender(
    'The record holds bytes that are no text in the encoding of the flow; the message gives the first within the record.',
    'Export the file in the encoding that the flow names in `format.encoding` (UTF-8 where it names none), and send it again.',
  ),
  E_CHARACTER: fromSender('The record holds a NUL character, or a carriage return outside quotes that ends no line.', correctRecord),
  E_QUOTE: fromSender(
    'A quote stands in the middle of a field, is followed by other text, or is never closed.',
    'Quote whole fields and double the quotes inside them.',
  ),
  E_FIELD_COUNT: fromSender('The record has more or fewer fields than its schema or header row.', correctRecord),
  E_WIDTH: fromSender('A fixed-width record is shorter or longer than its type, or a field boundary cuts a character.', correctRecord),
  E_TAG: fromSender('The record type tag is none of those that the flow knows.', correctRecord),
  E_JSON: fromSender('The line is not one JSON object (RFC 8259).', correctRecord),
  E_DUPKEY: fromSender('A JSON object holds the same key twice.', correctRecord),
  E_DEPTH: fromSender('JSON is nested more than 64 levels deep.', correctRecord),
  E_UNKNOWN_KEY: fromSender(
    'A JSON record holds a key that the flow does not know and is set to reject.',
    'Remove the key, or have the flow ignore unknown keys.',
  ),
});

/** Checks of one field. */
export const fieldErrors = defineErrors({
  E_REQUIRED: fromSender('A required field is absent or empty.', correctRecord),
  E_TYPE: fromSender('A JSON value is of another kind than its field.', correctRecord),
  E_LENGTH: fromSender('A value is shorter or longer than the flow allows.', correctRecord),
  E_PATTERN: fromSender("A value does not match the field's pattern.", correctRecord),
  E_ENUM: fromSender("A value is not one of the field's allowed values.", correctRecord),
  E_RANGE: fromSender("A number or moment is outside the field's bounds or the type's range.", correctRecord),
  E_INT: fromSender('A value is not an integer: an optional minus and digits.', correctRecord),
  E_DECIMAL: fromSender("A value is not a decimal of the field's form, or has more digits after the point than its scale.", correctRecord),
  E_PACKED: fromSender(
    'A packed decimal has a half byte that is no digit, or no sign code (A to F) at its end.',
    'Compare position and length of the field with the copybook; a program that left the field uninitialised has to set it.',
  ),
  E_ZONED: fromSender(
    'A zoned or overpunched number has a character that is no digit, or no sign where its sign must be.',
    'Compare position, length and sign clause of the field with the copybook.',
  ),
  E_DATE: fromSender("A value is not a real date in the field's format.", correctRecord),
  E_TIME: fromSender("A value is not a time of day in the field's format.", correctRecord),
  E_DATETIME: fromSender("A value is not a date and time in the field's format.", correctRecord),
  E_BOOLEAN: fromSender('A value is neither true nor false.', correctRecord),
  E_IBAN: fromSender('A value is not an IBAN: country, length, structure or check digits are wrong.', correctRecord),
  E_BIC: fromSender('A value is not a BIC (ISO 9362).', correctRecord),
  E_ABA: fromSender('A value is not an ABA routing number: nine digits with a valid checksum.', correctRecord),
  E_LEI: fromSender('A value is not a legal entity identifier (ISO 17442).', correctRecord),
  E_ISIN: fromSender('A value is not an ISIN (ISO 6166).', correctRecord),
  E_CURRENCY: fromSender('A value is not a currency code of ISO 4217.', correctRecord),
  E_COUNTRY: fromSender('A value is not a country code of ISO 3166-1.', correctRecord),
  E_LUHN: fromSender('A value is not a digit string with a valid Luhn check digit.', correctRecord),
});

/** Writing a record to its targets. */
export const outputErrors = defineErrors({
  E_OUTPUT_WIDTH: {
    meaning: 'A value is wider than its column of a fixed-width target.',
    actor: 'author',
    next: 'Widen the column that the message names by its field and width, or shorten the value in the transform; `headgate flow validate` warns of columns that are too narrow for the schema.',
  },
  E_OUTPUT_CHARACTER: {
    meaning: 'A value for a fixed-width target holds a line end.',
    actor: 'author',
    next: 'Replace line ends in the transform.',
  },
});

/** Findings about a file as a whole, or a chunk that can't be read to its end. */
export const fileErrors = defineErrors({
  E_CHUNK_CUT: {
    meaning: 'A chunk does not end at the end of a record.',
    actor: 'administrator',
    next: 'Report it: the split and the kernel disagree about where records end.',
  },
  E_ENVELOPE: fromSender(
    'A header or trailer record stands in the wrong place or appears twice.',
    'Send the file with one header first and one trailer last.',
  ),
  E_TRUNCATED: fromSender('The header or trailer record that the flow expects is missing.', 'Send the whole file again.'),
  E_EMPTY: fromSender('The file holds no data record and the flow does not accept empty files.', 'Send the file with its records.'),
  E_CONTROL: fromSender(
    'A file-level rule could not be computed, for example because a total is unreadable.',
    'Correct header, trailer and totals and send the file again.',
  ),
  E_DUPLICATE_KEY: fromSender(
    'A field that must be unique in the file repeats the value of an earlier record; the first one stays.',
    'Remove the repetition, or give the record its own key.',
  ),
  E_DUPLICATE_KEYS: fromSender(
    'More than 100,000 values of fields that must be unique in the file repeat earlier ones: the file is rejected as a whole.',
    'Remove the repetitions and send the file again.',
  ),
  E_ACCEPTANCE: fromSender(
    'More records, or a higher amount, are invalid than the flow accepts.',
    'Correct the rejected records and send the file again; one that is held for it can be released as it is, or rejected (`headgate job release`, `headgate job reject`).',
  ),
  E_SEGMENT: {
    meaning: 'An outcome or target segment is damaged or of an unknown version.',
    actor: 'operator',
    next: 'Run the chunk again, or read the segment with the version that wrote it.',
  },
});
