/**
 * Why a payment was not accepted, in the codes that status reports have: one table from rules and error codes to the external
 * code set. Source: ISO 20022 External Code Sets, ExternalStatusReason1Code.
 */
import type { PackFinding } from '../../pack-finding.ts';
import { statusReasons } from './status-reason-set.ts';

export interface StatusReason {
  /** A code of the set, such as `AC01`. */
  readonly code: string;
  /** For people; written in lines of 105 characters. */
  readonly information: string;
}

/** The codes that are used, by their names in the set. */
export const reasonNames = {
  AC01: 'IncorrectAccountNumber',
  AM05: 'Duplication',
  AM10: 'InvalidControlSum',
  AM11: 'InvalidTransactionCurrency',
  AM12: 'InvalidAmount',
  AM16: 'InvalidGroupControlSum',
  AM17: 'InvalidPaymentInfoControlSum',
  AM19: 'InvalidGroupNumberOfTransactions',
  AM20: 'InvalidPaymentInfoNumberOfTransactions',
  BE09: 'InvalidCountry',
  BE15: 'InvalidIdentificationCode',
  CH07: 'ElementIsNotToBeUsedAtB-andC-Level',
  CH16: 'ElementContentFormallyIncorrect',
  CH17: 'ElementNotAdmitted',
  CH20: 'DecimalPointsNotCompatibleWithCurrency',
  CH21: 'RequiredCompulsoryElementMissing',
  DT01: 'InvalidDate',
  FF01: 'InvalidFileFormat',
  NARR: 'Narrative',
  RC01: 'BankIdentifierIncorrect',
} as const;

type ReasonCode = keyof typeof reasonNames;

/** By rule of the pack. Rules that only statements have are left out. */
const codeOfRule: Readonly<Record<string, ReasonCode>> = {
  'message-missing': 'FF01',
  'message-unknown': 'FF01',
  'document-once': 'FF01',
  'header-message': 'FF01',
  'schema-element': 'CH17',
  'schema-order': 'FF01',
  'schema-missing': 'CH21',
  'schema-repeated': 'CH17',
  'schema-choice': 'CH17',
  'schema-text': 'FF01',
  'schema-attribute': 'FF01',
  'schema-length': 'CH16',
  'schema-pattern': 'CH16',
  'schema-code': 'CH16',
  'schema-number': 'CH16',
  'schema-digits': 'CH16',
  'schema-range': 'AM12',
  'schema-date': 'DT01',
  'schema-boolean': 'CH16',
  'schema-binary': 'CH16',
  'group-count': 'AM19',
  'group-sum': 'AM16',
  'payment-count': 'AM20',
  'payment-sum': 'AM17',
  'settlement-total': 'AM10',
  'settlement-currency': 'AM11',
  'both-levels': 'CH07',
  iban: 'AC01',
  bic: 'RC01',
  lei: 'BE15',
  isin: 'BE15',
  country: 'BE09',
  currency: 'AM11',
  'currency-decimals': 'CH20',
  characters: 'CH16',
};

/** By error code, where no rule says more. */
const codeOfError: Readonly<Record<string, ReasonCode>> = {
  E_XML_SYNTAX: 'FF01',
  E_XML_DTD: 'FF01',
  E_XML_ENTITY: 'FF01',
  E_XML_ENCODING: 'FF01',
  E_XML_LIMIT: 'FF01',
  E_ISO20022_MESSAGE: 'FF01',
  E_ISO20022_SCHEMA: 'FF01',
  E_DUPLICATE: 'AM05',
  E_DUPLICATE_KEY: 'AM05',
};

/** A code that an author gave a rule is told as it is, where the set has it. What neither that nor the table knows is told in words. */
export function reasonCode(error: string, rule: string | null): string {
  if (!error.startsWith('E_')) return statusReasons.has(error) ? error : 'NARR';
  const byRule = rule !== null && Object.hasOwn(codeOfRule, rule) ? codeOfRule[rule] : undefined;
  return byRule ?? (Object.hasOwn(codeOfError, error) ? codeOfError[error]! : 'NARR');
}

/** Of a finding: its code, where it is and what it says. */
export function reasonOf({ code, rule, path, message }: Pick<PackFinding, 'code' | 'rule' | 'path' | 'message'>): StatusReason {
  return { code: reasonCode(code, rule), information: `${path === undefined ? '' : `${path}: `}${message} (${rule})` };
}
