/**
 * The records of a Nacha file as data: names, columns and kinds of their fields, in the order of the record. Source: Nacha
 * Operating Rules, Appendix Three (ACH record format specifications) and Four (returns and notifications of change).
 */

/**
 * `digits`: zero-filled number. `digits-or-blank`: the same, or all spaces. `text`: printable ASCII, left-justified.
 * `upper`: one upper-case letter or digit. `date`: yyMMdd. `date-or-blank`, `time-or-blank`: yyMMdd, HHmm, or all spaces.
 * `julian-or-blank`: day of the year. `blank`: nothing is looked at but that it is printable. `literal`: that text.
 */
export type FieldKind =
  | 'digits'
  | 'digits-or-blank'
  | 'text'
  | 'upper'
  | 'date'
  | 'date-or-blank'
  | 'time-or-blank'
  | 'julian-or-blank'
  | 'blank'
  | 'literal';

export interface FieldLayout {
  readonly name: string;
  /** 0-based column and number of columns. */
  readonly at: number;
  readonly length: number;
  readonly kind: FieldKind;
  readonly literal?: string;
  /** Blank, or zero where it is digits, is refused. */
  readonly required: boolean;
  /** How `--parse` prints it: a JSON number, or text with the fill taken off the right. `hidden`: not at all. */
  readonly prints: 'number' | 'text' | 'hidden';
}

export interface RecordLayout {
  /** As findings and `--parse` name it. */
  readonly name: string;
  readonly fields: readonly FieldLayout[];
}

export const recordLength = 94;

type Given = readonly [name: string, length: number, kind: FieldKind, options?: Options];
interface Options {
  readonly literal?: string;
  readonly required?: boolean;
  readonly prints?: FieldLayout['prints'];
}

function layout(name: string, ...given: readonly Given[]): RecordLayout {
  let at = 0;
  const fields = given.map(([field, length, kind, { literal, required = false, prints = 'text' } = {}]): FieldLayout => {
    const start = at;
    at += length;
    return { name: field, at: start, length, kind, required, prints, ...(literal === undefined ? {} : { literal }) };
  });
  if (at !== recordLength) throw new Error(`${name} has ${at} columns`);
  return { name, fields };
}

const hidden = { prints: 'hidden' } as const;
const required = { required: true } as const;
const number = { prints: 'number' } as const;
const recordType = (literal: string): Given => ['recordType', 1, 'literal', { literal, ...hidden }];
const addendaType = (literal: string): Given => ['typeCode', 2, 'literal', { literal }];
const reserved = (length: number): Given => ['reserved', length, 'blank', hidden];
const traceNumber: Given = ['traceNumber', 15, 'digits'];
const sequence: Given = ['sequenceNumber', 4, 'digits', number];
const entryDetailSequence: Given = ['entryDetailSequenceNumber', 7, 'digits', number];

export const fileHeader = layout(
  'fileHeader',
  recordType('1'),
  ['priorityCode', 2, 'digits'],
  ['immediateDestination', 10, 'text', required],
  ['immediateOrigin', 10, 'text', required],
  ['fileCreationDate', 6, 'date', required],
  ['fileCreationTime', 4, 'time-or-blank'],
  ['fileIDModifier', 1, 'upper', required],
  ['recordSize', 3, 'literal', { literal: '094', ...hidden }],
  ['blockingFactor', 2, 'literal', { literal: '10', ...hidden }],
  ['formatCode', 1, 'literal', { literal: '1' }],
  ['immediateDestinationName', 23, 'text'],
  ['immediateOriginName', 23, 'text'],
  ['referenceCode', 8, 'text'],
);

export const batchHeader = layout(
  'batchHeader',
  recordType('5'),
  ['serviceClassCode', 3, 'digits', { ...required, ...number }],
  ['companyName', 16, 'text', required],
  ['companyDiscretionaryData', 20, 'text'],
  ['companyIdentification', 10, 'text', required],
  ['standardEntryClassCode', 3, 'text', required],
  ['companyEntryDescription', 10, 'text', required],
  ['companyDescriptiveDate', 6, 'text'],
  ['effectiveEntryDate', 6, 'date-or-blank'],
  ['settlementDate', 3, 'julian-or-blank'],
  ['originatorStatusCode', 1, 'text', number],
  ['ODFIIdentification', 8, 'digits', required],
  ['batchNumber', 7, 'digits', number],
);

