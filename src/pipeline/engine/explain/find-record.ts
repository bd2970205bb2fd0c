/** The record that is to be explained: a line that a person has, or one of a file by its number. */
import type { Finding } from '../chunk.ts';
import type { Value } from '../expressions/values.ts';
import { mergeAlike } from '../file/alike-messages.ts';
import type { FormatPlan, Plan } from '../plan.ts';
import { textPageOf } from '../records/text-page.ts';
import { isWithoutLineEnds, receivedTable, translated } from '../records/window-bytes.ts';
import { shapeRecord } from '../reference/record-shapes.ts';
import { openReferenceFile } from '../reference/reference-file.ts';
import { FileDamage, type Row } from '../reference/rows.ts';
import { headerValues } from './explain-record.ts';

export interface FoundRecord {
  readonly row: Row;
  readonly columns: readonly string[] | null;
  readonly header: readonly Value[];
}

export interface NotFound {
  /** Codes and reasons of all that makes the file unreadable before that record; null: it has fewer records. */
  readonly damage: string | null;
  /** That it has, as far as it was read. */
  readonly records: number;
}

/** `number`: of the record, from 1; null: whatever comes first that is no header row, header and trailer records included. */
export function findRecord(plan: Plan, pieces: Iterable<Uint8Array>, number: number | null): FoundRecord | NotFound {
  let header: readonly Value[] = [];
  let records = 0;
  try {
    const file = openReferenceFile(plan, pieces);
    if (file.damage.length > 0) return { damage: mergeAlike(file.damage.map(sayDamage)).join('; '), records };
    let isFirst = true;
    for (const row of file.rows) {
      const found = { row, columns: file.columns, header };
      if (number === null) return found;
      const { type } = shapeRecord(plan, row, file.columns);
      if (type?.role === 'header' && isFirst) header = headerValues(plan, row, file.columns);
      isFirst = false;
      if ((type === null || type.role === 'data') && ++records === number) return found;
    }
    return { damage: null, records };
  } catch (error) {
    if (!(error instanceof FileDamage)) throw error;
    return { damage: sayDamage(error.finding), records };
  }
}

function sayDamage({ code, message }: Finding): string {
  return `${code}: ${message}`;
}

/** Text as a file of the format would have it; null where its encoding lacks a character. Numbers held in bytes can't be told so. */
export function bytesOfText(format: FormatPlan, text: string): Buffer | null {
  const bytes = textPageOf(format).encode(text);
  return bytes === null ? null : translated(bytes, receivedTable(format));
}

export function bytesOfLines(format: FormatPlan, lines: readonly string[]): Buffer | null {
  const lineEnd = isWithoutLineEnds(format) ? '' : '\n';
  return bytesOfText(format, lines.map((line) => line + lineEnd).join(''));
}

/** The header row that a flow expects, for a line that comes without one; null where it expects none. */
export function expectedHeaderRow({ format, records }: Plan): string | null {
  if (format.type !== 'delimited' || !format.header) return null;
  const fields = records.flatMap((record) => record.fields);
  const names = [...new Set(fields.map(({ name, at }) => ('column' in at && at.header !== null ? at.header : name)))];
  const delimiter = String.fromCharCode(format.delimiter);
  const quote = format.quote === null ? null : String.fromCharCode(format.quote);
  return names
    .map((name) =>
      quote !== null && (name.includes(delimiter) || name.includes(quote))
        ? `${quote}${name.replaceAll(quote, quote + quote)}${quote}`
        : name,
    )
    .join(delimiter);
}
