/**
 * What the columns of a table would change without a word: PostgreSQL rounds a number to the scale of its column, drops the offset
 * of a time and the time of a date. A column that is inexact whatever comes is refused; of the others, the record that would change.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { OutputFieldPlan } from '../../engine/plan.ts';
import { connectorErrors } from '../connector-errors.ts';

/** Name of the type, or of the one that a domain is made of, and its modifier, by column. */
export type ColumnTypes = Readonly<Record<string, readonly [type: string, modifier: number]>>;

/** Whether a text of a record would be another value in the column. */
type Change = (text: string) => boolean;

/** By column. */
export type ColumnChanges = ReadonlyMap<string, Change>;

const inexact = { decimal: /^(?:float4|float8|money)$/, int: /^(?:float4|float8|money)$/ };
const scaleBits = 0x7ff;
/** What stands before precision and scale in a modifier. */
const modifierOffset = 4;

/** Fails with E_TARGET_SETUP for a column that rounds. */
export function columnChanges(output: readonly OutputFieldPlan[], types: ColumnTypes): ColumnChanges {
  const changes = new Map<string, Change>();
  for (const { name, type } of output) {
    const [column = '', modifier = -1] = types[name] ?? [];
    if ((type === 'decimal' || type === 'int') && inexact[type].test(column))
      throw new HeadgateError(connectorErrors.E_TARGET_SETUP, `the column ${name} of the target rounds values of type ${type}`);
    const change = changeOf(column, modifier);
    if (change !== null) changes.set(name, change);
  }
  return changes;
}

function changeOf(column: string, modifier: number): Change | null {
  switch (column) {
    case 'numeric': {
      if (modifier < modifierOffset) return null;
      const bits = (modifier - modifierOffset) & scaleBits;
      const scale = bits > scaleBits / 2 ? bits - scaleBits - 1 : bits;
      // Of a negative scale, digits before the point are rounded: nobody keeps money so.
      return (text) => scale < 0 || (/\.(\d*?)0*$/.exec(text)?.[1] ?? '').length > scale;
    }
    case 'timestamp':
      return (text) => /\d(?:Z|[+-]\d{2}(?::?\d{2})?)$/i.test(text.slice(10));
    case 'date':
      return (text) => text.length > 10;
    default:
      return null;
  }
}

/** The first column that would change a value of the record. */
export function changedColumn(changes: ColumnChanges, json: string): string | undefined {
  if (changes.size === 0) return undefined;
  const values = JSON.parse(json) as Record<string, unknown>;
  for (const [name, change] of changes) {
    const value = values[name];
    if (typeof value === 'string' && change(value)) return name;
  }
  return undefined;
}