export const iatBatchHeader = layout(
  'IATBatchHeader',
  recordType('5'),
  ['serviceClassCode', 3, 'digits', { ...required, ...number }],
  ['IATIndicator', 16, 'text'],
  ['foreignExchangeIndicator', 2, 'text', required],
  ['foreignExchangeReferenceIndicator', 1, 'digits', number],
  ['foreignExchangeReference', 15, 'text'],
  ['ISODestinationCountryCode', 2, 'text', required],
  ['originatorIdentification', 10, 'text', required],
  ['standardEntryClassCode', 3, 'text', required],
  ['companyEntryDescription', 10, 'text', required],
  ['ISOOriginatingCurrencyCode', 3, 'text', required],
  ['ISODestinationCurrencyCode', 3, 'text', required],
  ['effectiveEntryDate', 6, 'date-or-blank'],
  ['settlementDate', 3, 'julian-or-blank'],
  ['originatorStatusCode', 1, 'text', number],
  ['ODFIIdentification', 8, 'digits', required],
  ['batchNumber', 7, 'digits', number],
);

export const entryDetail = layout(
  'entryDetail',
  recordType('6'),
  ['transactionCode', 2, 'digits', { ...required, ...number }],
  ['RDFIIdentification', 8, 'digits', required],
  ['checkDigit', 1, 'digits'],
  ['DFIAccountNumber', 17, 'text', required],
  ['amount', 10, 'digits', number],
  ['identificationNumber', 15, 'text'],
  ['individualName', 22, 'text'],
  ['discretionaryData', 2, 'text'],
  ['addendaRecordIndicator', 1, 'digits', number],
  traceNumber,
);

export const iatEntryDetail = layout(
  'IATEntryDetail',
  recordType('6'),
  ['transactionCode', 2, 'digits', { ...required, ...number }],
  ['RDFIIdentification', 8, 'digits', required],
  ['checkDigit', 1, 'digits'],
  ['addendaRecords', 4, 'digits', number],
  reserved(13),
  ['amount', 10, 'digits', number],
  ['DFIAccountNumber', 35, 'text', required],
  reserved(2),
  ['OFACScreeningIndicator', 1, 'text'],
  ['secondaryOFACScreeningIndicator', 1, 'text'],
  ['addendaRecordIndicator', 1, 'digits', number],
  traceNumber,
);

export const advEntryDetail = layout(
  'ADVEntryDetail',
  recordType('6'),
  ['transactionCode', 2, 'digits', { ...required, ...number }],
  ['RDFIIdentification', 8, 'digits', required],
  ['checkDigit', 1, 'digits'],
  ['DFIAccountNumber', 15, 'text', required],
  ['amount', 12, 'digits', number],
  ['adviceRoutingNumber', 9, 'digits', required],
  ['fileIdentification', 5, 'text'],
  ['achOperatorData', 1, 'text'],
  ['individualName', 22, 'text', required],
  ['discretionaryData', 2, 'text'],
  ['addendaRecordIndicator', 1, 'digits', number],
  ['achOperatorRoutingNumber', 8, 'digits', required],
  ['julianDay', 3, 'digits', { ...required, ...number }],
  ['sequenceNumber', 4, 'digits', { ...required, ...number }],
);

const addendaLayout = (code: string, name: string, ...given: readonly Given[]) =>
  layout(name, recordType('7'), addendaType(code), ...given);

