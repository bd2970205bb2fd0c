/** The fixed-width format: settings, documentation, splitter. */
import { isUtf8 } from 'node:buffer';
import type { FixedWidthPlan, RecordPlan } from '../../engine/plan.ts';
import { envelopeTags } from '../envelope-types.ts';
import { type Format, skipBlankLinesSetting } from '../format.ts';
import { createLineSplitter, type LineRules } from '../line-splitter.ts';

export const fixedWidthFormat: Format<FixedWidthPlan> = {
  name: 'fixed-width',
  summary: 'One record a line, fields at byte positions.',
  documentation:
    'Positions and lengths of fields are bytes, counted from 1. A line ends at LF or CR LF. With several record types, `discriminator` says where each ' +
    "line's tag is. A line must be as wide as its record type; spaces beyond that are allowed. A multi-byte character that a field boundary would cut is an error, not a shift.",
  settings: [
    skipBlankLinesSetting,
    {
      name: 'discriminator',
      type: 'position',
      default: null,
      description: 'Where the record tag is: `{ start, length }`, start counted from 1.',
    },
    {
      name: 'recordLength',
      type: 'integer',
      default: null,
      description: 'Bytes of a record without its line end; by default as many as its fields need.',
    },
    {
      name: 'shortLines',
      type: 'choice',
      choices: ['reject', 'pad'],
      default: 'reject',
      description: 'A line that is too short is rejected, or read as if spaces followed.',
    },
  ],
  createSplitter: (format, records, options) =>
    createLineSplitter({ skipBlankLines: format.skipBlankLines, isEnvelope: envelopeTest(format, records) }, options),
};

function envelopeTest(format: FixedWidthPlan, records: readonly RecordPlan[]): LineRules['isEnvelope'] {
  const tags = format.discriminator === null ? null : envelopeTags(records);
  if (tags === null) return null;
  const { start: tagStart, length } = format.discriminator!;
  const wanted = new Set(tags.map(trimSpaces));
  return (bytes, start, end) => {
    const tag = bytes.toString('latin1', Math.min(start + tagStart, end), Math.min(start + tagStart + length, end));
    if (!wanted.has(trimSpaces(tag)) && !/[^\0-\x7f]/.test(tag)) return false;
    return isEnvelopeLine(bytes.subarray(start, end), tagStart, length, wanted);
  };
}

/** A line that the engine would reject before it reads the tag is a record of unknown type, so it has a number. */
function isEnvelopeLine(line: Buffer, tagStart: number, length: number, wanted: ReadonlySet<string>): boolean {
  if (!isUtf8(line) || line.includes(0)) return false;
  return wanted.has(trimSpaces(line.subarray(tagStart, tagStart + length).toString('utf8')));
}

function trimSpaces(text: string): string {
  return text.replace(/^ +| +$/g, '');
}
