/**
 * How data looks on a terminal: a line for each value, named by its path as `--fields` takes it; lists of things below
 * their name as an indented table, or one below the other where a table would be wider than the terminal.
 */
import { printable } from './command.ts';
import type { Row } from './output-fields.ts';
import { type Paint, plain } from './terminal-style.ts';

export interface Terminal {
  readonly columnsMax: number;
  readonly paint: Paint;
}

/** Of one thing. Nothing in it makes a line of its own or is obeyed by the terminal. */
export function thingText(thing: Row, terminal: Terminal): string {
  return thingLines(thing, terminal)
    .map((line) => `${line}\n`)
    .join('');
}

function thingLines(thing: Row, { columnsMax, paint }: Terminal): string[] {
  const below = { columnsMax: columnsMax - 2, paint };
  const values = leaves(thing);
  const width = Math.max(0, ...values.filter(([, value]) => !isListOfThings(value)).map(([name]) => name.length));
  return values.flatMap(([name, value]) =>
    isListOfThings(value)
      ? [name, ...listLines(value, below).map((line) => `  ${line}`)]
      : [`${name.padEnd(width)}  ${paint(name, oneLine(terminalCell(value)))}`.trimEnd()],
  );
}

function listLines(things: readonly Row[], { columnsMax, paint }: Terminal): string[] {
  const rows = things.map((thing) => new Map(leaves(thing)));
  const columns = [...new Set(rows.flatMap((row) => [...row.keys()]))];
  const hasLists = rows.some((row) => [...row.values()].some(isListOfThings));
  const cells = rows.map((row) => columns.map((column) => oneLine(terminalCell(row.get(column)))));
  const lines = (painted: Paint) => table(columns, cells, painted).trimEnd().split('\n');
  if (!hasLists && lines(plain).every((line) => line.length <= columnsMax)) return lines(paint);
  return things.flatMap((thing) =>
    thingLines(thing, { columnsMax: columnsMax - 2, paint }).map((line, index) => `${index === 0 ? '- ' : '  '}${line}`),
  );
}

/** `records.read` and the like, as `--fields` takes them; lists stay whole. */
export function leaves(row: Row, path = ''): (readonly [string, unknown])[] {
  return Object.entries(row).flatMap(([name, value]) => {
    const isNested = value !== null && typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length > 0;
    return isNested ? leaves(value as Row, `${path}${name}.`) : [[printable(path + name), value] as const];
  });
}

function isListOfThings(value: unknown): value is readonly Row[] {
  return (
    Array.isArray(value) && value.length > 0 && value.every((item) => item !== null && typeof item === 'object' && !Array.isArray(item))
  );
}

/** One value where there is one line for it. */
export function terminalCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'object') return printable(String(value));
  const items = Array.isArray(value)
    ? value.map((item) => (item !== null && typeof item === 'object' ? `(${terminalCell(item)})` : terminalCell(item)))
    : leaves(value as Row).map(([name, each]) => `${name}=${terminalCell(each)}`);
  return items.length === 0 ? 'none' : items.join(', ');
}

/** A value never makes a line or a column of its own. */
export function oneLine(cell: string): string {
  return cell.replace(/[\t\n\r]/g, ' ');
}

/** Numbers to the right, text to the left, a rule under the heading. */
export function table(columns: readonly string[], rows: readonly (readonly string[])[], paint: Paint = plain): string {
  const widths = columns.map((column, index) => Math.max(column.length, ...rows.map((row) => [...row[index]].length)));
  const isNumeric = columns.map((_, index) => rows.length > 0 && rows.every((row) => /^[-\d.,%]*$/.test(row[index])));
  const print = (cells: readonly string[], isHeading = false) =>
    cells
      .map((cell, index) => {
        const space = ' '.repeat(widths[index] - [...cell].length);
        const painted = isHeading ? cell : paint(columns[index], cell);
        return isNumeric[index] ? space + painted : painted + space;
      })
      .join('  ')
      .trimEnd();
  return `${[print(columns, true), widths.map((width) => '─'.repeat(width)).join('  '), ...rows.map((row) => print(row))].join('\n')}\n`;
}
