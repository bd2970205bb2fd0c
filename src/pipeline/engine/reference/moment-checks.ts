/**
 * Dates, times and datetimes of the reference parser: the pattern becomes one regular expression with named groups, the
 * calendar is counted in days since 0001-01-01 (ISO 8601, proleptic Gregorian).
 */

type Group = 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second' | 'milliseconds';
type Parts = Partial<Record<Group | 'zone', string>>;

const tokens: readonly (readonly [string, Group, number])[] = [
  ['yyyy', 'year', 4],
  ['SSS', 'milliseconds', 3],
  ['MM', 'month', 2],
  ['dd', 'day', 2],
  ['HH', 'hour', 2],
  ['mm', 'minute', 2],
  ['ss', 'second', 2],
];

const isoPatterns = {
  date: /^(?<year>[0-9]{4})-(?<month>[0-9]{2})-(?<day>[0-9]{2})$/,
  time: /^(?<hour>[0-9]{2}):(?<minute>[0-9]{2}):(?<second>[0-9]{2})(?:\.(?<milliseconds>[0-9]{3}))?$/,
  datetime:
    /^(?<year>[0-9]{4})-(?<month>[0-9]{2})-(?<day>[0-9]{2})T(?<hour>[0-9]{2}):(?<minute>[0-9]{2}):(?<second>[0-9]{2})(?:\.(?<milliseconds>[0-9]{3}))?(?<zone>Z|[+-][0-9]{2}:[0-9]{2})?$/,
};

/** Canonical ISO 8601 text, or null. `format` null: ISO 8601. */
export function readMomentText(type: 'date' | 'time' | 'datetime', format: string | null, text: string): string | null {
  const parts = format === null ? matchParts(isoPatterns[type], text) : matchFormat(format, text);
  if (parts === null) return null;
  const day = type === 'time' ? 0 : dayNumber(Number(parts.year ?? 1), Number(parts.month ?? 1), Number(parts.day ?? 1));
  const minutes = type === 'date' ? 0 : minuteOfDay(parts);
  if (day === null || minutes === null) return null;
  const seconds = `${parts.second ?? '00'}${parts.milliseconds === undefined ? '' : `.${parts.milliseconds}`}`;
  if (type === 'date') return dayText(day);
  if (type === 'time') return `${minuteText(minutes)}:${seconds}`;
  const isUtc = format === null ? parts.zone !== undefined : format.includes('Z');
  const offset = zoneMinutes(parts.zone);
  if (offset === null) return null;
  const absolute = day * 1440 + minutes - offset;
  const shiftedDay = Math.floor(absolute / 1440);
  if (shiftedDay < 0 || shiftedDay > lastDay) return null;
  return `${dayText(shiftedDay)}T${minuteText(absolute - shiftedDay * 1440)}:${seconds}${isUtc ? 'Z' : ''}`;
}

function matchParts(pattern: RegExp, text: string): Parts | null {
  const match = pattern.exec(text);
  return match === null ? null : { ...match.groups };
}

/** A part that a format names twice must have the same digits both times. */
function matchFormat(format: string, text: string): Parts | null {
  let source = '';
  const seen = new Set<Group>();
  for (let index = 0; index < format.length; ) {
    const token = tokens.find(([letters]) => format.startsWith(letters, index));
    if (token === undefined) {
      const character = format[index]!;
      if (/[A-SU-Ya-z]/.test(character)) return null;
      source += character.replace(/[^A-Za-z0-9]/g, (special) => `\\u${special.charCodeAt(0).toString(16).padStart(4, '0')}`);
      index++;
      continue;
    }
    const [letters, group, digits] = token;
    source += seen.has(group) ? `\\k<${group}>` : `(?<${group}>[0-9]{${digits}})`;
    seen.add(group);
    index += letters.length;
  }
  return matchParts(new RegExp(`^${source}$`), text);
}

function minuteOfDay(parts: Parts): number | null {
  const [hour, minute, second] = [Number(parts.hour ?? 0), Number(parts.minute ?? 0), Number(parts.second ?? 0)];
  return hour > 23 || minute > 59 || second > 59 ? null : hour * 60 + minute;
}

function zoneMinutes(zone: string | undefined): number | null {
  if (zone === undefined || zone === 'Z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(4, 6))];
  if (minutes > 59 || hours * 60 + minutes > 14 * 60) return null;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

function isLeap(year: number): boolean {
  return year % 400 === 0 || (year % 4 === 0 && year % 100 !== 0);
}

function monthLengths(year: number): number[] {
  return [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
}

/** Days from 0001-01-01 to the first day of the year. */
function daysBeforeYear(year: number): number {
  const past = year - 1;
  return past * 365 + Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400);
}

const lastDay = daysBeforeYear(10_000) - 1;

/** Days since 0001-01-01, or null where there is no such day. */
function dayNumber(year: number, month: number, day: number): number | null {
  const lengths = monthLengths(year);
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > lengths[month - 1]!) return null;
  return daysBeforeYear(year) + lengths.slice(0, month - 1).reduce((sum, length) => sum + length, 0) + day - 1;
}

function dayText(day: number): string {
  let year = Math.floor(day / 366) + 1;
  while (daysBeforeYear(year + 1) <= day) year++;
  let rest = day - daysBeforeYear(year);
  let month = 0;
  const lengths = monthLengths(year);
  while (rest >= lengths[month]!) rest -= lengths[month++]!;
  return `${digits(year, 4)}-${digits(month + 1, 2)}-${digits(rest + 1, 2)}`;
}

function minuteText(minutes: number): string {
  return `${digits(Math.floor(minutes / 60), 2)}:${digits(minutes % 60, 2)}`;
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
