/** The messages that are read: by the end of their namespace, the element under `Document` and its type. */
import { initiationTypes } from './initiation-types.ts';
import { readDefinitions, type TypeDefinitions } from './notation.ts';
import { partyTypes } from './party-types.ts';
import { remittanceTypes } from './remittance-types.ts';
import { settlementTypes } from './settlement-types.ts';
import { statementTypes } from './statement-types.ts';

export const namespacePrefix = 'urn:iso:std:iso:20022:tech:xsd:';

export interface MessageDefinition {
  /** As in `pain.001.001.09`. */
  readonly name: string;
  readonly tag: string;
  readonly type: string;
}

const messageLines = `
pain.001.001.03 CstmrCdtTrfInitn CreditTransferInitiation3
pain.001.001.09 CstmrCdtTrfInitn CreditTransferInitiation9
pain.008.001.02 CstmrDrctDbtInitn DirectDebitInitiation2
pain.008.001.08 CstmrDrctDbtInitn DirectDebitInitiation8
pacs.008.001.08 FIToFICstmrCdtTrf CustomerTransfer8
pacs.009.001.08 FICdtTrf InstitutionTransfer8
camt.052.001.02 BkToCstmrAcctRpt ToCustomerReport2
camt.053.001.02 BkToCstmrStmt ToCustomerStatement2
camt.054.001.02 BkToCstmrDbtCdtNtfctn ToCustomerNotification2
`;

export const messages: readonly MessageDefinition[] = messageLines
  .trim()
  .split('\n')
  .map((line) => {
    const [name, tag, type] = line.split(' ');
    return { name: name!, tag: tag!, type: type! };
  });

let types: TypeDefinitions | null = null;

export function messageTypes(): TypeDefinitions {
  types ??= readDefinitions([partyTypes, remittanceTypes, initiationTypes, settlementTypes, statementTypes]);
  return types;
}
