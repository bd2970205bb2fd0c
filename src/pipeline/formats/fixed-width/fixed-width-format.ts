/** The fixed-width format: settings, documentation, splitter. */
import type { FixedWidthPlan } from '../../engine/plan.ts';
import { isWithoutLineEnds } from '../../engine/records/window-bytes.ts';
import { encodingSetting, type Format, skipBlankLinesSetting } from '../format.ts';
import { createLengthSplitter } from '../length-splitter.ts';
import { createLineSplitter } from '../line-splitter.ts';
import { envelopeTest } from './envelope-lines.ts';

export const fixedWidthFormat: Format<FixedWidthPlan> = {
  name: 'fixed-width',
  summary: 'One record a line, or records of one length without line ends; fields at positions.',
  documentation:
    'Positions and lengths of fields are bytes, or characters where `positions` says so, counted from 1. A line ends at LF or CR LF, in EBCDIC at NL or LF. With several record types, `discriminator` says where each ' +
    "line's tag is. A line must be as wide as its record type; spaces beyond that are allowed. A multi-byte character that a field boundary would cut is an error, not a shift. Without line ends, fields may hold packed decimals and binary numbers.",
  settings: [
    encodingSetting,
    {
      name: 'positions',
      type: 'choice',
      choices: ['bytes', 'characters'],
      default: 'bytes',
      description: 'What positions and lengths count; the same in encodings of one byte a character.',
    },
    {
      name: 'lineEnds',
      type: 'boolean',
      default: true,
      description: 'Records end with line ends; false: they follow each other, each of `recordLength` bytes.',
    },
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
      description: 'Bytes (or characters) of a record without its line end; by default as many as its fields need.',
    },
    {
      name: 'shortLines',
      type: 'choice',
      choices: ['reject', 'pad'],
      default: 'reject',
      description: 'A line that is too short is rejected, or read as if spaces followed.',
    },
  ],
  createSplitter(format, records, options) {
    const isEnvelope = envelopeTest(format, records);
    if (isWithoutLineEnds(format)) return createLengthSplitter(format, isEnvelope, options);
    return createLineSplitter(format, { skipBlankLines: format.skipBlankLines, isEnvelope }, options);
  },
};
