/** The bai2 pack: settings, rules, reader, writer. What it reads and how is in docs/formats/bai2.md. */
import type { Pack, PackSettings, PackSink } from '../pack.ts';
import type { UnknownTypeCodes } from './account-records.ts';
import { Bai2Reader } from './bai2-reader.ts';
import { bai2Rules } from './bai2-rules.ts';
import { bai2SettingList } from './bai2-settings.ts';
import type { TotalsSeverity } from './control-totals.ts';
import { Bai2Writer } from './writing/bai2-writer.ts';

export const bai2Pack: Pack = {
  name: 'bai2',
  summary: 'Balance and transaction reports (BAI2, Cash Management Balance Reporting Version 2).',
  settings: bai2SettingList,
  rules: bai2Rules,
  createReader,
  writer: {
    settings: [
      {
        name: 'lineEnd',
        type: 'choice',
        choices: ['LF', 'CRLF'],
        default: 'LF',
        description: 'How lines that are written end.',
      },
      {
        name: 'recordCounts',
        type: 'choice',
        choices: ['given', 'computed'],
        default: 'given',
        description:
          'Numbers of records, which count lines: those of the document, refused where they are not those of the file, or those of the file whatever the document says.',
      },
    ],
    createDocumentWriter: (settings, sink) =>
      new Bai2Writer(
        { lineEnd: settings.get('lineEnd') === 'CRLF' ? 'CRLF' : 'LF', areLinesComputed: settings.get('recordCounts') === 'computed' },
        (readerSink) => createReader(settings, readerSink),
        sink,
      ),
  },
};

function createReader(settings: PackSettings, sink: PackSink): Bai2Reader {
  return new Bai2Reader(
    {
      totals: settings.get('totals') as TotalsSeverity,
      unknownTypeCodes: settings.get('unknownTypeCodes') as UnknownTypeCodes,
      otherVersions: settings.get('otherVersions') === true,
    },
    sink,
  );
}
