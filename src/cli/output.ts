/**
 * How data reaches stdout: an aligned table on a terminal, TSV elsewhere (full ids, RFC 3339 times, no colour), or what
 * `--json`, `-o ndjson|yaml|csv` ask for; `--fields a,b` picks. Nested values are printed as JSON in tables.
 */
import { HeadgateError } from '../platform/base/errors.ts';
import { cliErrors } from './cli-errors.ts';
import { type CommandLine, printable, textOption } from './command.ts';

type Row = Readonly<Record<string, unknown>>;

export interface OutputShape {
  /** Columns of a table, in order, where --fields does not say. */
  readonly columns: readonly string[];
}

/** Prints a list. With `--json` one document: the array. */
export async function printRows(line: CommandLine, rows: readonly Row[], shape: OutputShape): Promise<void> {
  const fields = textOption(line, 'fields')
    ?.split(',')
    .map((field) => field.trim());
  const format = formatOf(line);
  const picked = fields ? rows.map((row) => Object.fromEntries(fields.map((field) => [field, pick(row, field)]))) : rows;
  if (format === 'json') return write(`${jsonText(picked, 2)}\n`);
  if (format === 'ndjson') return write(picked.map((row) => `${jsonText(row)}\n`).join(''));
  if (format === 'yaml') return write(yamlText(await import('yaml'), picked));
  const columns = fields ?? shape.columns;
  const cells = picked.map((row) =>
    columns.map((column) => cellText(fields ? (row as Record<string, unknown>)[column] : pick(row, column))),
  );
  if (format === 'csv') return write([[...columns], ...cells].map((row) => `${row.map(csvCell).join(',')}\r\n`).join(''));
  if (process.stdout.isTTY) return write(table(columns, cells));
  return write([[...columns], ...cells].map((row) => `${row.map((cell) => cell.replace(/[\t\n\r]/g, ' ')).join('\t')}\n`).join(''));
}

/** Prints one thing: `name: value` lines, or the document that was asked for. */
export async function printOne(line: CommandLine, row: Row): Promise<void> {
  const fields = textOption(line, 'fields')
    ?.split(',')
    .map((field) => field.trim());
  const picked = fields ? Object.fromEntries(fields.map((field) => [field, pick(row, field)])) : row;
  const format = formatOf(line);
  if (format === 'json') return write(`${jsonText(picked, 2)}\n`);
  if (format === 'ndjson') return write(`${jsonText(picked)}\n`);
  if (format === 'yaml') return write(yamlText(await import('yaml'), picked));
  const names = Object.keys(picked);
  if (format === 'csv')
    return write(
      [names, names.map((name) => cellText(picked[name as keyof typeof picked]))]
        .map((cells) => `${cells.map(csvCell).join(',')}\r\n`)
        .join(''),
    );
  const width = Math.max(0, ...names.map((name) => name.length));
  return write(
    names
      .map(
        (name) =>
          `${process.stdout.isTTY ? `${name.padEnd(width)}  ` : `${name}\t`}${cellText((picked as Record<string, unknown>)[name])}\n`,
      )
      .join(''),
  );
}

function formatOf(line: CommandLine): 'json' | 'ndjson' | 'yaml' | 'csv' | 'text' {
  if (line.options.json) return 'json';
  const format = textOption(line, 'output');
  if (format === undefined) return 'text';
  if (format === 'json' || format === 'ndjson' || format === 'yaml' || format === 'csv') return format;
  throw new HeadgateError(cliErrors.E_USAGE, `-o takes json, ndjson, yaml or csv, not ${JSON.stringify(format)}`);
}

function pick(row: Row, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, key) => (value !== null && typeof value === 'object' && Object.hasOwn(value, key) ? (value as Row)[key] : undefined),
      row,
    );
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

/** Numbers to the right, text to the left, a rule under the heading. */
export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map((column, index) => Math.max(column.length, ...rows.map((row) => [...row[index]].length)));
  const isNumeric = columns.map((_, index) => rows.length > 0 && rows.every((row) => /^[-\d.,%]*$/.test(row[index])));
  const print = (cells: readonly string[]) =>
    cells
      .map((cell, index) => {
        const space = ' '.repeat(widths[index] - [...cell].length);
        return isNumeric[index] ? space + cell : cell + space;
      })
      .join('  ')
      .trimEnd();
  return `${[print(columns), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map(print)].join('\n')}\n`;
}

/** Waits until the pipe has taken it, so that nothing is cut when the process exits. */
function write(text: string): Promise<void> {
  return new Promise((resolve, reject) =>
    process.stdout.write(text, (error) => (error && (error as NodeJS.ErrnoException).code !== 'EPIPE' ? reject(error) : resolve())),
  );
}
