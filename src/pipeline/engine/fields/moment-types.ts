/**
 * date, time and datetime fields from their text to canonical ISO 8601 text (`expressions/values.ts`): real days of the
 * years 0001 to 9999, times 00:00:00 to 23:59:59, offsets turned into UTC. No clock, no time zone data.
 */
import { type MomentToken, parseMomentPattern } from '../expressions/moments.ts';

export type MomentType = 'date' | 'time' | 'datetime';

const isoTime = /^([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{3}))?$/;
const isoDatetime =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{3}))?(?:(Z)|([+-])([0-9]{2}):([0-9]{2}))?$/;
const offsetMinutesMax = 14 * 60;

export function isRealDay(year: number, month: number, day: number): boolean {
  if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1) return false;
  return day <= daysInMonth(year, month);
}

export function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function isTimeOfDay(hour: number, minute: number, second: number): boolean {
  return hour <= 23 && minute <= 59 && second <= 59;
}

/** Null when the text is no such moment. */
export type MomentReader = (text: string) => string | null;

/** `format` null: ISO 8601. A format with unknown letters reads nothing. */
export function createMomentReader(type: MomentType, format: string | null): MomentReader {
  if (format !== null) return createFormatReader(type, format);
  switch (type) {
    case 'date':
      return readIsoDate;
    case 'time':
      return readIsoTime;
    case 'datetime':
      return readIsoDatetime;
  }
}

function readIsoDate(text: string): string | null {
  if (text.length !== 10 || text[4] !== '-' || text[7] !== '-') return null;
  const [year, month, day] = [digitsAt(text, 0, 4), digitsAt(text, 5, 7), digitsAt(text, 8, 10)];
  return isRealDay(year, month, day) ? text : null;
}

/** -1 when there is anything but ASCII digits. */
function digitsAt(text: string, start: number, end: number): number {
  let value = 0;
  for (let index = start; index < end; index++) {
    const digit = text.charCodeAt(index) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function readIsoTime(text: string): string | null {
  const match = isoTime.exec(text);
  return match !== null && isTimeOfDay(Number(match[1]), Number(match[2]), Number(match[3])) ? text : null;
}

function readIsoDatetime(text: string): string | null {
  const match = isoDatetime.exec(text);
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [number, number, number, number, number, number];
  if (!isRealDay(year, month, day) || !isTimeOfDay(hour, minute, second)) return null;
  if (match[9] === undefined) return text;
  const offset = Number(match[10]) * 60 + Number(match[11]);
  if (Number(match[11]) > 59 || offset > offsetMinutesMax) return null;
  return inUtc({ year, month, day, hour, minute, second }, match[9] === '-' ? offset : -offset, match[7]);
}

interface Parts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

function inUtc(parts: Parts, shiftMinutes: number, fraction: string | undefined): string | null {
  let minutes = parts.hour * 60 + parts.minute + shiftMinutes;
  let { year, month, day } = parts;
  if (minutes < 0) {
    minutes += 1440;
    if (--day === 0) {
      if (--month === 0) {
        month = 12;
        year--;
      }
      day = daysInMonth(year, month);
    }
  } else if (minutes >= 1440) {
    minutes -= 1440;
    if (++day > daysInMonth(year, month)) {
      day = 1;
      if (++month > 12) {
        month = 1;
        year++;
      }
    }
  }
  if (year < 1 || year > 9999) return null;
  const time = `${pad(Math.floor(minutes / 60), 2)}:${pad(minutes % 60, 2)}:${pad(parts.second, 2)}`;
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}T${time}${fraction === undefined ? '' : `.${fraction}`}Z`;
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

const tokenDigits: Readonly<Record<MomentToken, number>> = { yyyy: 4, MM: 2, dd: 2, HH: 2, mm: 2, ss: 2, SSS: 3 };
type Found = Partial<Record<MomentToken, string>>;

function createFormatReader(type: MomentType, format: string): MomentReader {
  const parts = parseMomentPattern(format);
  if (parts === null) return () => null;
  const isUtc = type === 'datetime' && parts.some((part) => 'literal' in part && part.literal === 'Z');
  return (text) => {
    const found: Found = {};
    let at = 0;
    for (const part of parts) {
      const wanted = 'literal' in part ? part.literal : null;
      if (wanted !== null) {
        if (!text.startsWith(wanted, at)) return null;
        at += wanted.length;
        continue;
      }
      const token = (part as { token: MomentToken }).token;
      const digits = text.slice(at, at + tokenDigits[token]);
      if (digits.length !== tokenDigits[token] || !/^[0-9]+$/.test(digits)) return null;
      if (found[token] !== undefined && found[token] !== digits) return null;
      found[token] = digits;
      at += digits.length;
    }
    return at === text.length ? canonicalText(type, found, isUtc) : null;
  };
}

function canonicalText(type: MomentType, found: Found, isUtc: boolean): string | null {
  const date = `${found.yyyy ?? '0001'}-${found.MM ?? '01'}-${found.dd ?? '01'}`;
  const time = `${found.HH ?? '00'}:${found.mm ?? '00'}:${found.ss ?? '00'}${found.SSS === undefined ? '' : `.${found.SSS}`}`;
  if (type !== 'time' && readIsoDate(date) === null) return null;
  if (type !== 'date' && readIsoTime(time) === null) return null;
  return type === 'date' ? date : type === 'time' ? time : `${date}T${time}${isUtc ? 'Z' : ''}`;
}
