/**
 * The check that bytes are text, for record types in which some bytes are numbers: those are left out. What it refuses is a
 * record of unknown type, as wherever text can't be read.
 */
import { isHeldInBytes } from '../fields/held-numbers.ts';
import type { FormatPlan, RecordPlan } from '../plan.ts';
import type { StructureProblem } from './structure-problem.ts';
import { textPageOf } from './text-page.ts';
import { nulCharacter } from './utf8.ts';

interface Span {
  readonly start: number;
  readonly end: number;
}

/** Of the record in `bytes` from `start` to `end`; null: its text can be read. */
export type TextCheck = (bytes: Buffer, start: number, end: number) => StructureProblem | null;

export function hasNumbersInBytes(records: readonly RecordPlan[]): boolean {
  return records.some(({ fields }) => fields.some(isHeldInBytes));
}

/** Bytes that are no text first, then NUL, as of records that are all text. */
export function createTextCheck(record: RecordPlan, format: FormatPlan): TextCheck {
  const page = textPageOf(format);
  const spans = textSpans(record);
  return (bytes, start, end) => {
    let hasNul = false;
    for (const span of spans) {
      const [from, to] = [Math.min(start + span.start, end), Math.min(start + span.end, end)];
      const at = page.firstUnreadable(bytes, from, to);
      if (at >= 0) return page.unreadableProblem(at - start);
      hasNul ||= bytes.subarray(from, to).includes(0);
    }
    return hasNul ? nulCharacter : null;
  };
}

/** Around the numbers, in order, the last without an end. */
function textSpans({ fields }: RecordPlan): Span[] {
  const numbers = fields.flatMap((field) => (isHeldInBytes(field) && 'start' in field.at ? [field.at] : []));
  const spans: Span[] = [];
  let at = 0;
  for (const { start, length } of numbers.toSorted((a, b) => a.start - b.start)) {
    if (start > at) spans.push({ start: at, end: start });
    at = Math.max(at, start + length);
  }
  return [...spans, { start: at, end: Number.POSITIVE_INFINITY }];
}
