/**
 * What flows see of a BAI2 file: fields of the file header, of each detail with its group and its account, and of the file trailer.
 * Names are those that `--parse` prints, where it has them.
 */
import type { PackField } from '../pack.ts';

/** Of amounts in units of their currency: no currency of ISO 4217 has more digits after its point. */
export const amountScale = 4;

const text: PackField = { type: 'string' };
const count: PackField = { type: 'int' };
const date: PackField = { type: 'date' };
/** Minor units of whatever currency, as control totals add them up. */
const units: PackField = { type: 'decimal', scale: 0 };
const balance: PackField = { type: 'decimal', scale: amountScale };
const money: PackField = { ...balance, sum: true, currency: 'currency' };

export const headerFields = {
  sender: text,
  receiver: text,
  fileCreatedDate: date,
  fileCreatedTime: text,
  fileIdNumber: text,
  physicalRecordLength: count,
  blockSize: count,
  versionNumber: count,
} as const satisfies Readonly<Record<string, PackField>>;

const groupFields = {
  receiver: text,
  originator: text,
  groupStatus: count,
  asOfDate: date,
  asOfTime: text,
  asOfDateModifier: count,
} as const satisfies Readonly<Record<string, PackField>>;

/** Balances of an account by the type code of their status (Appendix A). */
export const balanceCodes = { openingLedger: 10, closingLedger: 15, openingAvailable: 40, closingAvailable: 45 } as const;

const accountFields = {
  accountNumber: { type: 'string', class: 'account', mask: 'last4' },
  currency: { type: 'string', required: true },
  openingLedger: balance,
  closingLedger: balance,
  openingAvailable: balance,
  closingAvailable: balance,
} as const satisfies Readonly<Record<string, PackField>> & Readonly<Record<keyof typeof balanceCodes, PackField>>;

const detailFields = {
  typeCode: text,
  amount: money,
  credit: money,
  debit: money,
  controlAmount: { ...units, sum: true },
  fundsType: text,
  immediateAmount: balance,
  oneDayAmount: balance,
  twoDayAmount: balance,
  valueDate: date,
  valueTime: text,
  distributions: text,
  bankReferenceNumber: text,
  customerReferenceNumber: text,
  text: { type: 'string', class: 'remittance', mask: 'all' },
  lines: { type: 'int', required: true, sum: true },
} as const satisfies Readonly<Record<string, PackField>>;

export const recordFields = {
  groupNumber: { type: 'int', required: true },
  detailNumber: { type: 'int', required: true },
  ...groupFields,
  ...accountFields,
  ...detailFields,
} as const satisfies Readonly<Record<string, PackField>>;

/** As declared, and what of the file is in no record. */
export const trailerFields = {
  fileControlTotal: units,
  numberOfGroups: count,
  numberOfRecords: count,
  groups: count,
  accounts: count,
  summaryTotal: units,
  otherLines: count,
} as const satisfies Readonly<Record<string, PackField>>;
