/**
 * Takes a fixed-width record apart by byte ranges. A multi-byte character is never cut in two and never shifts a column
 * unseen: a range that starts or ends inside one is E_WIDTH. Where numbers are held in bytes, the type is found first, and
 * all other bytes have to be text.
 */
import { structureErrors } from '../engine-errors.ts';
import { trimSpaces } from '../fields/field-reader.ts';
import { isHeldInBytes, readHeldBytes } from '../fields/held-numbers.ts';
import type { FieldPlan, FixedWidthPlan, Plan, RecordPlan } from '../plan.ts';
import type { RecordReader } from './record-text.ts';
import { createTypeFinder, isUntagged, unknownTag } from './record-types.ts';
import type { StructureProblem } from './structure-problem.ts';
import { type TextPage, textPageOf } from './text-page.ts';
import { createTextCheck, hasNumbersInBytes, type TextCheck } from './text-spans.ts';
import { receivedTable } from './window-bytes.ts';

export const cutCharacter: StructureProblem = { code: structureErrors.E_WIDTH, message: 'a field boundary cuts a character' };
const space = 0x20;

interface Range {
  readonly start: number;
  readonly length: number;
}

/** `usage` null: text. */
interface FieldRange extends Range {
  readonly usage: 'packed' | 'binary' | null;
}

interface RecordRanges {
  readonly width: number;
  readonly fields: readonly FieldRange[];
  /** Null: that all of it is text was looked at already. */
  readonly checkText: TextCheck | null;
}

export function createFixedWidthReader(plan: Plan, format: FixedWidthPlan): RecordReader {
  const findType = createTypeFinder(plan, trimSpaces);
  const tagRange = isUntagged(plan) ? null : format.discriminator;
  const page = textPageOf(format);
  const received = receivedTable(format);
  const hasBytes = hasNumbersInBytes(plan.records);
  const readText = rangeReader(page, hasBytes);
  const layouts = plan.records.map((record) => rangesOf(record, format, hasBytes));
  return (bytes, start, end, into) => {
    into.type = findType(tagRange === null ? null : tagText(readText(bytes, { start, end }, tagRange)));
    if (into.type < 0) return unknownTag;
    const { width, fields, checkText } = layouts[into.type]!;
    const unreadable = checkText === null ? null : checkText(bytes, start, end);
    if (unreadable !== null) {
      into.type = -1;
      return unreadable;
    }
    const missing = width - (end - start);
    if ((missing > 0 && format.shortLines === 'reject') || !isAllSpaces(bytes, start + width, end))
      return { code: structureErrors.E_WIDTH, message: `expected ${width} bytes, found ${end - start}` };
    for (let index = 0; index < fields.length; index++) {
      const field = fields[index]!;
      into.kinds[index] = 'text';
      if (field.usage === null) {
        const text = readText(bytes, { start, end }, field);
        if (text === null) return cutCharacter;
        into.texts[index] = text;
        continue;
      }
      const range = { start: start + field.start, end: start + field.start + field.length, received };
      into.texts[index] = range.end > end ? null : readHeldBytes(field.usage, bytes, range);
      if (into.texts[index] !== null) continue;
      // A record that was too short for it holds nothing of it, or a part that is none.
      if (range.start >= end) continue;
      into.kinds[index] = 'unreadable';
      into.texts[index] = hexText(bytes, range.start, Math.min(range.end, end), received);
    }
    return null;
  };
}

function rangesOf(record: RecordPlan, format: FixedWidthPlan, hasBytes: boolean): RecordRanges {
  const fields = record.fields.map((field) => ({
    ...rangeOf(field),
    usage: isHeldInBytes(field) ? (field.usage as 'packed' | 'binary') : null,
  }));
  return {
    width: recordWidth(record, format),
    fields,
    checkText: hasBytes ? createTextCheck(record, format) : null,
  };
}

/** A number that can't be read, as the bytes of the file. */
function hexText(bytes: Buffer, start: number, end: number, received: Uint8Array | null): string {
  const own = bytes.subarray(start, end);
  return `0x${(received === null ? own : Buffer.from(own.map((byte) => received[byte]!))).toString('hex')}`;
}

export function rangeOf(field: FieldPlan): Range {
  if (!('start' in field.at)) throw new Error(`field ${JSON.stringify(field.name)} has no byte range`);
  return field.at;
}

/** Bytes (or characters, by the format) of a record of this type without the line end. */
export function recordWidth(record: RecordPlan, format: FixedWidthPlan): number {
  return format.recordLength ?? Math.max(0, ...record.fields.map((field) => rangeOf(field).start + rangeOf(field).length));
}

function isAllSpaces(bytes: Uint8Array, start: number, end: number): boolean {
  for (let index = start; index < end; index++) if (bytes[index] !== space) return false;
  return true;
}

interface Place {
  readonly start: number;
  readonly end: number;
}

function tagText(text: string | null): string | null {
  return text === null ? null : trimSpaces(text);
}

/** Gives the text of a range, as if spaces followed the record; null when a boundary cuts a character. */
function rangeReader(page: TextPage, hasBytes: boolean): (bytes: Buffer, record: Place, range: Range) => string | null {
  const isCut = page.isSingleByte ? () => false : hasBytes ? isUnreadable : startsInside;
  return (bytes, { start, end }, range) => {
    const from = Math.min(start + range.start, end);
    const to = Math.min(start + range.start + range.length, end);
    if (isCut(bytes, from, to, end)) return null;
    const text = page.decode(bytes, from, to);
    const missing = range.length - (to - from);
    return missing > 0 ? text + ' '.repeat(missing) : text;
  };
  // What follows may be no text.
  function isUnreadable(bytes: Buffer, from: number, to: number): boolean {
    return page.firstUnreadable(bytes, from, to) >= 0;
  }
}

function startsInside(bytes: Buffer, from: number, to: number, end: number): boolean {
  return isContinuation(bytes, from, end) || isContinuation(bytes, to, end);
}

function isContinuation(bytes: Uint8Array, index: number, end: number): boolean {
  return index < end && (bytes[index]! & 0xc0) === 0x80;
}
