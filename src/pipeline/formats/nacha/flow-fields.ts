/**
 * What flows see of an ACH file: fields of the file header, of each entry with its batch and its addenda, and of the file control,
 * each with its place in a record. Names are those that `--parse` prints, but where two records of an entry share one.
 */
import { type LineKey, lineKey } from '../record-lines.ts';
import { type AddendaName, addenda } from './addenda-layouts.ts';
import type { RecordLayout } from './field-layouts.ts';
import {
  advEntryDetail,
  advFileControl,
  batchHeader,
  entryDetail,
  fileControl,
  fileHeader,
  iatBatchHeader,
  iatEntryDetail,
  nameFirstEntryDetail,
} from './record-layouts.ts';

/** `amount`: digits, the last two of them cents. `date`: yyMMdd, written as yyyy-MM-dd of this century. */
export type FieldForm = 'text' | 'number' | 'amount' | 'date' | 'time';

export interface FlowField {
  readonly name: string;
  readonly key: LineKey;
  readonly form: FieldForm;
  /** 0-based column and number of columns; 0: the layout has no such field. */
  readonly at: number;
  readonly length: number;
  /** As the layout calls it. */
  readonly source: string;
}

type Named = readonly [name: string, form: FieldForm, ...sources: string[]];

function placed(layout: RecordLayout, named: readonly Named[]): readonly FlowField[] {
  return named.map(([name, form, ...sources]) => {
    const field = layout.fields.find((candidate) => (sources.length === 0 ? [name] : sources).includes(candidate.name));
    return { name, key: lineKey(name), form, at: field?.at ?? 0, length: field?.length ?? 0, source: field?.name ?? name };
  });
}

export const headerNames = [
  ['immediateDestination', 'text'],
  ['immediateOrigin', 'text'],
  ['fileCreationDate', 'date'],
  ['fileCreationTime', 'time'],
  ['fileIDModifier', 'text'],
  ['immediateDestinationName', 'text'],
  ['immediateOriginName', 'text'],
  ['referenceCode', 'text'],
] as const satisfies readonly Named[];

export const batchNames = [
  ['batchNumber', 'number'],
  ['serviceClassCode', 'number'],
  ['standardEntryClassCode', 'text'],
  ['companyName', 'text'],
  ['companyIdentification', 'text', 'companyIdentification', 'originatorIdentification'],
  ['companyDiscretionaryData', 'text'],
  ['companyEntryDescription', 'text'],
  ['companyDescriptiveDate', 'text'],
  ['effectiveEntryDate', 'date'],
  ['ODFIIdentification', 'text'],
  ['ISODestinationCountryCode', 'text'],
  ['ISOOriginatingCurrencyCode', 'text'],
  ['ISODestinationCurrencyCode', 'text'],
] as const satisfies readonly Named[];

export const entryNames = [
  ['transactionCode', 'number'],
  ['RDFIIdentification', 'text'],
  ['checkDigit', 'text'],
  ['DFIAccountNumber', 'text'],
  ['amount', 'amount'],
  ['identificationNumber', 'text'],
  ['individualName', 'text'],
  ['discretionaryData', 'text'],
] as const satisfies readonly Named[];

export const controlNames = [
  ['batchCount', 'number'],
  ['blockCount', 'number'],
  ['entryAddendaCount', 'number'],
  ['entryHash', 'number'],
  ['totalDebit', 'amount'],
  ['totalCredit', 'amount'],
] as const satisfies readonly Named[];

