/**
 * What flows see of a file of SWIFT MT messages: fields of each entry of a statement with its message, or of each payment with
 * what an MT 101 says of all of its payments, and of a trailer that the pack makes, since a file has none.
 */
import type { PackField } from '../pack.ts';

/** No currency of ISO 4217 has more digits after its point. */
export const amountScale = 4;
const rateScale = 12;

const text: PackField = { type: 'string' };
const count: PackField = { type: 'int', required: true };
const date: PackField = { type: 'date' };
const balance: PackField = { type: 'decimal', scale: amountScale };
const money: PackField = { ...balance, sum: true, currency: 'currency' };
const account: PackField = { type: 'string', class: 'account', mask: 'last4' };
const name: PackField = { type: 'string', class: 'name', mask: 'all' };
const remittance: PackField = { type: 'string', class: 'remittance', mask: 'all' };

/** By the mark of an entry: where its amount is once more. */
export const markFields = {
  D: 'debit',
  C: 'credit',
  RD: 'reversedDebit',
  RC: 'reversedCredit',
  ED: 'expectedDebit',
  EC: 'expectedCredit',
} as const;

export const entryFields = {
  messageNumber: count,
  entryNumber: count,
  messageType: text,
  transactionReference: text,
  relatedReference: text,
  accountIdentification: account,
  identifierCode: text,
  statementNumber: text,
  sequenceNumber: text,
  currency: text,
  openingBalance: balance,
  openingBalanceDate: date,
  valueDate: { ...date, required: true },
  entryDate: date,
  mark: text,
  fundsCode: text,
  amount: { ...money, required: true },
  debit: money,
  credit: money,
  reversedDebit: money,
  reversedCredit: money,
  expectedDebit: money,
  expectedCredit: money,
  bookedAmount: money,
  transactionType: text,
  customerReference: text,
  bankReference: text,
  supplementaryDetails: remittance,
  information: remittance,
  closingBalance: balance,
} as const satisfies Readonly<Record<string, PackField>> & Readonly<Record<(typeof markFields)[keyof typeof markFields], PackField>>;

export const paymentFields = {
  messageNumber: count,
  paymentNumber: count,
  messageType: text,
  senderReference: text,
  transactionReference: text,
  relatedReference: text,
  customerReference: text,
  messageIndex: text,
  authorisation: remittance,
  requestedDate: date,
  valueDate: date,
  currency: text,
  amount: money,
  instructedCurrency: text,
  instructedAmount: balance,
  exchangeRate: { type: 'decimal', scale: rateScale },
  dealReference: text,
  operationCode: text,
  instructionCodes: text,
  transactionTypeCode: text,
  timeIndications: text,
  instructingParty: name,
  orderingAccount: account,
  orderingCustomer: name,
  sendingInstitution: text,
  orderingInstitution: text,
  sendersCorrespondent: text,
  receiversCorrespondent: text,
  thirdReimbursementInstitution: text,
  intermediary: text,
  accountWithInstitution: text,
  beneficiaryInstitution: text,
  beneficiaryAccount: account,
  beneficiary: name,
  remittanceInformation: remittance,
  chargesCode: text,
  sendersCharges: text,
  receiversCharges: text,
  chargesAccount: account,
  senderToReceiver: remittance,
  regulatoryReporting: remittance,
  envelopeContents: remittance,
  coverOrderingInstitution: text,
  coverIntermediary: text,
  coverAccountWithInstitution: text,
  coverSenderToReceiver: remittance,
} as const satisfies Readonly<Record<string, PackField>>;

export const entryTrailerFields = {
  messages: count,
  entries: count,
  balanceChange: { ...balance, required: true },
} as const satisfies Readonly<Record<string, PackField>>;

export const paymentTrailerFields = { messages: count, payments: count } as const satisfies Readonly<Record<string, PackField>>;
