/**
 * Takes a delimited record apart (RFC 4180 and dialects): quotes anywhere, line ends inside quotes, fields by position or
 * by the header row's names. Exact and strict: a quote in the wrong place is a problem, never a guess.
 */
import { structureErrors } from '../engine-errors.ts';
import type { DelimitedPlan, FieldPlan, Plan } from '../plan.ts';
import type { RecordReader } from './record-text.ts';
import { createTypeFinder, isUntagged, unknownTag } from './record-types.ts';
import type { StructureProblem } from './structure-problem.ts';
import { textPageOf } from './text-page.ts';

const strayQuote: StructureProblem = { code: structureErrors.E_QUOTE, message: 'quote in the middle of a field' };
const openQuote: StructureProblem = { code: structureErrors.E_QUOTE, message: 'quote is not closed' };
const looseReturn: StructureProblem = { code: structureErrors.E_CHARACTER, message: 'carriage return outside quotes' };
const carriageReturn = 0x0d;
const partsJoined = 1_024;

/** `columns`: the header row's names, null without one. */
export function createDelimitedReader(plan: Plan, format: DelimitedPlan, columns: readonly string[] | null): RecordReader {
  const findType = createTypeFinder(plan);
  const discriminator = isUntagged(plan) ? null : format.discriminator;
  const layouts = plan.records.map((record) => record.fields.map((field) => columnOf(field, columns)));
  const counts = layouts.map((layout) =>
    format.header && columns !== null ? columns.length : Math.max(0, ...layout.map((column) => column + 1)),
  );
  const problems = counts.map((count) => ({ code: structureErrors.E_FIELD_COUNT, message: `expected ${count} fields` }));
  // One more than is asked for shows that a record has too many; of a million others none is made.
  const cellsMax = Math.max(discriminator ?? 0, ...counts, ...layouts.flat()) + 2;
  const cells: string[] = [];
  const page = textPageOf(format);
  return (bytes, start, end, into) => {
    into.type = -1;
    const problem = splitCells(page.decode(bytes, start, end), format, cells, cellsMax);
    if (problem !== null) return problem;
    into.type = findType(discriminator === null ? null : (cells[discriminator] ?? null));
    if (into.type < 0) return unknownTag;
    if (format.columns === 'exact' && cells.length !== counts[into.type]) return problems[into.type]!;
    const layout = layouts[into.type]!;
    for (let index = 0; index < layout.length; index++) {
      into.texts[index] = cells[layout[index]!] ?? null;
      into.kinds[index] = 'text';
    }
    return null;
  };
}

/** 0-based column of a field; -1 when the header row lacks its name. */
export function columnOf(field: FieldPlan, columns: readonly string[] | null): number {
  if (!('column' in field.at)) throw new Error(`field ${JSON.stringify(field.name)} has no column`);
  if (columns === null || field.at.header === null) return field.at.column;
  return columns.indexOf(field.at.header);
}

/** Fills `cells` with the record's fields, quotes and escapes resolved; those beyond `cellsMax` are looked at only. */
export function splitCells(
  text: string,
  format: Pick<DelimitedPlan, 'delimiter' | 'quote' | 'escape'>,
  cells: string[],
  cellsMax = Number.POSITIVE_INFINITY,
): StructureProblem | null {
  const { delimiter, quote } = format;
  cells.length = 0;
  if (isPlain(text, quote)) {
    splitPlain(text, String.fromCharCode(delimiter), cells, cellsMax);
    return null;
  }
  let index = 0;
  for (;;) {
    if (quote !== null && text.charCodeAt(index) === quote) {
      const after = readQuotedCell(text, index + 1, format, cells);
      if (cells.length > cellsMax) cells.length = cellsMax;
      if (after < 0) return openQuote;
      index = after;
      if (index < text.length && text.charCodeAt(index) !== delimiter) {
        return text.charCodeAt(index) === carriageReturn ? looseReturn : strayQuote;
      }
    } else {
      const start = index;
      for (; index < text.length; index++) {
        const unit = text.charCodeAt(index);
        if (unit === delimiter) break;
        if (unit === quote) return strayQuote;
        if (unit === carriageReturn) return looseReturn;
      }
      if (cells.length < cellsMax) cells.push(text.slice(start, index));
    }
    if (index >= text.length) return null;
    index++;
  }
}

/** No quote and no carriage return: only delimiters mean anything. */
function isPlain(text: string, quote: number | null): boolean {
  return !text.includes('\r') && (quote === null || !text.includes(String.fromCharCode(quote)));
}

function splitPlain(text: string, delimiter: string, cells: string[], cellsMax: number): void {
  let start = 0;
  for (let end = text.indexOf(delimiter); end >= 0; end = text.indexOf(delimiter, start)) {
    if (cells.length === cellsMax) return;
    cells.push(text.slice(start, end));
    start = end + 1;
  }
  cells.push(text.slice(start));
}

/** Pushes the content and returns the index after the closing quote, or -1. */
function readQuotedCell(text: string, start: number, format: Pick<DelimitedPlan, 'quote' | 'escape'>, cells: string[]): number {
  const isDoubled = format.escape === format.quote;
  let content = '';
  // Joined in between: a text of millions of parts would take ten times its length, and more.
  const parts: string[] = [];
  const add = (part: string) => {
    if (parts.push(part) < partsJoined) return;
    content += parts.join('');
    parts.length = 0;
  };
  let from = start;
  for (let index = start; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (!isDoubled && unit === format.escape) {
      add(text.slice(from, index));
      from = index + 1;
      index++;
    } else if (unit === format.quote) {
      add(text.slice(from, index));
      if (!isDoubled || text.charCodeAt(index + 1) !== format.quote) {
        cells.push(parts.length === 1 && content === '' ? parts[0]! : content + parts.join(''));
        return index + 1;
      }
      from = index + 1;
      index++;
    }
  }
  return -1;
}
