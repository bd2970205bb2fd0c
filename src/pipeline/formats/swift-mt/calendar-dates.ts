/** Dates and times of SWIFT fields. Two digits of a year up to 79 are of 2000, from 80 on of 1900 (General Information). */
import type { Buffer } from 'node:buffer';
import { areDigits, isDate, twoDigits } from '../statements/byte-fields.ts';

export const lastOf2000 = 79;

/** 29 and 30 February, the value dates of banks that count thirty days a month. */
export function isLastOfFebruary(bytes: Buffer, start: number): boolean {
  const day = bytes.toString('latin1', start + 2, start + 6);
  return areDigits(bytes, start, start + 2) && (day === '0229' || day === '0230');
}

/** yyMMdd as a date of ISO 8601, 30 February as the last of that month; null where it is no date. */
export function isoDate(bytes: Buffer, start: number, end: number): string | null {
  if (start + 6 > end) return null;
  const isLast = isLastOfFebruary(bytes, start);
  if (!isDate(bytes, start, start + 6) && !isLast) return null;
  const year = bytes.toString('latin1', start, start + 2);
  const text = isLast ? `${year}02${Number(year) % 4 === 0 ? '29' : '28'}` : bytes.toString('latin1', start, start + 6);
  const century = twoDigits(bytes, start) > lastOf2000 ? '19' : '20';
  return `${century}${text.slice(0, 2)}-${text.slice(2, 4)}-${text.slice(4)}`;
}

/** A day MMdd in the year that is nearest to a date: entries are booked within half a year of their value date. */
export function nearestYear(valueDate: string, month: string, day: string): string {
  const distance = Number(month) - Number(valueDate.slice(5, 7));
  const year = Number(valueDate.slice(0, 4)) + (distance > 6 ? -1 : distance < -6 ? 1 : 0);
  return `${year}-${month}-${day}`;
}
