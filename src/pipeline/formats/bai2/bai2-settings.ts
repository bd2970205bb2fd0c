/** What a sender's files of BAI2 are known to do otherwise; in `headgate run` and in flows. */
import type { FormatSetting } from '../format.ts';
import type { UnknownTypeCodes } from './account-records.ts';
import type { TotalsSeverity } from './control-totals.ts';

export interface Bai2Settings {
  readonly totals: TotalsSeverity;
  readonly unknownTypeCodes: UnknownTypeCodes;
  readonly otherVersions: boolean;
}

export const bai2SettingList: readonly FormatSetting[] = [
  {
    name: 'totals',
    type: 'choice',
    choices: ['error', 'warn'],
    default: 'error',
    description: 'Whether control totals and counts that are wrong refuse the file.',
  },
  {
    name: 'unknownTypeCodes',
    type: 'choice',
    choices: ['refuse', 'warn', 'allow'],
    default: 'warn',
    description: 'Whether type codes that are neither in Appendix A nor in the range 900 to 999 refuse the file.',
  },
  {
    name: 'otherVersions',
    type: 'boolean',
    default: false,
    description: 'Reads files that declare another version number than 2 as if they declared 2.',
  },
];
