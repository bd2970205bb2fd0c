/**
 * Takes a fixed-width record apart by byte ranges. A multi-byte character is never cut in two and never shifts a column
 * unseen: a range that starts or ends inside one is E_WIDTH.
 */
import { structureErrors } from '../engine-errors.ts';
import { trimSpaces } from '../fields/field-reader.ts';
import type { FieldPlan, FixedWidthPlan, Plan, RecordPlan } from '../plan.ts';
import type { RecordReader } from './record-text.ts';
import { createTypeFinder, isUntagged, unknownTag } from './record-types.ts';
import type { StructureProblem } from './structure-problem.ts';
import { decodeUtf8 } from './utf8.ts';

const cutCharacter: StructureProblem = { code: structureErrors.E_WIDTH, message: 'a field boundary cuts a character' };
const space = 0x20;

export function createFixedWidthReader(plan: Plan, format: FixedWidthPlan): RecordReader {
  const findType = createTypeFinder(plan, trimSpaces);
  const tagRange = isUntagged(plan) ? null : format.discriminator;
  const ranges = plan.records.map((record) => record.fields.map(rangeOf));
  const widths = plan.records.map((record) => recordWidth(record, format));
  return (bytes, start, end, into) => {
    into.type = findType(tagRange === null ? null : rangeText(bytes, start, end, { ...tagRange, isTag: true }));
    if (into.type < 0) return unknownTag;
    const width = widths[into.type]!;
    const missing = width - (end - start);
    if ((missing > 0 && format.shortLines === 'reject') || !isAllSpaces(bytes, start + width, end))
      return { code: structureErrors.E_WIDTH, message: `expected ${width} bytes, found ${end - start}` };
    const fields = ranges[into.type]!;
    for (let index = 0; index < fields.length; index++) {
      const text = rangeText(bytes, start, end, { ...fields[index]!, isTag: false });
      if (text === null) return cutCharacter;
      into.texts[index] = text;
      into.kinds[index] = 'text';
    }
    return null;
  };
}

function rangeOf(field: FieldPlan): { readonly start: number; readonly length: number } {
  if (!('start' in field.at)) throw new Error(`field ${JSON.stringify(field.name)} has no byte range`);
  return field.at;
}

/** Bytes of a record of this type without the line end. */
export function recordWidth(record: RecordPlan, format: FixedWidthPlan): number {
  return format.recordLength ?? Math.max(0, ...record.fields.map((field) => rangeOf(field).start + rangeOf(field).length));
}

function isAllSpaces(bytes: Uint8Array, start: number, end: number): boolean {
  for (let index = start; index < end; index++) if (bytes[index] !== space) return false;
  return true;
}

/** Text of a range, as if spaces followed the record; null when a boundary cuts a character. A tag is read without its spaces. */
function rangeText(
  bytes: Buffer,
  start: number,
  end: number,
  range: { readonly start: number; readonly length: number; readonly isTag: boolean },
): string | null {
  const from = Math.min(start + range.start, end);
  const to = Math.min(from + range.length, end, start + range.start + range.length);
  if (isContinuation(bytes, from, end) || isContinuation(bytes, to, end)) return null;
  const text = decodeUtf8(bytes, from, Math.max(from, to));
  if (range.isTag) return trimSpaces(text);
  return text.length === 0 && range.length > 0 ? ' '.repeat(range.length) : padBytes(text, range.length - (Math.max(from, to) - from));
}

function padBytes(text: string, missing: number): string {
  return missing > 0 ? text + ' '.repeat(missing) : text;
}

function isContinuation(bytes: Uint8Array, index: number, end: number): boolean {
  return index < end && (bytes[index]! & 0xc0) === 0x80;
}
