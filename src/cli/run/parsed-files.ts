/**
 * `headgate run --format NAME --parse`: prints a file's records as they are, with every field or number as its exact text.
 * Streams: rows go out as they are read; errors beyond the first thousand are found again in a second reading, so that
 * memory stays small whatever the file holds. Uses the reference parser.
 */
import { structureErrors } from '../../pipeline/engine/engine-errors.ts';
import type { FixedWidthPlan, Plan } from '../../pipeline/engine/plan.ts';
import { JsonProblem, readJsonDocument, recordJsonLimits } from '../../pipeline/engine/reference/json-document.ts';
import { textOf } from '../../pipeline/engine/reference/page-text.ts';
import { openReferenceFile } from '../../pipeline/engine/reference/reference-file.ts';
import { FileDamage, type Row } from '../../pipeline/engine/reference/rows.ts';
import type { ParsedFormat } from './format-options.ts';
import type { FileSource } from './plain-files.ts';

export interface ParseError {
  readonly code: string;
  readonly record: number;
  readonly offset: number;
}

export interface ParseResult {
  readonly rows: number;
  readonly errors: number;
  /** Damage of the file as a whole is among the errors. */
  readonly isDamaged: boolean;
}

const errorsKept = 1_000;

/** `write` gets the document in parts and resolves when more may follow. */
export async function printParsed(source: FileSource, format: ParsedFormat, write: (text: string) => Promise<void>): Promise<ParseResult> {
  const kept: ParseError[] = [];
  const printer = new ListPrinter(write);
  let rows = 0;
  let errors = 0;
  let columns: readonly string[] | null = null;
  const reading = new Reading(source, format);
  for (const item of reading.items()) {
    if (typeof item === 'string') {
      if (rows === 0) await write('{"rows":[');
      rows++;
      await printer.add(item);
    } else if (errors++ < errorsKept) kept.push(item);
  }
  columns = reading.columns;
  if (rows === 0) await write('{"rows":[');
  await printer.end(`]${columns === null ? '' : `,"columns":${JSON.stringify(columns)}`},"errors":[`);
  if (errors <= errorsKept) for (const error of kept) await printer.add(JSON.stringify(error));
  else for (const item of new Reading(source, format).items()) if (typeof item !== 'string') await printer.add(JSON.stringify(item));
  await printer.end(']}\n');
  return { rows, errors, isDamaged: reading.isDamaged };
}

/** Items of a JSON list, in parts of some ten kilobytes. */
class ListPrinter {
  readonly #write: (text: string) => Promise<void>;
  #pending = '';
  #isFirst = true;

  constructor(write: (text: string) => Promise<void>) {
    this.#write = write;
  }

  async add(item: string): Promise<void> {
    this.#pending += this.#isFirst ? item : `,${item}`;
    this.#isFirst = false;
    if (this.#pending.length > 65_536) await this.#flush('');
  }

  async end(text: string): Promise<void> {
    await this.#flush(text);
    this.#isFirst = true;
  }

  async #flush(text: string): Promise<void> {
    const pending = this.#pending + text;
    this.#pending = '';
    await this.#write(pending);
  }
}

/** One reading of the file: rows as JSON text, errors as objects. */
class Reading {
  readonly #source: FileSource;
  readonly #format: ParsedFormat;
  columns: readonly string[] | null = null;
  isDamaged = false;

  constructor(source: FileSource, format: ParsedFormat) {
    this.#source = source;
    this.#format = format;
  }

  *items(): Generator<string | ParseError> {
    let record = 0;
    try {
      const plan: Pick<Plan, 'format' | 'records'> = { format: this.#format.format, records: [] };
      const file = openReferenceFile(plan, this.#source.pieces(), {
        keepsStrayQuotes: this.#format.keepsStrayQuotes,
        keepsNul: plan.format.type === 'fixed-width',
      });
      this.columns = file.columns;
      for (const { code, record: at, offset } of file.damage) yield this.#damage({ code, record: at, offset });
      for (const row of file.rows) {
        record++;
        if (row.isOpen) yield this.#damage({ code: 'E_QUOTE_OPEN', record, offset: row.offset });
        else if (row.problem !== null) yield { code: row.problem.code, record, offset: row.offset };
        else yield this.#rowText(row, record);
      }
    } catch (error) {
      if (!(error instanceof FileDamage)) throw error;
      yield this.#damage({ code: error.finding.code, record: record + 1, offset: error.finding.offset });
    }
  }

  #rowText(row: Row, record: number): string | ParseError {
    const { format } = this.#format;
    switch (format.type) {
      case 'delimited':
        return JSON.stringify(row.cells);
      case 'fixed-width':
        return this.#recordText(format, row, record);
      case 'json-lines':
        return lineText(row, record);
    }
  }

  /** Nothing says where fields are, or which of them are numbers: the whole record is text. */
  #recordText(format: FixedWidthPlan, row: Row, record: number): string | ParseError {
    const { recordLength } = format;
    if (recordLength !== null && row.length < recordLength) return { code: structureErrors.E_WIDTH, record, offset: row.offset };
    return JSON.stringify(textOf(format, row.content));
  }

  #damage(error: ParseError): ParseError {
    this.isDamaged = true;
    return error;
  }
}

/** The line itself, which is one JSON text: so nothing in it is rounded or reordered. */
function lineText(row: Row, record: number): string | ParseError {
  const text = row.content.toString('utf8');
  try {
    readJsonDocument(text, { ...recordJsonLimits, allowNul: true });
    return text.trim();
  } catch (error) {
    if (error instanceof JsonProblem) return { code: error.code, record, offset: row.offset };
    throw error;
  }
}
