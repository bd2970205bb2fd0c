/**
 * Parts and texts of canonical dates, times and datetimes (`values.ts`). No clock and no time zone: a datetime that
 * named an offset is in UTC, any other is as written.
 */
import { ExpressionFailure } from './expression-errors.ts';

export type DatePart = 'year' | 'month' | 'day';

const partRanges: Readonly<Record<DatePart, readonly [number, number]>> = { year: [0, 4], month: [5, 7], day: [8, 10] };

/** Of a date or datetime. */
export function datePart(moment: string, part: DatePart): bigint {
  const [start, end] = partRanges[part];
  return BigInt(moment.slice(start, end));
}

const momentTokens = ['yyyy', 'SSS', 'MM', 'dd', 'HH', 'mm', 'ss'] as const;
export type MomentToken = (typeof momentTokens)[number];

/** A pattern as its tokens and literal texts, or null when it holds another letter than T or Z outside the tokens. */
export function parseMomentPattern(pattern: string): readonly ({ readonly token: MomentToken } | { readonly literal: string })[] | null {
  const parts: ({ token: MomentToken } | { literal: string })[] = [];
  for (let index = 0; index < pattern.length; ) {
    const token = momentTokens.find((candidate) => pattern.startsWith(candidate, index));
    if (token !== undefined) {
      parts.push({ token });
      index += token.length;
      continue;
    }
    const literal = pattern[index]!;
    if (/[A-Za-z]/.test(literal) && literal !== 'T' && literal !== 'Z') return null;
    parts.push({ literal });
    index++;
  }
  return parts;
}

/** Records of a flow are given the same pattern one after the other. */
let last: { readonly pattern: string; readonly parts: ReturnType<typeof parseMomentPattern> } = { pattern: '', parts: [] };

/** Of a date or datetime; a date has no hours. */
export function formatMoment(moment: string, pattern: string): string {
  if (pattern !== last.pattern) last = { pattern, parts: parseMomentPattern(pattern) };
  const { parts } = last;
  if (parts === null) throw new ExpressionFailure('unknown date pattern');
  return parts.map((part) => ('literal' in part ? part.literal : tokenText(moment, part.token))).join('');
}

function tokenText(moment: string, token: MomentToken): string {
  switch (token) {
    case 'yyyy':
      return moment.slice(0, 4);
    case 'MM':
      return moment.slice(5, 7);
    case 'dd':
      return moment.slice(8, 10);
    case 'HH':
      return timeDigits(moment, 11, 13);
    case 'mm':
      return timeDigits(moment, 14, 16);
    case 'ss':
      return timeDigits(moment, 17, 19);
    case 'SSS':
      requireTime(moment, 19);
      return moment[19] === '.' ? moment.slice(20, 23) : '000';
  }
}

function timeDigits(moment: string, start: number, end: number): string {
  requireTime(moment, end);
  return moment.slice(start, end);
}

function requireTime(moment: string, end: number): void {
  if (moment.length < end) throw new ExpressionFailure('a date has no time of day');
}
