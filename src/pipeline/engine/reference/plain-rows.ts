/** Rows of formats in which every line is a row: fixed-width and json-lines. */
import type { Plan } from '../plan.ts';
import { isInBytes } from './number-forms.ts';
import { findByteProblem, findTextProblem, hasNoLineEnds } from './page-text.ts';
import { carriageReturn, damage, FileDamage, type Line, lineFeed, type Row } from './rows.ts';

export interface PlainRules {
  readonly maxRecordBytes: number;
  /** NUL is text. */
  readonly keepsNul: boolean;
}

/** Where numbers are held in bytes, the record's type says which bytes are text (`record-shapes.ts`). */
export function* readPlainRows(
  { format, records }: Pick<Plan, 'format' | 'records'>,
  lines: Iterable<Line>,
  { maxRecordBytes, keepsNul }: PlainRules,
): Generator<Row> {
  const isText = !records.some(({ fields }) => fields.some(isInBytes));
  const findProblem = (content: Buffer) => (keepsNul ? findByteProblem(format, content, 0) : findTextProblem(format, content));
  for (const { offset, bytes } of lines) {
    const content = hasNoLineEnds(format) ? bytes : withoutLineEnd(bytes);
    if (content.length > maxRecordBytes)
      throw new FileDamage(damage('E_RECORD_TOO_LONG', { record: 0, offset }, `a record is longer than ${maxRecordBytes} bytes`));
    if (content.length === 0 && format.skipBlankLines) continue;
    yield { offset, length: bytes.length, content, cells: null, problem: isText ? findProblem(content) : null, isOpen: false };
  }
}

/** A carriage return belongs to the line end before a line feed and at the end of the file. */
export function withoutLineEnd(line: Buffer): Buffer {
  let end = line.length;
  if (end > 0 && line[end - 1] === lineFeed) end--;
  if (end > 0 && line[end - 1] === carriageReturn) end--;
  return line.subarray(0, end);
}
