/** Fields of a record as values of a document, and values as the characters of a record: both directions of one shape. */
import type { FieldLayout } from './field-layouts.ts';
import { isDate, isDayOfYear, isTime } from './record-forms.ts';

/** Reserved fields that are not printed have no name of their own: the first column tells them apart, from 1. */
export function writtenName({ name, at, prints }: FieldLayout): string {
  return name === 'reserved' && prints === 'hidden' ? `reserved${at + 1}` : name;
}

export function printedValue({ prints, literal }: FieldLayout, original: string): string | number {
  const trimmed = original.trim();
  switch (prints) {
    case 'number':
      return readNumber(trimmed);
    case 'text':
    case 'routing':
      return trimmed;
    case 'origin':
      return trimmed.length === 10 && trimmed.startsWith('0') && trimmed !== '0000000000' ? trimmed.slice(1) : trimmed;
    case 'exact':
      return original;
    case 'date':
      return isDate(original) ? original : '';
    case 'time':
      return isTime(original) ? original : '';
    case 'julian':
      return isDayOfYear(original) ? original : '   ';
    case 'hidden':
      return literal ?? '';
  }
}

/** Numbers above the safe integers are texts of digits: those of ADV controls. */
function readNumber(digits: string): number | string {
  if (!/^[0-9]+$/.test(digits)) return 0;
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : digits.replace(/^0+/, '');
}

/** What a writer makes of a value; longer than the field where the value does not fit. */
export function writtenBy({ prints, kind, length }: FieldLayout, value: string | number): string {
  if (prints === 'number') return String(value).padStart(length, '0');
  if (prints === 'routing' || prints === 'origin') return ` ${value}`.padEnd(length);
  return kind === 'digits' && prints === 'text' ? String(value).padStart(length, '0') : String(value).padEnd(length);
}

/** Of a field for which there is no value. */
export function writtenWithout({ literal, kind, length }: FieldLayout): string {
  return literal ?? (kind === 'digits' || kind === 'flag' ? '0' : ' ').repeat(length);
}
