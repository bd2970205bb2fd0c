/** Reads `date('…')`, `time('…')` and `datetime('…')` of an expression, and bounds of schema fields, into canonical ISO 8601 text. */

const shapes = {
  date: /^(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)$/,
  time: /^(?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d)(?:\.(?<fraction>\d{1,3}))?)?$/,
  datetime:
    /^(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)T(?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d)(?:\.(?<fraction>\d{1,3}))?)?(?<offset>Z|[+-]\d\d:\d\d)?$/,
} as const;

/** Null when the text is no such moment. An offset is turned into UTC (`…Z`); a fraction of zero is left out. */
export function readMomentLiteral(type: 'date' | 'time' | 'datetime', text: string): string | null {
  const groups = shapes[type].exec(text)?.groups;
  if (groups === undefined) return null;
  if (type === 'date') return isDate(groups) ? text : null;
  const timeOfDay = clockText(groups);
  if (timeOfDay === null || type === 'time') return timeOfDay;
  if (!isDate(groups)) return null;
  const local = `${groups['year']}-${groups['month']}-${groups['day']}T${timeOfDay}`;
  return groups['offset'] === undefined ? local : inUtc(local, groups['offset']);
}

function isDate(groups: Record<string, string>): boolean {
  const [year, month, day] = [Number(groups['year']), Number(groups['month']), Number(groups['day'])];
  if (month < 1 || month > 12 || day < 1) return false;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return day <= days[month - 1]!;
}

function clockText(groups: Record<string, string>): string | null {
  const second = groups['second'] ?? '00';
  if (Number(groups['hour']) > 23 || Number(groups['minute']) > 59 || Number(second) > 59) return null;
  const fraction = (groups['fraction'] ?? '').padEnd(3, '0');
  return `${groups['hour']}:${groups['minute']}:${second}${fraction === '000' ? '' : `.${fraction}`}`;
}

function inUtc(local: string, offset: string): string | null {
  if (offset === 'Z') return `${local}Z`;
  const [hours, minutes] = [Number(offset.slice(1, 3)), Number(offset.slice(4, 6))];
  if (hours > 14 || minutes > 59) return null;
  const utc = Temporal.Instant.from(local + offset).toString({ fractionalSecondDigits: local.includes('.') ? 3 : 0 });
  return /^\d{4}-/.test(utc) ? utc : null;
}
