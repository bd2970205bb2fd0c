/** What a few bytes are: digits, dates and times as statements of the banks write them. Nothing is copied. */
import type { Buffer } from 'node:buffer';

const zero = 48;
const nine = 57;

export function areDigits(bytes: Buffer, start: number, end: number): boolean {
  if (start >= end) return false;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte < zero || byte > nine) return false;
  }
  return true;
}

const longMonths = 0b1010110101010;

/** yyMMdd, a day of the calendar; the years are 2000 to 2099, whose leap years are those of 1904 to 1999 too. */
export function isDate(bytes: Buffer, start: number, end: number): boolean {
  return end - start === 6 && areDigits(bytes, start, end) && isMonthDay(bytes, start + 2, twoDigits(bytes, start) % 4 === 0);
}

/** MMdd; 29 February is a day where `isLeapYear` says so. */
export function isMonthDay(bytes: Buffer, start: number, isLeapYear: boolean): boolean {
  if (!areDigits(bytes, start, start + 4)) return false;
  const month = twoDigits(bytes, start);
  const day = twoDigits(bytes, start + 2);
  if (month < 1 || month > 12 || day < 1) return false;
  if (month === 2) return day <= (isLeapYear ? 29 : 28);
  return day <= ((longMonths >> month) & 1 ? 31 : 30);
}

/** HHmm of the 24-hour clock, from 0000 to 2359. */
export function isTime(bytes: Buffer, start: number, end: number): boolean {
  return end - start === 4 && areDigits(bytes, start, end) && twoDigits(bytes, start) < 24 && twoDigits(bytes, start + 2) < 60;
}

export function twoDigits(bytes: Buffer, at: number): number {
  return (bytes[at]! - zero) * 10 + bytes[at + 1]! - zero;
}

export function areUpperLetters(bytes: Buffer, start: number, end: number): boolean {
  if (start >= end) return false;
  for (let at = start; at < end; at++) if (bytes[at]! < 65 || bytes[at]! > 90) return false;
  return true;
}
