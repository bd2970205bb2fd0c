/** Which layouts the records of a batch have, and by which names a document has them. */
import { type AddendaName, addenda } from '../addenda-layouts.ts';
import type { RecordLayout } from '../field-layouts.ts';
import type { BatchKind } from '../open-batch.ts';
import { entryColumns } from '../record-choice.ts';
import * as records from '../record-layouts.ts';
import { secClasses } from '../sec-classes.ts';

export interface BatchForm {
  readonly kind: BatchKind;
  readonly header: RecordLayout;
  readonly entry: RecordLayout;
  readonly control: RecordLayout;
  /** By which name a batch has its entries. */
  readonly entriesName: 'entryDetails' | 'IATEntryDetails' | 'advEntryDetails';
  /** First column of the amount of an entry, and its length. */
  readonly amount: readonly [number, number];
}

const amountOf = (kind: BatchKind) => [entryColumns[kind].amountAt, entryColumns[kind].amountLength] as const;

const standard: BatchForm = {
  kind: 'standard',
  header: records.batchHeader,
  entry: records.entryDetail,
  control: records.batchControl,
  entriesName: 'entryDetails',
  amount: amountOf('standard'),
};
const nameFirst: BatchForm = { ...standard, entry: records.nameFirstEntryDetail };
const iat: BatchForm = {
  kind: 'iat',
  header: records.iatBatchHeader,
  entry: records.iatEntryDetail,
  control: records.batchControl,
  entriesName: 'IATEntryDetails',
  amount: amountOf('iat'),
};
const adv: BatchForm = {
  kind: 'adv',
  header: records.batchHeader,
  entry: records.advEntryDetail,
  control: records.advBatchControl,
  entriesName: 'advEntryDetails',
  amount: amountOf('adv'),
};

export const headerNames: ReadonlySet<string> = new Set([records.batchHeader.name, records.iatBatchHeader.name]);

/** `header`: the name of the batch header in the document. */
export function batchFormOf(header: string, secCode: string): BatchForm {
  if (header === records.iatBatchHeader.name) return iat;
  if (secCode === 'ADV') return adv;
  return secClasses.get(secCode)?.isNameFirst ? nameFirst : standard;
}

/** The service class of a batch whose header has none: of the side that its class of entries has, else of both. */
export function serviceClassOf(secCode: string): number {
  if (secCode === 'ADV') return 280;
  const side = secClasses.get(secCode)?.side ?? null;
  return side === null ? 200 : side === 'credit' ? 220 : 225;
}

export const addendaLayouts: ReadonlyMap<string, RecordLayout> = new Map(Object.entries(addenda));

export function isAddendaName(name: string): name is AddendaName {
  return addendaLayouts.has(name);
}
