/**
 * How data reaches stdout: an aligned table on a terminal (with colour, and how long ago), TSV elsewhere (full ids, RFC 3339 times, no
 * colour), or what `--json`, `-o ndjson|yaml|csv` ask for; `--fields a,b` picks. Nested values are JSON in TSV and CSV.
 */
import { systemPorts } from '../platform/base/system-ports.ts';
import { type CommandLine, type outputFormats, printable, textOption } from './command.ts';
import { pick, type Row, wantedFields } from './output-fields.ts';
import { type Writing, writeOut } from './stdout.ts';
import { painter, relativeTime } from './terminal-style.ts';
import { leaves, oneLine, table, terminalCell, thingText } from './terminal-text.ts';

export interface OutputShape {
  /** Columns of a table, in order, where --fields does not say. */
  readonly columns: readonly string[];
  /** Every name that `--fields` can pick, so that a wrong one is refused where nothing is listed too. */
  readonly fields?: readonly string[];
  /** The answer to something that was done: a wrong name in `--fields` is only warned of. */
  readonly isDone?: boolean;
}

/** Of a terminal that does not say how wide it is. */
export const columnsDefault = 120;

/** Prints a list. With `--json` one document: the array. */
export async function printRows(line: CommandLine, rows: readonly Row[], shape: OutputShape): Promise<void> {
  const fields = wantedFields(line, { rows, known: shape.fields, isDone: shape.isDone });
  const format = formatOf(line);
  const picked = fields ? rows.map((row) => Object.fromEntries(fields.map((field) => [field, pick(row, field)]))) : rows;
  if (format === 'json') return writeOut(`${jsonText(picked, 2)}\n`);
  if (format === 'ndjson') return writeOut(picked.map((row) => `${jsonText(row)}\n`).join(''));
  if (format === 'yaml') return writeOut(yamlText(await import('yaml'), picked));
  const columns = fields ?? shape.columns;
  const values = picked.map((row) => columns.map((column) => (fields ? (row as Record<string, unknown>)[column] : pick(row, column))));
  const cells = values.map((row) => row.map(cellText));
  if (format === 'csv') return writeOut([[...columns], ...cells].map((row) => `${row.map(csvCell).join(',')}\r\n`).join(''));
  if (process.stdout.isTTY) {
    const nowMs = systemPorts.clock.nowMs();
    const shown = values.map((row) => row.map((value) => relativeTime(oneLine(terminalCell(value)), nowMs)));
    return writeOut(table(columns, shown, painter(process.env)));
  }
  return writeOut([[...columns], ...cells].map((row) => `${row.map(oneLine).join('\t')}\n`).join(''));
}

/** Prints one thing: a line for each value, named by its path, or the document that was asked for. */
export async function printOne(
  line: CommandLine,
  row: Row,
  { isDone = false, ...writing }: { readonly isDone?: boolean } & Writing = {},
): Promise<void> {
  const fields = wantedFields(line, { rows: [row], isDone });
  await writeOut(await textOfOne(line, fields ? Object.fromEntries(fields.map((field) => [field, pick(row, field)])) : row), writing);
}

async function textOfOne(line: CommandLine, picked: Row): Promise<string> {
  const format = formatOf(line);
  if (format === 'json') return `${jsonText(picked, 2)}\n`;
  if (format === 'ndjson') return `${jsonText(picked)}\n`;
  if (format === 'yaml') return yamlText(await import('yaml'), picked);
  if (format === 'text' && process.stdout.isTTY)
    return thingText(picked, { columnsMax: process.stdout.columns || columnsDefault, paint: painter(process.env) });
  const values = leaves(picked).map(([name, value]) => [name, cellText(value)] as const);
  const names = values.map(([name]) => name);
  if (format === 'csv') return [names, values.map(([, value]) => value)].map((cells) => `${cells.map(csvCell).join(',')}\r\n`).join('');
  return values.map(([name, value]) => `${name}\t${oneLine(value)}\n`).join('');
}

function formatOf(line: CommandLine): (typeof outputFormats)[number] | 'text' {
  if (line.options.json) return 'json';
  return (textOption(line, 'output') as (typeof outputFormats)[number] | undefined) ?? 'text';
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return '';
  return printable(typeof value === 'object' ? JSON.stringify(value) : String(value));
}

const terminalControls = /[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** The same data, with nothing in it that a terminal would obey. */
function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(terminalControls, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function yamlText(yaml: typeof import('yaml'), value: unknown): string {
  return printable(yaml.stringify(JSON.parse(JSON.stringify(value))));
}

/** For people who open it in a spreadsheet: cells that would be read as formulas are defused (bad-inputs B14). */
function csvCell(cell: string): string {
  const safe = /^[\s\u00a0]*[=+\-@\t\r]/.test(cell) && !/^-?\d+(\.\d+)?$/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
