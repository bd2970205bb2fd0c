/**
 * What the columns of a table would change without a word: PostgreSQL rounds a number to the scale of its column, drops the offset
 * of a time and the time of a date. A column that is inexact whatever comes is refused; of the others, the record that would change.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { OutputFieldPlan } from '../../engine/plan.ts';
import { connectorErrors } from '../connector-errors.ts';

/** Name of the type, or of the one that a domain is made of, and its modifier, by column. */
export type ColumnTypes = Readonly<Record<string, readonly [type: string, modifier: number]>>;

interface Change {
  /** Whether a text of a record would be another value in the column. */
  readonly isChange: (text: string) => boolean;
  /** What such a text has, as part of a regular expression: most records are told by it alone. */
  readonly looksSo: string;
}

export interface ColumnChanges {
  readonly byColumn: ReadonlyMap<string, Change>;
  /** Finds every line of which a value would change, and some others; null: none would. */
  readonly suspicion: RegExp | null;
}

export const noColumnChanges: ColumnChanges = { byColumn: new Map(), suspicion: null };

const inexact = { decimal: /^(?:float4|float8|money)$/, int: /^(?:float4|float8|money)$/ };
const scaleBits = 0x7ff;
/** What stands before precision and scale in a modifier. */
const modifierOffset = 4;

/** Fails with E_TARGET_SETUP for a column that rounds. */
export function columnChanges(output: readonly OutputFieldPlan[], types: ColumnTypes): ColumnChanges {
  const byColumn = new Map<string, Change>();
  for (const { name, type } of output) {
    const [column = '', modifier = -1] = types[name] ?? [];
    if ((type === 'decimal' || type === 'int') && inexact[type].test(column))
      throw new HeadgateError(connectorErrors.E_TARGET_SETUP, `the column ${name} of the target rounds values of type ${type}`);
    const change = changeOf(column, modifier);
    if (change !== null) byColumn.set(name, change);
  }
  const looks = [...byColumn].map(([name, { looksSo }]) => `"${name}":"${looksSo}`);
  return { byColumn, suspicion: looks.length === 0 ? null : new RegExp(looks.join('|')) };
}

const longerThanDate = '[^"]{11}';

function changeOf(column: string, modifier: number): Change | null {
  switch (column) {
    case 'numeric': {
      if (modifier < modifierOffset) return null;
      const bits = (modifier - modifierOffset) & scaleBits;
      const scale = bits > scaleBits / 2 ? bits - scaleBits - 1 : bits;
      // Of a negative scale, digits before the point are rounded: nobody keeps money so.
      const isChange = (text: string) => scale < 0 || (/\.(\d*?)0*$/.exec(text)?.[1] ?? '').length > scale;
      return { isChange, looksSo: scale < 0 ? '' : `[^"]*\\.\\d{${scale}}\\d*[1-9]` };
    }
    case 'timestamp':
      return { isChange: (text) => /\d(?:Z|[+-]\d{2}(?::?\d{2})?)$/i.test(text.slice(10)), looksSo: longerThanDate };
    case 'date':
      return { isChange: (text) => text.length > 10, looksSo: longerThanDate };
    default:
      return null;
  }
}

/** The first column that would change a value of the record: a line as body writers make it. */
export function changedColumn({ byColumn, suspicion }: ColumnChanges, json: string): string | undefined {
  if (suspicion === null || !suspicion.test(json)) return undefined;
  const values = JSON.parse(json) as Record<string, unknown>;
  for (const [name, { isChange }] of byColumn) {
    const value = values[name];
    if (typeof value === 'string' && isChange(value)) return name;
  }
  return undefined;
}
