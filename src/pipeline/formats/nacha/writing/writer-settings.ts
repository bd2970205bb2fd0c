/** The settings of the writer of ACH files, besides those of their reader, which looks at all that is written. */
import type { FormatSetting } from '../../format.ts';
import type { PackSettings } from '../../pack.ts';
import { type LineEndName, lineEndNames } from '../line-ends.ts';

export const writerSettingList: readonly FormatSetting[] = [
  {
    name: 'lineEnd',
    type: 'choice',
    choices: ['document', ...lineEndNames],
    default: 'document',
    description:
      'How lines end: as the document says (LF where it says nothing), or each with LF, CRLF, CR or none, with 94 columns and nothing between records, whatever the document says.',
  },
  {
    name: 'computed',
    type: 'choice',
    choices: ['refuse', 'keep'],
    default: 'refuse',
    description: 'Counts, totals and hashes of the document that are not those of its records.',
  },
  {
    name: 'findings',
    type: 'choice',
    choices: ['refuse', 'keep'],
    default: 'refuse',
    description: 'What the reader refuses, with its settings, in the file that is written.',
  },
];

export interface WriterSettings {
  /** Null: as the document says. */
  readonly lineEnd: LineEndName | null;
  readonly keepsComputed: boolean;
  readonly keepsFindings: boolean;
}

/** A setting that is not given has its default. */
export function readWriterSettings(given: PackSettings): WriterSettings {
  const lineEnd = given.get('lineEnd') ?? 'document';
  return {
    lineEnd: lineEnd === 'document' ? null : (lineEnd as LineEndName),
    keepsComputed: given.get('computed') === 'keep',
    keepsFindings: given.get('findings') === 'keep',
  };
}
