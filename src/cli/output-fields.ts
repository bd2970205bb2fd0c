/** `--fields a,b.c`: picks values by their paths. A name that is nowhere in what is printed is a mistake, not an empty column. */
import { HeadgateError } from '../platform/base/errors.ts';
import { cliErrors } from './cli-errors.ts';
import { type CommandLine, printable, textOption } from './command.ts';

export type Row = Readonly<Record<string, unknown>>;

/** Below these the names are the flow's own: what this answer lacks the next may have, so it is empty. */
const namedByFlows: ReadonlySet<string> = new Set(['amounts', 'targets', 'controlTotals', 'fields', 'detail']);

export interface Pickable {
  readonly rows: readonly Row[];
  /** All names that rows can have; without them nothing is refused where there are no rows. */
  readonly known?: readonly string[];
  /** The answer to something that was done: a wrong name is only warned of, or it would look as if nothing was. */
  readonly isDone?: boolean;
}

/** The paths that were asked for; undefined without `--fields`. Fails with E_USAGE and the names there are. */
export function wantedFields(line: CommandLine, { rows, known = [], isDone = false }: Pickable): readonly string[] | undefined {
  const fields = textOption(line, 'fields')
    ?.split(',')
    .map((field) => field.trim());
  for (const field of fields ?? []) {
    const mistake = mistakeIn(field, rows, known);
    if (mistake === null) continue;
    if (!isDone) throw new HeadgateError(cliErrors.E_USAGE, mistake);
    process.stderr.write(`warning: ${printable(mistake)}\n`);
  }
  return fields;
}

function mistakeIn(field: string, rows: readonly Row[], known: readonly string[]): string | null {
  let level: readonly unknown[] = rows;
  let above = '';
  for (const step of field.split('.')) {
    const names = [...new Set([...(above === '' ? known : []), ...level.flatMap((value) => Object.keys(value as Row))])];
    if (names.length === 0) return null;
    if (!names.includes(step))
      return `--fields: there is no ${JSON.stringify(field)}; ${above === '' ? 'there are' : `${above} has`} ${names.join(', ')}`;
    if (namedByFlows.has(step)) return null;
    const values = level.map((value) => (value as Row)[step]);
    // What is null or a list in these rows says nothing about what may be below it.
    if (!values.every(isObject)) return null;
    level = values;
    above = above === '' ? step : `${above}.${step}`;
  }
  return null;
}

function isObject(value: unknown): value is Row {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

export function pick(row: Row, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, key) => (value !== null && typeof value === 'object' && Object.hasOwn(value, key) ? (value as Row)[key] : undefined),
      row,
    );
}
