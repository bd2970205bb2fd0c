/**
 * The records of a Nacha file other than addenda: names, columns and kinds of their fields, in the order of the record.
 * Source: Nacha Operating Rules, Appendix Three (ACH record format specifications).
 */
import {
  effectiveEntryDate,
  exact,
  expected,
  type Given,
  hidden,
  layout,
  number,
  recordType,
  required,
  requiredNumber,
  reserved,
  settlementDate,
  traceNumber,
} from './field-layouts.ts';

export const fileHeader = layout(
  'fileHeader',
  recordType('1'),
  ['priorityCode', 2, 'text'],
  ['immediateDestination', 10, 'text', { ...required, prints: 'routing' }],
  ['immediateOrigin', 10, 'text', { ...required, prints: 'origin' }],
  ['fileCreationDate', 6, 'date', { prints: 'date' }],
  ['fileCreationTime', 4, 'time-or-blank', { prints: 'time' }],
  ['fileIDModifier', 1, 'text', { ...expected, ...exact }],
  ['recordSize', 3, 'literal', { literal: '094', ...hidden }],
  ['blockingFactor', 2, 'literal', { literal: '10', ...hidden }],
  ['FormatCode', 1, 'literal', { literal: '1' }],
  ['immediateDestinationName', 23, 'text'],
  ['immediateOriginName', 23, 'text'],
  ['referenceCode', 8, 'text'],
);

export const batchHeader = layout(
  'batchHeader',
  recordType('5'),
  ['serviceClassCode', 3, 'digits', number],
  ['companyName', 16, 'text', required],
  ['companyDiscretionaryData', 20, 'text'],
  ['companyIdentification', 10, 'text', required],
  ['standardEntryClassCode', 3, 'text', exact],
  ['companyEntryDescription', 10, 'text', required],
  ['companyDescriptiveDate', 6, 'text'],
  effectiveEntryDate,
  settlementDate,
  ['originatorStatusCode', 1, 'digits', number],
  ['ODFIIdentification', 8, 'digits', required],
  ['batchNumber', 7, 'digits', number],
);

export const iatBatchHeader = layout(
  'IATBatchHeader',
  recordType('5'),
  ['serviceClassCode', 3, 'digits', number],
  ['IATIndicator', 16, 'text'],
  ['foreignExchangeIndicator', 2, 'text'],
  ['foreignExchangeReferenceIndicator', 1, 'text', number],
  ['foreignExchangeReference', 15, 'text'],
  ['ISODestinationCountryCode', 2, 'text'],
  ['originatorIdentification', 10, 'text', required],
  ['standardEntryClassCode', 3, 'text', exact],
  ['companyEntryDescription', 10, 'text', required],
  ['ISOOriginatingCurrencyCode', 3, 'text'],
  ['ISODestinationCurrencyCode', 3, 'text'],
  effectiveEntryDate,
  settlementDate,
  ['originatorStatusCode', 1, 'digits', number],
  ['ODFIIdentification', 8, 'digits', required],
  ['batchNumber', 7, 'digits', number],
);

const entryStart: readonly Given[] = [
  recordType('6'),
  ['transactionCode', 2, 'digits', number],
  ['RDFIIdentification', 8, 'digits'],
  ['checkDigit', 1, 'digits'],
];
const entryEnd: readonly Given[] = [['addendaRecordIndicator', 1, 'flag', number], traceNumber];

export const entryDetail = layout(
  'entryDetail',
  ...entryStart,
  ['DFIAccountNumber', 17, 'text', required],
  ['amount', 10, 'digits', number],
  ['identificationNumber', 15, 'text', exact],
  ['individualName', 22, 'text', exact],
  ['discretionaryData', 2, 'text', exact],
  ...entryEnd,
);

/** CIE and MTE: the name comes first, in 15 columns. */
export const nameFirstEntryDetail = layout(
  'entryDetail',
  ...entryStart,
  ['DFIAccountNumber', 17, 'text', required],
  ['amount', 10, 'digits', number],
  ['individualName', 15, 'text', exact],
  ['identificationNumber', 22, 'text', exact],
  ['discretionaryData', 2, 'text', exact],
  ...entryEnd,
);

export const iatEntryDetail = layout(
  'IATEntryDetail',
  ...entryStart,
  ['addendaRecords', 4, 'digits', requiredNumber],
  reserved(13),
  ['amount', 10, 'digits', number],
  ['DFIAccountNumber', 35, 'text', required],
  reserved(2),
  ['OFACScreeningIndicator', 1, 'text', exact],
  ['secondaryOFACScreeningIndicator', 1, 'text', exact],
  ...entryEnd,
);

export const advEntryDetail = layout(
  'advEntryDetail',
  ...entryStart,
  ['DFIAccountNumber', 15, 'text', { ...expected, ...exact }],
  ['amount', 12, 'digits', number],
  ['adviceRoutingNumber', 9, 'text', required],
  ['fileIdentification', 5, 'text'],
  ['achOperatorData', 1, 'text'],
  ['individualName', 22, 'text', { ...expected, ...exact }],
  ['discretionaryData', 2, 'text', exact],
  ['addendaRecordIndicator', 1, 'flag', number],
  ['achOperatorRoutingNumber', 8, 'text', required],
  ['julianDay', 3, 'digits', requiredNumber],
  ['sequenceNumber', 4, 'digits', requiredNumber],
);

const batchTotals: readonly Given[] = [
  ['serviceClassCode', 3, 'digits', number],
  ['entryAddendaCount', 6, 'digits', number],
  ['entryHash', 10, 'digits', number],
];
const batchEnd: readonly Given[] = [
  ['ODFIIdentification', 8, 'digits', required],
  ['batchNumber', 7, 'digits', number],
];

export const batchControl = layout(
  'batchControl',
  recordType('8'),
  ...batchTotals,
  ['totalDebit', 12, 'digits', number],
  ['totalCredit', 12, 'digits', number],
  ['companyIdentification', 10, 'text'],
  ['messageAuthentication', 19, 'text'],
  reserved(6),
  ...batchEnd,
);

export const advBatchControl = layout(
  'advBatchControl',
  recordType('8'),
  ...batchTotals,
  ['totalDebit', 20, 'digits', number],
  ['totalCredit', 20, 'digits', number],
  ['achOperatorData', 19, 'text'],
  ...batchEnd,
);

const fileTotals: readonly Given[] = [
  ['batchCount', 6, 'digits', number],
  ['blockCount', 6, 'digits', requiredNumber],
  ['entryAddendaCount', 8, 'digits', number],
  ['entryHash', 10, 'digits', number],
];

export const fileControl = layout(
  'fileControl',
  recordType('9'),
  ...fileTotals,
  ['totalDebit', 12, 'digits', number],
  ['totalCredit', 12, 'digits', number],
  ['reserved', 39, 'blank', { prints: 'text' }],
);

export const advFileControl = layout(
  'fileADVControl',
  recordType('9'),
  ...fileTotals,
  ['totalDebit', 20, 'digits', number],
  ['totalCredit', 20, 'digits', number],
  reserved(23),
);
