/**
 * How a record begins that stands behind another in its line, where a slash and spaces are between them: texts hold slashes and
 * numbers too (`PAID 3/ 16, 2026`). A continuation begins with any text.
 */
import type { Buffer } from 'node:buffer';

const beginning = new RegExp(
  [
    '01,[^,/]+,[^,/]+,\\d',
    '02,[^,/]*,[^,/]+,',
    '03,[^,/]+,(?: *[A-Za-z]{3} *)?[,/]',
    '16,\\d{3},',
    '49, *[+-]?\\d*,\\d+ *\\/',
    '88,',
    '98, *[+-]?\\d*,\\d*,\\d+ *\\/',
    '99, *[+-]?\\d*,\\d*,\\d+ *\\/?',
  ]
    .map((form) => `^${form}`)
    .join('|'),
);
/** Enough for the fields that are looked at, and no more of a long line for each of its slashes. */
const bytesMax = 256;

/** Whether a record begins at `start`. */
export function beginsRecord(bytes: Buffer, start: number, end: number): boolean {
  return beginning.test(bytes.toString('latin1', start, Math.min(end, start + bytesMax)));
}
