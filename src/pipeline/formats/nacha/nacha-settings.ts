/**
 * The settings of the nacha pack, as data. Most say what is done where one rule, or a few that belong together, are broken:
 * `accept` (no finding), `warn` (a finding that refuses nothing) or `refuse`.
 */
import type { FormatSetting } from '../format.ts';
import type { PackSettings } from '../pack.ts';
import { type NachaRuleId, nachaRules } from './nacha-rules.ts';

type Policy = 'accept' | 'warn' | 'refuse';
const policies: readonly Policy[] = ['accept', 'warn', 'refuse'];

interface RulePolicy {
  readonly rules: readonly NachaRuleId[];
  readonly byDefault: Policy;
  readonly description: string;
}

const rulePolicies: Readonly<Record<string, RulePolicy>> = {
  noLineBreaks: {
    rules: ['line-breaks-missing'],
    byDefault: 'accept',
    description: 'Records that follow each other without a line break.',
  },
  loneCarriageReturns: { rules: ['line-end'], byDefault: 'warn', description: 'Lines that end with CR alone.' },
  shortLines: { rules: ['line-short'], byDefault: 'warn', description: 'Lines whose trailing spaces were cut.' },
  longLines: { rules: ['line-long'], byDefault: 'warn', description: 'Lines with spaces after the 94 characters.' },
  blankLines: { rules: ['line-blank'], byDefault: 'warn', description: 'Blank lines, and the end-of-file mark of DOS.' },
  byteOrderMark: { rules: ['byte-order-mark'], byDefault: 'refuse', description: 'The byte order mark of UTF-8 before the first record.' },
  filler: {
    rules: ['filler-count', 'filler-text', 'filler-place'],
    byDefault: 'warn',
    description: 'Filler that is missing, misplaced or not of nines.',
  },
  numberFill: { rules: ['number-fill'], byDefault: 'warn', description: 'Numbers that are filled with spaces, or blank.' },
  extendedCharacters: {
    rules: ['character-extended'],
    byDefault: 'warn',
    description: 'Letters and signs of Latin-1 in UTF-8, as one character each.',
  },
  reservedFields: { rules: ['reserved'], byDefault: 'warn', description: 'Reserved fields that are not blank.' },
  priorityCode: { rules: ['priority-code'], byDefault: 'warn', description: 'A priority code other than 01.' },
  fileCreationTime: { rules: ['file-creation-time'], byDefault: 'warn', description: 'A file creation time that is none.' },
  effectiveDate: { rules: ['effective-date'], byDefault: 'warn', description: 'Effective entry dates that are none.' },
  missingFileHeader: { rules: ['file-header-missing'], byDefault: 'refuse', description: 'A file without its header.' },
  missingBatchControl: { rules: ['batch-control-missing'], byDefault: 'refuse', description: 'Batches without their control.' },
  missingFileControl: { rules: ['file-control-missing'], byDefault: 'refuse', description: 'A file without its control.' },
  noBatches: { rules: ['file-without-batches'], byDefault: 'warn', description: 'A file without batches.' },
  immediateDestination: { rules: ['immediate-destination'], byDefault: 'refuse', description: 'A destination that is no routing number.' },
  immediateOrigin: {
    rules: ['immediate-origin'],
    byDefault: 'refuse',
    description: 'An origin of zeros, or that is no routing number where `originIsRoutingNumber` asks for one.',
  },
  traceNumbers: {
    rules: ['trace-number-order', 'trace-number-odfi', 'addenda-sequence-order', 'addenda-entry-sequence'],
    byDefault: 'refuse',
    description: 'Trace numbers that do not ascend or are of another ODFI, and addenda that do not follow them.',
  },
  batchNumbers: { rules: ['batch-number-order'], byDefault: 'refuse', description: 'Batch numbers that do not ascend.' },
  returnCodes: { rules: ['return-code'], byDefault: 'refuse', description: 'Return reason codes that the Rules do not have.' },
  changeCodes: { rules: ['change-code'], byDefault: 'refuse', description: 'Change codes that the Rules do not have.' },
  checkDigits: { rules: ['check-digit'], byDefault: 'refuse', description: 'Check digits that are not those of the routing number.' },
  serviceClassMatch: {
    rules: ['service-class-match'],
    byDefault: 'refuse',
    description: 'Batch controls with another service class code than the header.',
  },
  companyIdentificationMatch: {
    rules: ['company-identification-match'],
    byDefault: 'refuse',
    description: 'Batch controls with another company identification than the header.',
  },
  addendaCounts: {
    rules: ['batch-entry-count', 'file-entry-count', 'addenda-count-field'],
    byDefault: 'refuse',
    description: 'Counts of entries and addenda that are not those of the records.',
  },
  blockCount: { rules: ['block-count'], byDefault: 'warn', description: 'A block count that is not that of the records.' },
  amounts: { rules: ['amount-zero', 'amount-nonzero'], byDefault: 'refuse', description: 'Amounts that do not fit the transaction code.' },
  transactionCodes: {
    rules: ['transaction-code', 'transaction-code-sec', 'transaction-code-service-class'],
    byDefault: 'refuse',
    description: 'Transaction codes that the Rules do not have, or not there.',
  },
  individualNames: { rules: ['individual-name'], byDefault: 'refuse', description: 'Entries without the name of the receiver.' },
};

const originIsRoutingNumber = 'originIsRoutingNumber';
const balancedOffset = 'balancedOffset';

export const nachaSettingList: readonly FormatSetting[] = [
  ...Object.entries(rulePolicies).map(
    ([name, { byDefault, description }]): FormatSetting => ({ name, type: 'choice', choices: policies, default: byDefault, description }),
  ),
  {
    name: originIsRoutingNumber,
    type: 'boolean',
    default: false,
    description: 'The immediate origin has to be a routing number with a valid check digit.',
  },
  {
    name: balancedOffset,
    type: 'choice',
    choices: ['ignore', 'allow', 'require'],
    default: 'ignore',
    description:
      'Entries named OFFSET, which balance a batch: `ignore` reads them as any other, `allow` as those of both sides and categories, `require` asks for batches whose debits and credits are equal.',
  },
];

export interface NachaSettings {
  /** What breaking a rule means; not in the map: nothing. */
  readonly severities: ReadonlyMap<NachaRuleId, 'error' | 'warn'>;
  readonly originIsRoutingNumber: boolean;
  readonly balancedOffset: 'ignore' | 'allow' | 'require';
}

/** A setting that is not given has its default. */
export function readNachaSettings(given: PackSettings): NachaSettings {
  const severities = new Map<NachaRuleId, 'error' | 'warn'>();
  for (const [rule, { severity }] of Object.entries(nachaRules)) severities.set(rule as NachaRuleId, severity);
  for (const [name, { rules, byDefault }] of Object.entries(rulePolicies)) {
    const policy = (given.get(name) ?? byDefault) as Policy;
    for (const rule of rules) {
      if (policy === 'accept') severities.delete(rule);
      else severities.set(rule, policy === 'refuse' ? 'error' : 'warn');
    }
  }
  return {
    severities,
    originIsRoutingNumber: given.get(originIsRoutingNumber) === true,
    balancedOffset: (given.get(balancedOffset) ?? 'ignore') as NachaSettings['balancedOffset'],
  };
}
