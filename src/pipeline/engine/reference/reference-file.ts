/**
 * Opens a file for the reference parser: byte order mark, header row, and the rows of its format. What makes the file
 * unreadable from the start is damage, and leaves no rows.
 */
import type { Finding } from '../chunk.ts';
import { type DelimitedPlan, headerColumnsMax, headerRowBytesMax, type Plan } from '../plan.ts';
import { readDelimitedRows } from './delimited-rows.ts';
import { encodingOf, hasNoLineEnds, mayHaveMark, readPage } from './page-text.ts';
import { readPlainRows } from './plain-rows.ts';
import { damage, FileDamage, type Line, type Row, readBlocks, readLines } from './rows.ts';

export interface ReferenceFile {
  /** Names of the header row; null without one. */
  readonly columns: readonly string[] | null;
  readonly rows: Iterable<Row>;
  readonly damage: readonly Finding[];
  /** Where the first chunk starts: behind the byte order mark and the header row. */
  readonly start: number;
  /** Where the file stops being readable, because of its damage; null: nowhere. */
  readonly stop: number | null;
}

const maxRecordBytesDefault = 16 * 1024 * 1024;
const foreignMarks = ['fffe', 'feff', '0000feff'];

export interface ReferenceFileOptions {
  readonly maxRecordBytes?: number;
  readonly keepsStrayQuotes?: boolean;
  /** Of fixed-width records: NUL is text. Only for reading without a flow, which says where numbers are. */
  readonly keepsNul?: boolean;
}

/** Throws `FileDamage` when the first row is too long. */
export function openReferenceFile(
  plan: Pick<Plan, 'format' | 'records'>,
  pieces: Iterable<Uint8Array>,
  { maxRecordBytes = maxRecordBytesDefault, keepsStrayQuotes = false, keepsNul = false }: ReferenceFileOptions = {},
): ReferenceFile {
  const { format } = plan;
  const bytes = readPage(format, pieces);
  if (format.type === 'fixed-width' && hasNoLineEnds(format)) {
    const blocks = readBlocks(bytes, format.recordLength!);
    return {
      columns: null,
      damage: [],
      start: 0,
      stop: null,
      rows: readPlainRows(plan, blocks, { maxRecordBytes, keepsNul }),
    };
  }
  // Room for the line end, so that a line that comes without it is certainly too long.
  const lines = readLines(bytes, maxRecordBytes + 2);
  const marked = mayHaveMark(format) ? withoutMark(lines, encodingOf(format) === 'utf-8') : { lines, start: 0 };
  if (marked === null) {
    const message = 'the file starts with the byte order mark of another encoding';
    return { columns: null, rows: [], damage: [damage('E_FILE_ENCODING', { record: 0, offset: 0 }, message)], start: 0, stop: 0 };
  }
  const { start } = marked;
  const whole = { columns: null, damage: [], start, stop: null };
  if (format.type !== 'delimited') return { ...whole, rows: readPlainRows(plan, marked.lines, { maxRecordBytes, keepsNul }) };
  const rows = readDelimitedRows(marked.lines, { ...format, maxRecordBytes, keepsStrayQuotes });
  return format.header ? readHeaderRow(plan, format, rows, start) : { ...whole, rows };
}

/** `start`: the bytes of the mark. Null for the mark of another encoding. */
function withoutMark(lines: Generator<Line>, isUtf8: boolean): { readonly lines: Iterable<Line>; readonly start: number } | null {
  const first = lines.next();
  if (first.done) return { lines: [], start: 0 };
  const start = first.value.bytes.toString('hex', 0, 4);
  if (foreignMarks.some((mark) => start.startsWith(mark))) return null;
  const mark = start.startsWith('efbbbf') ? 3 : 0;
  if (mark > 0 && !isUtf8) return null;
  const unmarked = (function* () {
    if (first.value.bytes.length > mark) yield { offset: first.value.offset + mark, bytes: first.value.bytes.subarray(mark) };
    yield* lines;
  })();
  return { lines: unmarked, start: mark };
}

function readHeaderRow(plan: Pick<Plan, 'records'>, format: DelimitedPlan, rows: Generator<Row>, fileStart: number): ReferenceFile {
  let first: IteratorResult<Row, void>;
  try {
    first = rows.next();
  } catch (error) {
    if (!(error instanceof FileDamage)) throw error;
    const { finding } = error;
    return { columns: null, rows: [], damage: [{ ...finding, record: 1 }], start: fileStart, stop: finding.offset };
  }
  if (first.done) return { columns: null, rows: [], damage: [], start: fileStart, stop: null };
  const { offset, length, content, cells, isOpen } = first.value;
  const start = offset + length;
  const findings: Finding[] = [];
  const place = { record: 0, offset };
  if (isOpen) findings.push(damage('E_QUOTE_OPEN', place, 'a quote is open at the end of the file'));
  const refused = (why: string) => {
    const found = [...findings, damage('E_HEADER_ROW', place, `the header row ${why}`)];
    return { columns: null, rows: [], damage: found, start, stop: start };
  };
  if (content.length > headerRowBytesMax) return refused(`is longer than ${headerRowBytesMax} bytes`);
  if (cells === null) return refused("cannot be read: it is no text of the flow's encoding, or a quote in it is misplaced");
  if (cells.length > headerColumnsMax) return refused(`has more than ${headerColumnsMax} columns`);
  const columns = cells;
  for (const [index, name] of columns.entries()) {
    const before = columns.indexOf(name);
    const message = `columns ${before + 1} and ${index + 1} of the header row have the same name`;
    if (name !== '' && before < index) findings.push(damage('E_COLUMN_DUPLICATE', place, message));
  }
  findings.push(...findMissing(plan, format, columns, offset));
  return findings.length > 0
    ? { columns: null, rows: [], damage: findings, start, stop: start }
    : { columns, rows, damage: [], start, stop: null };
}

function otherDelimiterOf(columns: readonly string[], wanted: string): string {
  if (columns.length !== 1) return '';
  for (const found of [',', ';', '\t', '|'])
    if (found !== wanted && columns[0]!.includes(found))
      return `: it has no delimiter ${JSON.stringify(wanted)}, but ${JSON.stringify(found)}`;
  return '';
}

/** Each absent column once. */
function findMissing(plan: Pick<Plan, 'records'>, format: DelimitedPlan, columns: readonly string[], offset: number): Finding[] {
  const missing = new Map<string, Finding>();
  const suffix = otherDelimiterOf(columns, String.fromCharCode(format.delimiter));
  for (const record of plan.records) {
    for (const field of record.fields) {
      const name = 'column' in field.at ? field.at.header : null;
      const isNeeded = format.columns === 'exact' || field.required;
      if (name === null || !isNeeded || columns.includes(name) || missing.has(name)) continue;
      missing.set(
        name,
        damage(
          'E_COLUMN_MISSING',
          { record: 0, offset, field: field.name },
          `the header row has no column ${JSON.stringify(name)}${suffix}`,
        ),
      );
    }
  }
  return [...missing.values()];
}
