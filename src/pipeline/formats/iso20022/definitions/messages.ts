/** The messages that are read: by the end of their namespace, the element under `Document` and its type. */
import { firstReportTypes } from './first-report-types.ts';
import { initiationTypes } from './initiation-types.ts';
import { laterReportTypes } from './later-report-types.ts';
import { readDefinitions, type TypeDefinitions } from './notation.ts';
import { partyTypes } from './party-types.ts';
import { remittanceTypes } from './remittance-types.ts';
import { reportTypes } from './report-types.ts';
import { settlementTypes } from './settlement-types.ts';
import { statementTypes } from './statement-types.ts';
import { statusTypes } from './status-types.ts';

export const namespacePrefix = 'urn:iso:std:iso:20022:tech:xsd:';

export interface MessageDefinition {
  /** As in `pain.001.001.09`. */
  readonly name: string;
  readonly tag: string;
  readonly type: string;
}

const messageLines = `
pain.001.001.03 CstmrCdtTrfInitn CreditTransferInitiation3
pain.001.001.04 CstmrCdtTrfInitn CreditTransferInitiation4
pain.001.001.05 CstmrCdtTrfInitn CreditTransferInitiation5
pain.001.001.06 CstmrCdtTrfInitn CreditTransferInitiation6
pain.001.001.07 CstmrCdtTrfInitn CreditTransferInitiation7
pain.001.001.08 CstmrCdtTrfInitn CreditTransferInitiation8
pain.001.001.09 CstmrCdtTrfInitn CreditTransferInitiation9
pain.001.001.10 CstmrCdtTrfInitn CreditTransferInitiation10
pain.001.001.11 CstmrCdtTrfInitn CreditTransferInitiation11
pain.001.001.12 CstmrCdtTrfInitn CreditTransferInitiation12
pain.002.001.03 CstmrPmtStsRpt CustomerStatus3
pain.002.001.10 CstmrPmtStsRpt CustomerStatus10
pain.002.001.11 CstmrPmtStsRpt CustomerStatus11
pain.002.001.12 CstmrPmtStsRpt CustomerStatus12
pain.002.001.13 CstmrPmtStsRpt CustomerStatus13
pain.002.001.14 CstmrPmtStsRpt CustomerStatus14
pain.008.001.02 CstmrDrctDbtInitn DirectDebitInitiation2
pain.008.001.03 CstmrDrctDbtInitn DirectDebitInitiation3
pain.008.001.08 CstmrDrctDbtInitn DirectDebitInitiation8
pain.008.001.09 CstmrDrctDbtInitn DirectDebitInitiation9
pain.008.001.10 CstmrDrctDbtInitn DirectDebitInitiation10
pain.008.001.11 CstmrDrctDbtInitn DirectDebitInitiation11
pacs.002.001.03 FIToFIPmtStsRpt InstitutionStatus3
pacs.002.001.10 FIToFIPmtStsRpt InstitutionStatus10
pacs.002.001.11 FIToFIPmtStsRpt InstitutionStatus11
pacs.002.001.12 FIToFIPmtStsRpt InstitutionStatus12
pacs.002.001.13 FIToFIPmtStsRpt InstitutionStatus13
pacs.002.001.14 FIToFIPmtStsRpt InstitutionStatus14
pacs.004.001.02 PmtRtr PaymentReturn2
pacs.004.001.09 PmtRtr PaymentReturn9
pacs.004.001.10 PmtRtr PaymentReturn10
pacs.004.001.13 PmtRtr PaymentReturn13
pacs.008.001.02 FIToFICstmrCdtTrf CustomerTransfer2
pacs.008.001.08 FIToFICstmrCdtTrf CustomerTransfer8
pacs.008.001.09 FIToFICstmrCdtTrf CustomerTransfer9
pacs.008.001.10 FIToFICstmrCdtTrf CustomerTransfer10
pacs.008.001.12 FIToFICstmrCdtTrf CustomerTransfer12
pacs.009.001.08 FICdtTrf InstitutionTransfer8
pacs.009.001.09 FICdtTrf InstitutionTransfer9
pacs.009.001.10 FICdtTrf InstitutionTransfer10
pacs.009.001.11 FICdtTrf InstitutionTransfer11
camt.052.001.01 BkToCstmrAcctRptV01 ToCustomerReport1
camt.052.001.02 BkToCstmrAcctRpt ToCustomerReport2
camt.052.001.04 BkToCstmrAcctRpt ToCustomerReport4
camt.052.001.06 BkToCstmrAcctRpt ToCustomerReport6
camt.052.001.08 BkToCstmrAcctRpt ToCustomerReport8
camt.052.001.10 BkToCstmrAcctRpt ToCustomerReport10
camt.052.001.11 BkToCstmrAcctRpt ToCustomerReport11
camt.052.001.12 BkToCstmrAcctRpt ToCustomerReport12
camt.053.001.02 BkToCstmrStmt ToCustomerStatement2
camt.053.001.03 BkToCstmrStmt ToCustomerStatement3
camt.053.001.04 BkToCstmrStmt ToCustomerStatement4
camt.053.001.06 BkToCstmrStmt ToCustomerStatement6
camt.053.001.08 BkToCstmrStmt ToCustomerStatement8
camt.053.001.10 BkToCstmrStmt ToCustomerStatement10
camt.053.001.11 BkToCstmrStmt ToCustomerStatement11
camt.053.001.12 BkToCstmrStmt ToCustomerStatement12
camt.054.001.02 BkToCstmrDbtCdtNtfctn ToCustomerNotification2
camt.054.001.04 BkToCstmrDbtCdtNtfctn ToCustomerNotification4
camt.054.001.06 BkToCstmrDbtCdtNtfctn ToCustomerNotification6
camt.054.001.08 BkToCstmrDbtCdtNtfctn ToCustomerNotification8
camt.054.001.10 BkToCstmrDbtCdtNtfctn ToCustomerNotification10
camt.054.001.11 BkToCstmrDbtCdtNtfctn ToCustomerNotification11
camt.054.001.12 BkToCstmrDbtCdtNtfctn ToCustomerNotification12
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
  types ??= readDefinitions([
    partyTypes,
    remittanceTypes,
    initiationTypes,
    settlementTypes,
    statusTypes,
    statementTypes,
    reportTypes,
    laterReportTypes,
    firstReportTypes,
  ]);
  return types;
}
