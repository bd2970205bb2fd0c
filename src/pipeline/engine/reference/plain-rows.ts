/** Rows of formats in which every line is a row: fixed-width and json-lines. */
import { carriageReturn, damage, FileDamage, findTextProblem, type Line, lineFeed, type Row } from './rows.ts';

export interface PlainRules {
  readonly skipBlankLines: boolean;
  readonly maxRecordBytes: number;
}

export function* readPlainRows(lines: Iterable<Line>, rules: PlainRules): Generator<Row> {
  for (const { offset, bytes } of lines) {
    const content = withoutLineEnd(bytes);
    if (content.length > rules.maxRecordBytes)
      throw new FileDamage(damage('E_RECORD_TOO_LONG', { record: 0, offset }, `a record is longer than ${rules.maxRecordBytes} bytes`));
    if (content.length === 0 && rules.skipBlankLines) continue;
    yield { offset, length: bytes.length, content, cells: null, problem: findTextProblem(content), isOpen: false };
  }
}

/** A carriage return belongs to the line end before a line feed and at the end of the file. */
export function withoutLineEnd(line: Buffer): Buffer {
  let end = line.length;
  if (end > 0 && line[end - 1] === lineFeed) end--;
  if (end > 0 && line[end - 1] === carriageReturn) end--;
  return line.subarray(0, end);
}