export const addenda = {
  addenda02: addendaLayout(
    '02',
    'addenda02',
    ['referenceInformationOne', 7, 'text'],
    ['referenceInformationTwo', 3, 'text'],
    ['terminalIdentificationCode', 6, 'text', required],
    ['transactionSerialNumber', 6, 'text', required],
    ['transactionDate', 4, 'text', required],
    ['authorizationCodeOrExpireDate', 6, 'text'],
    ['terminalLocation', 27, 'text', required],
    ['terminalCity', 15, 'text', required],
    ['terminalState', 2, 'text', required],
    traceNumber,
  ),
  addenda05: addendaLayout('05', 'addenda05', ['paymentRelatedInformation', 80, 'text'], sequence, entryDetailSequence),
  addenda10: addendaLayout(
    '10',
    'addenda10',
    ['transactionTypeCode', 3, 'text', required],
    ['foreignPaymentAmount', 18, 'digits', number],
    ['foreignTraceNumber', 22, 'text'],
    ['name', 35, 'text', required],
    reserved(6),
    entryDetailSequence,
  ),
  addenda11: addendaLayout(
    '11',
    'addenda11',
    ['originatorName', 35, 'text', required],
    ['originatorStreetAddress', 35, 'text', required],
    reserved(14),
    entryDetailSequence,
  ),
  addenda12: addendaLayout(
    '12',
    'addenda12',
    ['originatorCityStateProvince', 35, 'text', required],
    ['originatorCountryPostalCode', 35, 'text', required],
    reserved(14),
    entryDetailSequence,
  ),
  addenda13: addendaLayout(
    '13',
    'addenda13',
    ['ODFIName', 35, 'text', required],
    ['ODFIIDNumberQualifier', 2, 'text', required],
    ['ODFIIdentification', 34, 'text', required],
    ['ODFIBranchCountryCode', 3, 'text', required],
    reserved(10),
    entryDetailSequence,
  ),
  addenda14: addendaLayout(
    '14',
    'addenda14',
    ['RDFIName', 35, 'text', required],
    ['RDFIIDNumberQualifier', 2, 'text', required],
    ['RDFIIdentification', 34, 'text', required],
    ['RDFIBranchCountryCode', 3, 'text', required],
    reserved(10),
    entryDetailSequence,
  ),
  addenda15: addendaLayout(
    '15',
    'addenda15',
    ['receiverIDNumber', 15, 'text'],
    ['receiverStreetAddress', 35, 'text', required],
    reserved(34),
    entryDetailSequence,
  ),
  addenda16: addendaLayout(
    '16',
    'addenda16',
    ['receiverCityStateProvince', 35, 'text', required],
    ['receiverCountryPostalCode', 35, 'text', required],
    reserved(14),
    entryDetailSequence,
  ),
  addenda17: addendaLayout('17', 'addenda17', ['paymentRelatedInformation', 80, 'text'], sequence, entryDetailSequence),
  addenda18: addendaLayout(
    '18',
    'addenda18',
    ['foreignCorrespondentBankName', 35, 'text', required],
    ['foreignCorrespondentBankIDNumberQualifier', 2, 'text', required],
    ['foreignCorrespondentBankIDNumber', 34, 'text', required],
    ['foreignCorrespondentBankBranchCountryCode', 3, 'text', required],
    reserved(6),
    sequence,
    entryDetailSequence,
  ),
  addenda98: addendaLayout(
    '98',
    'addenda98',
    ['changeCode', 3, 'text', required],
    ['originalTrace', 15, 'digits', required],
    reserved(6),
    ['originalDFI', 8, 'digits', required],
    ['correctedData', 29, 'text', required],
    reserved(15),
    traceNumber,
  ),
  addenda99: addendaLayout(
    '99',
    'addenda99',
    ['returnCode', 3, 'text', required],
    ['originalTrace', 15, 'digits', required],
    ['dateOfDeath', 6, 'date-or-blank'],
    ['originalDFI', 8, 'digits', required],
    ['addendaInformation', 44, 'text'],
    traceNumber,
  ),
} as const satisfies Readonly<Record<string, RecordLayout>>;

export type AddendaName = keyof typeof addenda;

export const batchControl = layout(
  'batchControl',
  recordType('8'),
  ['serviceClassCode', 3, 'digits', { ...required, ...number }],
  ['entryAddendaCount', 6, 'digits', number],
  ['entryHash', 10, 'digits', number],
  ['totalDebit', 12, 'digits', number],
  ['totalCredit', 12, 'digits', number],
  ['companyIdentification', 10, 'text'],
  ['messageAuthenticationCode', 19, 'text'],
  reserved(6),
  ['ODFIIdentification', 8, 'digits', required],
  ['batchNumber', 7, 'digits', number],
);

export const advBatchControl = layout(
  'ADVBatchControl',
  recordType('8'),
  ['serviceClassCode', 3, 'digits', { ...required, ...number }],
  ['entryAddendaCount', 6, 'digits', number],
  ['entryHash', 10, 'digits', number],
  ['totalDebit', 20, 'digits', number],
  ['totalCredit', 20, 'digits', number],
  ['achOperatorData', 19, 'text'],
  ['ODFIIdentification', 8, 'digits', required],
  ['batchNumber', 7, 'digits', number],
);

export const fileControl = layout(
  'fileControl',
  recordType('9'),
  ['batchCount', 6, 'digits', number],
  ['blockCount', 6, 'digits', number],
  ['entryAddendaCount', 8, 'digits', number],
  ['entryHash', 10, 'digits', number],
  ['totalDebit', 12, 'digits', number],
  ['totalCredit', 12, 'digits', number],
  ['reserved', 39, 'text', hidden],
);

export const advFileControl = layout(
  'ADVFileControl',
  recordType('9'),
  ['batchCount', 6, 'digits', number],
  ['blockCount', 6, 'digits', number],
  ['entryAddendaCount', 8, 'digits', number],
  ['entryHash', 10, 'digits', number],
  ['totalDebit', 20, 'digits', number],
  ['totalCredit', 20, 'digits', number],
  ['reserved', 23, 'text', hidden],
);
