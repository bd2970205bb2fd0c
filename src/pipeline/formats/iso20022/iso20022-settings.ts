/** What a receiver may lay down, as data, and what follows of it for a finding. */
import type { FormatSetting } from '../format.ts';
import type { PackSettings } from '../pack.ts';
import type { PackFinding } from '../pack-finding.ts';

const severities = ['error', 'warn'] as const;

export const messageSetting = 'message';
export const statusesSetting = 'statuses';

export const iso20022Settings: readonly FormatSetting[] = [
  {
    name: messageSetting,
    type: 'choice',
    choices: ['pain.001', 'pain.002', 'pain.008', 'pacs.002', 'pacs.004', 'pacs.008', 'pacs.009', 'camt.052', 'camt.053', 'camt.054'],
    default: null,
    description: 'Which messages are expected, in any of their versions; others are refused. Without it any is read. A flow needs it.',
  },
  {
    name: statusesSetting,
    type: 'choice',
    choices: ['transactions', 'all'],
    default: 'transactions',
    description:
      'pain.002 in flows: whether records are the statuses of transactions, or those of the message and of its payment informations too.',
  },
  {
    name: 'totals',
    type: 'choice',
    choices: severities,
    default: 'error',
    description: 'What a number of transactions, a control sum, a settlement total or a balance that does not agree is.',
  },
  {
    name: 'codes',
    type: 'choice',
    choices: severities,
    default: 'error',
    description: 'What an IBAN, BIC, LEI, ISIN, country or currency is that the schema takes, but its standard does not.',
  },
  {
    name: 'currencyDecimals',
    type: 'choice',
    choices: severities,
    default: 'error',
    description: 'What an amount with more decimals than its currency has is.',
  },
  {
    name: 'characters',
    type: 'choice',
    choices: ['any', 'latin'],
    default: 'any',
    description: 'Which characters texts may have: any, or the basic Latin set of the European Payments Council.',
  },
];

/** Settings whose value is the severity of rules. */
const settingOfRule: ReadonlyMap<string, string> = new Map([
  ...[
    'group-count',
    'group-sum',
    'payment-count',
    'payment-sum',
    'settlement-total',
    'settlement-currency',
    'balance',
    'entry-count',
    'entry-sum',
    'entry-net',
  ].map((rule) => [rule, 'totals'] as const),
  ...['iban', 'bic', 'lei', 'isin', 'country', 'currency'].map((rule) => [rule, 'codes'] as const),
  ['currency-decimals', 'currencyDecimals'],
]);

export function severityOf(rule: string, settings: PackSettings): PackFinding['severity'] {
  // Readers of all kinds take it, and the value of the transaction is the more precise one.
  if (rule === 'both-levels') return 'warn';
  const setting = settingOfRule.get(rule);
  return setting !== undefined && settings.get(setting) === 'warn' ? 'warn' : 'error';
}