/** Of the addenda but their texts of payments (05 and 17) and the correspondent banks (18), which an entry may have many of. */
export const addendaNames: Readonly<Partial<Record<AddendaName, readonly Named[]>>> = {
  addenda02: addenda.addenda02.fields.slice(2, -1).map(({ name }) => [name, 'text']),
  addenda10: [
    ['transactionTypeCode', 'text'],
    ['foreignPaymentAmount', 'text'],
    ['foreignTraceNumber', 'text'],
    ['receiverName', 'text', 'name'],
  ],
  addenda11: [
    ['originatorName', 'text'],
    ['originatorStreetAddress', 'text'],
  ],
  addenda12: [
    ['originatorCityStateProvince', 'text'],
    ['originatorCountryPostalCode', 'text'],
  ],
  addenda13: [
    ['originatingBankName', 'text', 'ODFIName'],
    ['originatingBankIDNumberQualifier', 'text', 'ODFIIDNumberQualifier'],
    ['originatingBankIdentification', 'text', 'ODFIIdentification'],
    ['originatingBankCountryCode', 'text', 'ODFIBranchCountryCode'],
  ],
  addenda14: [
    ['receivingBankName', 'text', 'RDFIName'],
    ['receivingBankIDNumberQualifier', 'text', 'RDFIIDNumberQualifier'],
    ['receivingBankIdentification', 'text', 'RDFIIdentification'],
    ['receivingBankCountryCode', 'text', 'RDFIBranchCountryCode'],
  ],
  addenda15: [
    ['receiverIDNumber', 'text'],
    ['receiverStreetAddress', 'text'],
  ],
  addenda16: [
    ['receiverCityStateProvince', 'text'],
    ['receiverCountryPostalCode', 'text'],
  ],
  addenda98: [
    ['changeCode', 'text'],
    ['originalTrace', 'text'],
    ['originalDFI', 'text'],
    ['correctedData', 'text'],
  ],
  addenda98Refused: [
    ['refusedChangeCode', 'text'],
    ['originalTrace', 'text'],
    ['originalDFI', 'text'],
    ['correctedData', 'text'],
    ['changeCode', 'text'],
    ['traceSequenceNumber', 'text'],
  ],
  addenda99: [
    ['returnCode', 'text'],
    ['originalTrace', 'text'],
    ['dateOfDeath', 'date'],
    ['originalDFI', 'text'],
    ['addendaInformation', 'text'],
  ],
  addenda99Dishonored: [
    ['returnCode', 'text', 'dishonoredReturnReasonCode'],
    ['originalTrace', 'text', 'originalEntryTraceNumber'],
    ['originalDFI', 'text', 'originalReceivingDFIIdentification'],
    ['returnTraceNumber', 'text'],
    ['returnReasonCode', 'text'],
    ['addendaInformation', 'text'],
  ],
  addenda99Contested: [
    ['returnCode', 'text', 'contestedReturnCode'],
    ['originalTrace', 'text', 'originalEntryTraceNumber'],
    ['originalDFI', 'text', 'originalReceivingDFIIdentification'],
    ['returnTraceNumber', 'text'],
    ['returnReasonCode', 'text'],
    ['dishonoredReturnTraceNumber', 'text'],
    ['dishonoredReturnReasonCode', 'text'],
  ],
};

export const correspondentMax = 5;
export const correspondentNames = ['foreignCorrespondentBankName', 'foreignCorrespondentBankIDNumber'] as const;

const batch = { standard: placed(batchHeader, batchNames), iat: placed(iatBatchHeader, batchNames) };
const entries = new Map(
  [entryDetail, nameFirstEntryDetail, iatEntryDetail, advEntryDetail].map((layout) => [layout, placed(layout, entryNames)]),
);
const controls = new Map([fileControl, advFileControl].map((layout) => [layout, placed(layout, controlNames)]));
const addendaFields = new Map(
  Object.entries(addendaNames).map(([name, named]) => [name as AddendaName, placed(addenda[name as AddendaName], named!)]),
);

export const headerFields = placed(fileHeader, headerNames);

export function batchFields(layout: RecordLayout): readonly FlowField[] {
  return layout === iatBatchHeader ? batch.iat : batch.standard;
}

export function entryFields(layout: RecordLayout): readonly FlowField[] {
  return entries.get(layout)!;
}

export function controlFields(layout: RecordLayout): readonly FlowField[] {
  return controls.get(layout)!;
}

export function fieldsOfAddenda(name: AddendaName): readonly FlowField[] {
  return addendaFields.get(name) ?? [];
}
