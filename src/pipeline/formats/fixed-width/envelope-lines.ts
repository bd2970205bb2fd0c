/** Which lines of a fixed-width file are header or trailer, by the tag in them. */
import type { FixedWidthPlan, RecordPlan } from '../../engine/plan.ts';
import { textPageOf } from '../../engine/records/text-page.ts';
import { createTextCheck, hasNumbersInBytes } from '../../engine/records/text-spans.ts';
import { envelopeTags, isNumbered } from '../envelope-types.ts';
import type { LineRules } from '../line-splitter.ts';

/** Null when every record has a number. */
export function envelopeTest(format: FixedWidthPlan, records: readonly RecordPlan[]): LineRules['isEnvelope'] {
  if (format.discriminator === null || envelopeTags(records) === null) return null;
  const { start: tagStart, length } = format.discriminator;
  const wanted = new Map(
    records.flatMap((record) => (isNumbered(record) ? [] : [[trimSpaces(record.tag ?? ''), createTextCheck(record, format)]])),
  );
  const page = textPageOf(format);
  const isAllText = !hasNumbersInBytes(records);
  const countsCharacters = format.positions === 'characters';
  return (bytes, start, end) => {
    // Up to the end of an ASCII tag that stands behind ASCII, positions of bytes and characters are the same.
    const from = countsCharacters ? start : Math.min(start + tagStart, end);
    const looked = bytes.toString('latin1', from, Math.min(start + tagStart + length, end));
    const tag = countsCharacters ? looked.slice(tagStart) : looked;
    if (!wanted.has(trimSpaces(tag)) && !/[^\0-\x7f]/.test(looked)) return false;
    const line = bytes.subarray(start, end);
    // A line that the engine rejects before it reads the tag is a record of unknown type, so it has a number.
    if (isAllText && (page.firstUnreadable(line, 0, line.length) >= 0 || line.includes(0))) return false;
    const found = trimSpaces(countsCharacters ? charactersOf(line) : page.decode(bytes, from, Math.min(from + length, end)));
    return isAllText ? wanted.has(found) : wanted.get(found)?.(bytes, start, end) === null;
  };

  function charactersOf(line: Buffer): string {
    return Array.from(line.toString('utf8'))
      .slice(tagStart, tagStart + length)
      .join('');
  }
}

function trimSpaces(text: string): string {
  return text.replace(/^ +| +$/g, '');
}
