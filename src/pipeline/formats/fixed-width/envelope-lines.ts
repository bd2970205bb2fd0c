/** Which lines of a fixed-width file are header or trailer, by the tag in them. */
import { isHeldInBytes } from '../../engine/fields/held-numbers.ts';
import type { FixedWidthPlan, RecordPlan } from '../../engine/plan.ts';
import { textPageOf } from '../../engine/records/text-page.ts';
import { envelopeTags } from '../envelope-types.ts';
import type { LineRules } from '../line-splitter.ts';

/** Null when every record has a number. */
export function envelopeTest(format: FixedWidthPlan, records: readonly RecordPlan[]): LineRules['isEnvelope'] {
  const tags = format.discriminator === null ? null : envelopeTags(records);
  if (tags === null) return null;
  const { start: tagStart, length } = format.discriminator!;
  const wanted = new Set(tags.map(trimSpaces));
  const page = textPageOf(format);
  const isAllText = !records.some(({ fields }) => fields.some(isHeldInBytes));
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
    return wanted.has(trimSpaces(countsCharacters ? charactersOf(line) : page.decode(bytes, from, Math.min(from + length, end))));
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
