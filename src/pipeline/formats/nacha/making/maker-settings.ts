/** The settings of what makes ACH files of others. */
import type { FormatSetting } from '../../format.ts';
import type { PackSettings } from '../../pack.ts';

export const mergeSettingList: readonly FormatSetting[] = [
  {
    name: 'linesMax',
    type: 'integer',
    default: null,
    description: 'Most lines of a file that is made, filler among them; what is more goes to another file. Without it: no limit.',
  },
  {
    name: 'amountMaxDollars',
    type: 'integer',
    default: null,
    description:
      'Most that the debits of a file that is made come to, and most that its credits do; what is more goes to another file. Without it: no limit.',
  },
];

export interface MergeLimits {
  readonly linesMax: number | null;
  readonly centsMax: bigint | null;
}

export function readMergeLimits(given: PackSettings): MergeLimits {
  const dollars = given.get('amountMaxDollars') ?? null;
  return {
    linesMax: (given.get('linesMax') ?? null) as number | null,
    centsMax: dollars === null ? null : BigInt(dollars) * 100n,
  };
}

export const answerSettingList: readonly FormatSetting[] = [
  {
    name: 'firstSequence',
    type: 'integer',
    default: 1,
    description: 'The last seven digits of the first trace number of the answers; each other has one more.',
  },
];

export function readFirstSequence(given: PackSettings): number {
  return (given.get('firstSequence') ?? 1) as number;
}
