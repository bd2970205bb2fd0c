/** The tenant of the story of the banks: a flow for each of four formats, which take files from folders and answer where they can. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PackName } from '../../pipeline/formats/pack.ts';

export const banksTenant = 'story-of-banks';

/** Below the tenant's folder. */
export const folderNames = ['in', 'out', 'answers'] as const;

export const flowOf: Readonly<Record<PackName, string>> = {
  nacha: 'ach-payroll',
  iso20022: 'credit-transfers',
  bai2: 'balance-reports',
  'swift-mt': 'account-statements',
};

interface FlowParts {
  readonly match: string;
  readonly format: string;
  readonly more: readonly string[];
  readonly set: string;
}

const shared = { account: '', amount: 'record.amount', currency: 'record.currency' } as const;

function shape(values: Readonly<Record<string, string>>): string {
  return `{ ${Object.entries({ ...shared, ...values })
    .map(([name, source]) => `${name}: "${source}"`)
    .join(', ')} }`;
}

const cents = (source: string) => `div(${source}, 1, 2, 'half-even')`;

const flows: Readonly<Record<PackName, FlowParts>> = {
  nacha: {
    match: '*.ach',
    format: '{ type: nacha }',
    more: [
      'validate: [{ id: account-open, assert: "!record.DFIAccountNumber.startsWith(\'000\')", code: R02, message: "The account is closed" }]',
      'acknowledge: { format: nacha, levels: [record], to: drop, path: answers, name: "{file}.returns.{extension}" }',
    ],
    set: shape({ id: 'record.traceNumber', account: 'record.DFIAccountNumber' }),
  },
  iso20022: {
    match: '*.xml',
    format: '{ type: iso20022, message: pain.001 }',
    more: [
      'schema: { record: { fields: { amount: { type: decimal, scale: 2 } } } }',
      'acceptance: { onDamage: reject }',
      'acknowledge: { format: pain.002, levels: [record], to: drop, path: answers, name: "{file}.status.{extension}" }',
    ],
    set: shape({ id: 'record.endToEndId', account: 'record.creditorIban' }),
  },
  bai2: {
    match: '*.bai',
    format: '{ type: bai2 }',
    more: [],
    set: shape({ id: 'record.bankReferenceNumber', account: 'record.accountNumber', amount: cents('record.amount') }),
  },
  'swift-mt': {
    match: '*.sta',
    format: '{ type: swift-mt, messages: statements }',
    more: [],
    set: shape({ id: 'record.customerReference', account: 'record.accountIdentification', amount: cents('record.amount') }),
  },
};

/** Connection and flows, as text. */
export function banksDocuments(root: string): string[] {
  const connection = `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: ${banksTenant}, name: banks }\nspec: { type: folder, root: ${JSON.stringify(root)} }\n`;
  return [
    connection,
    ...Object.entries(flows).map(
      ([name, { match, format, more, set }]) => `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: ${banksTenant}, service: payments, name: ${flowOf[name as PackName]}, version: 1.0.0 }
spec:
  sources: [{ id: drop, type: folder, connection: banks, path: in, match: "${match}", poll: 1s, ready: { stableFor: 1s } }]
  format: ${format}
${more.map((line) => `  ${line}\n`).join('')}  transform: [{ id: shape, set: ${set} }]
  routes: { default: { to: [ledger] } }
  targets: { ledger: { type: file, connection: banks, path: out, format: ndjson, name: "{file}-{number}.ndjson" } }
`,
    ),
  ];
}

export function makeFolders(root: string): void {
  for (const name of folderNames) mkdirSync(join(root, name), { recursive: true });
}
