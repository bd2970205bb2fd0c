/**
 * Rows of a delimited file: a state machine, one byte at a time, as docs/record-rules.md (section 1) gives it. A row runs
 * over as many lines as its quotes do.
 */
import type { DelimitedPlan } from '../plan.ts';
import { findTextProblem, textOf } from './page-text.ts';
import { withoutLineEnd } from './plain-rows.ts';
import { carriageReturn, damage, FileDamage, type Line, lineFeed, type Row, type RowProblem } from './rows.ts';

const strayQuote: RowProblem = { code: 'E_QUOTE', message: 'quote in the middle of a field' };
const openQuote: RowProblem = { code: 'E_QUOTE', message: 'quote is not closed' };
const looseReturn: RowProblem = { code: 'E_CHARACTER', message: 'carriage return outside quotes' };

type State = 'field-start' | 'unquoted' | 'quoted' | 'escaped' | 'after-quote';

export interface DelimitedRowRules extends DelimitedPlan {
  readonly maxRecordBytes: number;
  /** A quote inside an unquoted field is text, not a problem. Only for reading without a flow. */
  readonly keepsStrayQuotes?: boolean;
}

/** The last row has an `E_QUOTE` problem when the file ends inside its quotes. Throws `FileDamage` for a row that is too long. */
export function* readDelimitedRows(lines: Iterable<Line>, rules: DelimitedRowRules): Generator<Row> {
  let row: DelimitedRow | null = null;
  for (const line of lines) {
    if (row === null && rules.comment !== null && line.bytes[0] === rules.comment) {
      if (withoutLineEnd(line.bytes).length > rules.maxRecordBytes) throw tooLong(line.offset, false, rules.maxRecordBytes);
      continue;
    }
    row ??= new DelimitedRow(line.offset, rules);
    if (!row.addLine(line.bytes)) continue;
    if (!(rules.skipBlankLines && row.isBlank)) yield row.finish();
    row = null;
  }
  if (row !== null) yield row.finish();
}

function tooLong(offset: number, isQuoted: boolean, maxRecordBytes: number): FileDamage {
  return new FileDamage(
    isQuoted
      ? damage('E_QUOTE_OPEN', { record: 0, offset }, `a quote is not closed within ${maxRecordBytes} bytes`)
      : damage('E_RECORD_TOO_LONG', { record: 0, offset }, `a record is longer than ${maxRecordBytes} bytes`),
  );
}

class DelimitedRow {
  readonly #offset: number;
  readonly #rules: DelimitedRowRules;
  readonly #lines: Buffer[] = [];
  readonly #cells: string[] = [];
  readonly #cell: CellBytes;
  #state: State = 'field-start';
  /** The first misplaced carriage return or quote. */
  #misplaced: RowProblem | null = null;
  #length = 0;
  #lineEndBytes = 0;
  /** Whether the byte that makes the row too long is inside quotes; null when no byte does. */
  #longInQuotes: boolean | null = null;

  constructor(offset: number, rules: DelimitedRowRules) {
    this.#offset = offset;
    this.#rules = rules;
    this.#cell = new CellBytes(rules);
  }

  get isBlank(): boolean {
    return this.#length === this.#lineEndBytes;
  }

  /** True when the row ends with this line. */
  addLine(line: Buffer): boolean {
    this.#lines.push(line);
    const isLastOfFile = line[line.length - 1] !== lineFeed;
    let isEnded = false;
    for (let index = 0; index < line.length && !isEnded; index++) {
      const byte = line[index]!;
      const endsLine = byte === lineFeed || (byte === carriageReturn && index + 1 === line.length - (isLastOfFile ? 0 : 1));
      if (endsLine && this.#state !== 'quoted' && this.#state !== 'escaped') {
        this.#lineEndBytes = line.length - index;
        isEnded = true;
      } else {
        this.#addByte(byte);
        if (this.#length + index === this.#rules.maxRecordBytes) this.#longInQuotes = this.#state === 'quoted' || this.#state === 'escaped';
      }
    }
    // At the end of the file a last lone CR is part of the line end, in quotes that are open too.
    if (isLastOfFile && !isEnded && line.at(-1) === carriageReturn) this.#lineEndBytes = 1;
    this.#length += line.length;
    const isTooLong = this.#length - this.#lineEndBytes > this.#rules.maxRecordBytes;
    if (isTooLong && this.#longInQuotes !== null) throw tooLong(this.#offset, this.#longInQuotes, this.#rules.maxRecordBytes);
    return isEnded || (isLastOfFile && this.#state !== 'quoted' && this.#state !== 'escaped');
  }

  #addByte(byte: number): void {
    const { delimiter, quote, escape: escapeByte } = this.#rules;
    const isDoubled = escapeByte === quote;
    switch (this.#state) {
      case 'field-start':
      case 'unquoted':
        if (byte === delimiter) this.#endCell();
        else if (byte === quote && this.#state === 'field-start') this.#state = 'quoted';
        else this.#addUnquoted(byte);
        return;
      case 'quoted':
        if (byte === escapeByte && !isDoubled) this.#state = 'escaped';
        else if (byte === quote) this.#state = 'after-quote';
        else this.#cell.add(byte);
        return;
      case 'escaped':
        this.#cell.add(byte);
        this.#state = 'quoted';
        return;
      case 'after-quote':
        if (byte === delimiter) this.#endCell();
        else if (byte === quote && isDoubled) {
          this.#cell.add(byte);
          this.#state = 'quoted';
        } else {
          if (byte !== carriageReturn) this.#misplaced ??= strayQuote;
          this.#addUnquoted(byte);
        }
    }
  }

  #addUnquoted(byte: number): void {
    if (byte === carriageReturn) this.#misplaced ??= looseReturn;
    if (byte === this.#rules.quote && !this.#rules.keepsStrayQuotes) this.#misplaced ??= strayQuote;
    this.#cell.add(byte);
    this.#state = 'unquoted';
  }

  #endCell(): void {
    this.#cells.push(this.#cell.take());
    this.#state = 'field-start';
  }

  finish(): Row {
    const isOpen = this.#state === 'quoted' || this.#state === 'escaped';
    this.#endCell();
    const bytes = Buffer.concat(this.#lines);
    const content = bytes.subarray(0, bytes.length - this.#lineEndBytes);
    const problem = findTextProblem(this.#rules, content) ?? this.#misplaced ?? (isOpen ? openQuote : null);
    return { offset: this.#offset, length: bytes.length, content, cells: problem === null ? this.#cells : null, problem, isOpen };
  }
}

/** The bytes of one cell. Bytes that are no text are a problem of its row, so nothing reads its cells. */
class CellBytes {
  readonly #format: DelimitedPlan;
  #bytes = Buffer.alloc(64);
  #length = 0;

  constructor(format: DelimitedPlan) {
    this.#format = format;
  }

  add(byte: number): void {
    if (this.#length === this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(this.#length)]);
    this.#bytes[this.#length++] = byte;
  }

  take(): string {
    const text = textOf(this.#format, this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    return text;
  }
}
