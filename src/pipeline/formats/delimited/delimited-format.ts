/** The delimited format: settings, documentation, splitter. */
import type { DelimitedPlan } from '../../engine/plan.ts';
import { encodingSetting, type Format, skipBlankLinesSetting } from '../format.ts';
import { createDelimitedSplitter } from './delimited-splitter.ts';

export const delimitedFormat: Format<DelimitedPlan> = {
  name: 'delimited',
  summary: 'Fields between delimiters (CSV, RFC 4180 and its dialects).',
  documentation:
    'A record ends at LF or CR LF outside quotes; fields may hold delimiters, quotes and line ends inside quotes. A quote opens a field only at its first byte. With a header row, fields are found by the name of ' +
    'their column. A quote in the wrong place rejects that record; a quote that is never closed holds the file.',
  settings: [
    encodingSetting,
    { name: 'delimiter', type: 'byte', default: ',', description: 'The byte between fields; `\\t` for a tab.' },
    { name: 'quote', type: 'byte', default: '"', description: 'The byte around quoted fields; empty for none.' },
    {
      name: 'escape',
      type: 'byte',
      default: null,
      description: 'The byte that makes a quote inside quotes content; by default `quote` itself: quotes are doubled.',
    },
    { name: 'comment', type: 'byte', default: '', description: 'A line that starts with this byte is no record; empty for none.' },
    { name: 'header', type: 'boolean', default: false, description: 'The first record names the columns.' },
    {
      name: 'columns',
      type: 'choice',
      choices: ['exact', 'lenient'],
      default: 'exact',
      description: 'A record with more or fewer fields is rejected, or missing ones are absent and others ignored.',
    },
    {
      ...skipBlankLinesSetting,
      default: null,
      description: `${skipBlankLinesSetting.description} Where nothing is said: true, but false where the schema has one field.`,
    },
    { name: 'discriminator', type: 'position', default: null, description: 'The column, counted from 1, that holds the record tag.' },
  ],
  createSplitter: createDelimitedSplitter,
};
