/**
 * How data reaches stdout: an aligned table on a terminal, TSV elsewhere (full ids, RFC 3339 times, no colour), or what
 * `--json`, `-o ndjson|yaml|csv` ask for; `--fields a,b` picks. Nested values are printed as JSON in tables.
 */
import { type CommandLine, type outputFormats, printable, textOption } from './command.ts';

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
  if (process.stdout.isTTY)
    return write(
      table(
        columns,
        cells.map((row) => row.map(oneLine)),
      ),
    );
  return write([[...columns], ...cells].map((row) => `${row.map(oneLine).join('\t')}\n`).join(''));
}

/** Prints one thing: a line for each value, named by its path, or the document that was asked for. */
export async function printOne(line: CommandLine, row: Row): Promise<void> {
  const fields = textOption(line, 'fields')
    ?.split(',')
    .map((field) => field.trim());
  const picked = fields ? Object.fromEntries(fields.map((field) => [field, pick(row, field)])) : row;
  const format = formatOf(line);
  if (format === 'json') return write(`${jsonText(picked, 2)}\n`);
  if (format === 'ndjson') return write(`${jsonText(picked)}\n`);
  if (format === 'yaml') return write(yamlText(await import('yaml'), picked));
  const values = leaves(picked);
  const names = values.map(([name]) => name);
  if (format === 'csv')
    return write([names, values.map(([, value]) => value)].map((cells) => `${cells.map(csvCell).join(',')}\r\n`).join(''));
  const width = Math.max(0, ...names.map((name) => name.length));
  const start = (name: string) => (process.stdout.isTTY ? `${name.padEnd(width)}  ` : `${name}\t`);
  return write(values.map(([name, value]) => `${start(name)}${oneLine(value)}\n`).join(''));
}

/** `records.read` and the like, as `--fields` takes them; lists stay whole. */
function leaves(row: Row, path = ''): (readonly [string, string])[] {
  return Object.entries(row).flatMap(([name, value]) => {
    const isNested = value !== null && typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length > 0;
    return isNested ? leaves(value as Row, `${path}${name}.`) : [[printable(path + name), cellText(value)] as const];
  });
}

function formatOf(line: CommandLine): (typeof outputFormats)[number] | 'text' {
  if (line.options.json) return 'json';
  return (textOption(line, 'output') as (typeof outputFormats)[number] | undefined) ?? 'text';
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

/** A value never makes a line or a column of its own. */
function oneLine(cell: string): string {
  return cell.replace(/[\t\n\r]/g, ' ');
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
