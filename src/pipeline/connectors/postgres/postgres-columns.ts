/**
 * What the columns of a table would change without a word: PostgreSQL rounds a number to the scale of its column and a time to its
 * precision, drops the offset and the date of a time and the time of a date, and cuts spaces off the end of a text, and anything off that of a
 * `name`. A column that is inexact whatever comes is refused; of the others, the record that would change. Values are as long as
 * senders make them: nothing here takes longer than to read them once.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { OutputFieldPlan } from '../../engine/plan.ts';
import { connectorErrors } from '../connector-errors.ts';
import { fractionDigits, hasMoreFractionDigits, hasMoreSecondDigits, significantDigits } from '../kept-digits.ts';

/** Name of the type, or of the one that a domain is made of in the end, and its modifier, by column. */
export type ColumnTypes = Readonly<Record<string, readonly [type: string, modifier: number]>>;

interface Change {
  /** Whether a text of a record would be another value in the column. */
  readonly isChange: (text: string) => boolean;
  /** What such a text begins with or has, from its quote on, as part of a regular expression: most records are told by it alone. */
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
  const looks = [...byColumn].map(([name, { looksSo }]) => `"${name}":${looksSo}`);
  return { byColumn, suspicion: looks.length === 0 ? null : new RegExp(looks.join('|')) };
}

/** A character of a JSON string, or its escape. */
const character = String.raw`(?:[^"\\]|\\.)`;
const longerThanDate = `"${character}{11}`;
const hasPoint = String.raw`"[^"]*?\.\d`;
/** It, or a value behind it. */
const endsWithSpace = '"[^]*? "';
/** Any text, and any number. */
const anything = '';
/** All but what is written most. */
const noPlainTime = String.raw`"(?!\d\d:\d\d:\d\d")`;
/** Without a date and an offset, which a `time` drops, as it does the name of a zone. */
const time = /^(?:\d{1,2}:\d{2}(?::\d{2}(?:\.\d*)?)?|\d{6}(?:\.\d*)?)(?: ?[AP]M)?$/i;
/** The same with an offset: a `timetz` drops a date. */
const timeWithOffset = /^(?:\d{1,2}:\d{2}(?::\d{2}(?:\.\d*)?)?|\d{6}(?:\.\d*)?)(?: ?[AP]M)?(?:Z|[+-]\d{1,2}(?::?\d{2}){0,2})?$/i;
/** A `name` holds so many bytes (NAMEDATALEN without its last); a character takes four at most. */
const nameBytesMax = 63;
/** Decimal digits that they give back whatever they are (FLT_DIG and DBL_DIG of C). */
const floatDigits = { float4: 6, float8: 15 };
/** Of most currencies; PostgreSQL takes them from `lc_monetary`. */
const centDigits = 2;
/** Digits behind the point of a second, where the column says nothing of them. */
const secondDigitsMax = 6;

function changeOf(column: string, modifier: number): Change | null {
  switch (column) {
    case 'numeric': {
      if (modifier < modifierOffset) return null;
      const bits = (modifier - modifierOffset) & scaleBits;
      const scale = bits > scaleBits / 2 ? bits - scaleBits - 1 : bits;
      const isChange = (text: string) => {
        const digits = fractionDigits(text);
        // Of a negative scale, digits before the point are rounded, also of numbers that are not read here.
        return digits === null ? scale < 0 : digits > scale;
      };
      return { isChange, looksSo: scale < 0 ? anything : `"[^"]*?(?:[eE_]|\\.\\d{${scale}}\\d*[1-9])` };
    }
    case 'timestamp': {
      const isRounded = roundsSeconds(modifier);
      return {
        isChange: (text) => /\d(?:Z|[+-]\d{2}(?::?\d{2})?)$/i.test(text.slice(10)) || isRounded(text),
        looksSo: longerThanDate,
      };
    }
    case 'timestamptz':
      return { isChange: roundsSeconds(modifier), looksSo: hasPoint };
    case 'time':
    case 'timetz': {
      const kept = column === 'time' ? time : timeWithOffset;
      const isRounded = roundsSeconds(modifier);
      return { isChange: (text) => !kept.test(text) || isRounded(text), looksSo: noPlainTime };
    }
    case 'float4':
    case 'float8':
      return { isChange: (text) => significantDigits(text) > floatDigits[column], looksSo: anything };
    case 'money':
      return { isChange: (text) => hasMoreFractionDigits(text, centDigits), looksSo: anything };
    case 'char':
      return { isChange: (text) => Buffer.byteLength(text) > 1, looksSo: anything };
    case 'name':
      return { isChange: (text) => Buffer.byteLength(text) > nameBytesMax, looksSo: `"${character}{${Math.ceil(nameBytesMax / 4)}}` };
    case 'varchar': {
      if (modifier < modifierOffset) return null;
      return { isChange: (text) => text.endsWith(' ') && [...text].length > modifier - modifierOffset, looksSo: endsWithSpace };
    }
    // Spaces up to its length are what it is filled up with: only then they are there again.
    case 'bpchar':
      return { isChange: (text) => text.endsWith(' ') && [...text].length !== modifier - modifierOffset, looksSo: endsWithSpace };
    case 'date':
      return { isChange: (text) => text.length > 10, looksSo: longerThanDate };
    default:
      return null;
  }
}

function roundsSeconds(modifier: number): (text: string) => boolean {
  return (text) => hasMoreSecondDigits(text, modifier < 0 ? secondDigitsMax : modifier);
}

/** The first column that would change a value of the record: a line as body writers make it. */
export function changedColumn({ byColumn, suspicion }: ColumnChanges, json: string): string | undefined {
  if (suspicion === null || !suspicion.test(json)) return undefined;
  // Numbers as they are written.
  const values = JSON.parse(json, (_name, value: unknown, context?: { readonly source?: string }) =>
    typeof value === 'number' ? context!.source : value,
  ) as Record<string, unknown>;
  for (const [name, { isChange }] of byColumn) {
    const value = values[name];
    if (typeof value === 'string' && isChange(value)) return name;
  }
  return undefined;
}
