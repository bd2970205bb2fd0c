/**
 * What columns of a table would change without even a note: strict mode says nothing of a text whose number is rounded, of the digits of a
 * second, of spaces that a `char` loses, nor of a number that it takes for the place of a label.
 */
import { hasMoreFractionDigits, hasMoreSecondDigits, significantDigits } from '../kept-digits.ts';

/** Of a column, as `information_schema.columns` has it. */
export interface ColumnFacts {
  /** Without its length: `char`. */
  readonly type: string;
  /** As it is declared: `enum('a','b')`. */
  readonly declared: string;
  /** In characters, or bytes of `binary`; null: it has none. */
  readonly length: number | null;
  /** Behind the point of a second; null: it has no seconds. */
  readonly secondDigits: number | null;
}

/** Whether the column would keep a text of a record otherwise. */
export type IsChange = (text: string) => boolean;

/** Decimal digits that a float or a double gives back whatever they are (FLT_DIG and DBL_DIG of C). */
const floatDigits = 6;
const doubleDigits = 15;

/** Null: it changes nothing without a warning. */
export function columnChange({ type, declared, length, secondDigits }: ColumnFacts): IsChange | null {
  if (/int$|^integer$/.test(type)) return (text) => /e/i.test(text) || hasMoreFractionDigits(text, 0);
  switch (type) {
    case 'float':
      return (text) => significantDigits(text) > floatDigits;
    case 'double':
    case 'real':
      return (text) => significantDigits(text) > doubleDigits;
    case 'year':
      return (text) => !/^\d{4}$/.test(text);
    case 'datetime':
    case 'timestamp':
    case 'time':
      return (text) => hasMoreSecondDigits(text, secondDigits ?? 0);
    case 'char':
      return (text) => text.endsWith(' ');
    case 'binary':
      return (text) => Buffer.byteLength(text) !== length;
    case 'enum':
    case 'set':
      return (text) => /^\s*\d+\s*$/.test(text) && !declared.includes(`'${text}'`);
    default:
      return null;
  }
}
