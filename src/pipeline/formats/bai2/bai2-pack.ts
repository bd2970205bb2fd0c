/** The bai2 pack: settings, rules, reader. What it reads and how is in docs/formats/bai2.md. */
import type { Pack } from '../pack.ts';
import type { UnknownTypeCodes } from './account-records.ts';
import { Bai2Reader } from './bai2-reader.ts';
import { bai2Rules } from './bai2-rules.ts';
import { bai2SettingList } from './bai2-settings.ts';
import type { TotalsSeverity } from './control-totals.ts';

export const bai2Pack: Pack = {
  name: 'bai2',
  summary: 'Balance and transaction reports (BAI2, Cash Management Balance Reporting Version 2).',
  settings: bai2SettingList,
  rules: bai2Rules,
  createReader: (settings, sink) =>
    new Bai2Reader(
      {
        totals: settings.get('totals') as TotalsSeverity,
        unknownTypeCodes: settings.get('unknownTypeCodes') as UnknownTypeCodes,
        otherVersions: settings.get('otherVersions') === true,
      },
      sink,
    ),
};
