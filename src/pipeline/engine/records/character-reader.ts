/** Takes a fixed-width record of UTF-8 apart by positions of characters (code points): one of several bytes shifts nothing. */
import { structureErrors } from '../engine-errors.ts';
import { trimSpaces } from '../fields/field-reader.ts';
import type { FixedWidthPlan, Plan } from '../plan.ts';
import { rangeOf, recordWidth } from './fixed-width-reader.ts';
import type { RecordReader } from './record-text.ts';
import { createTypeFinder, isUntagged, unknownTag } from './record-types.ts';
import { decodeUtf8 } from './utf8.ts';

export function createCharacterReader(plan: Plan, format: FixedWidthPlan): RecordReader {
  const findType = createTypeFinder(plan, trimSpaces);
  const tagRange = isUntagged(plan) ? null : format.discriminator;
  const ranges = plan.records.map((record) => record.fields.map(rangeOf));
  const widths = plan.records.map((record) => recordWidth(record, format));
  return (bytes, start, end, into) => {
    const characters = charactersOf(decodeUtf8(bytes, start, end), end - start);
    const slice = (from: number, length: number) =>
      typeof characters === 'string' ? characters.slice(from, from + length) : characters.slice(from, from + length).join('');
    into.type = findType(tagRange === null ? null : trimSpaces(slice(tagRange.start, tagRange.length)));
    if (into.type < 0) return unknownTag;
    const width = widths[into.type]!;
    const count = characters.length;
    if ((count < width && format.shortLines === 'reject') || /[^ ]/.test(slice(width, count)))
      return { code: structureErrors.E_WIDTH, message: `expected ${width} characters, found ${count}` };
    for (const [index, range] of ranges[into.type]!.entries()) {
      const missing = Math.max(0, range.length - Math.max(0, count - range.start));
      into.texts[index] = slice(range.start, range.length) + ' '.repeat(missing);
      into.kinds[index] = 'text';
    }
    return null;
  };
}

/** A text of as many units as bytes is ASCII, and its own list of characters. */
function charactersOf(text: string, bytes: number): string | readonly string[] {
  return text.length === bytes ? text : Array.from(text);
}
