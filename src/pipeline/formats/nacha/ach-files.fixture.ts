/** Good ACH files of every class of entries, made for tests, and changes to them that keep their totals right or not. */
import type { PackSummary } from '../pack.ts';
import type { PackFinding } from '../pack-finding.ts';
import { type AddendaName, addenda } from './addenda-layouts.ts';
import { type FieldLayout, type RecordLayout, recordLength } from './field-layouts.ts';
import { nachaPack } from './nacha-pack.ts';
import * as records from './record-layouts.ts';
import { checkDigitOf } from './routing-number.ts';

type Values = Readonly<Record<string, string | number>>;

interface FixtureRecord {
  readonly layout: RecordLayout;
  text: string;
}

export const odfi = '12104288';
const rdfi = '23138010';

function fieldOf(layout: RecordLayout, name: string): FieldLayout {
  const field = layout.fields.find((candidate) => candidate.name === name);
  if (field === undefined) throw new Error(`${layout.name} has no field ${name}`);
  return field;
}

function written({ kind, literal, length }: FieldLayout, value: string | number | undefined): string {
  if (value === undefined) return literal ?? (kind === 'digits' || kind === 'flag' ? '0'.repeat(length) : ' '.repeat(length));
  const text = String(value);
  return typeof value === 'number' || kind === 'digits' ? text.padStart(length, '0') : text.padEnd(length);
}

function record(layout: RecordLayout, values: Values): FixtureRecord {
  for (const name of Object.keys(values)) fieldOf(layout, name);
  return { layout, text: layout.fields.map((field) => written(field, values[field.name])).join('') };
}

/** A file that can be changed record by record. */
export class AchFile {
  records: FixtureRecord[];
  filler = 0;

  constructor(fixtures: readonly FixtureRecord[]) {
    this.records = fixtures.map((each) => ({ ...each }));
  }

  /** The index of the `nth` record of that name. */
  index(name: string, nth = 0): number {
    const found = this.records.flatMap(({ layout }, index) => (layout.name === name ? [index] : []));
    if (found[nth] === undefined) throw new Error(`there is no record ${nth} of ${name}`);
    return found[nth];
  }

  get(index: number, field: string): string {
    const { layout, text } = this.records[index]!;
    const { at, length } = fieldOf(layout, field);
    return text.slice(at, at + length);
  }

  /** `value` as it stands in the record, filled as the kind of the field asks for. */
  set(name: string, field: string, value: string | number, nth = 0): this {
    const each = this.records[this.index(name, nth)]!;
    const layout = fieldOf(each.layout, field);
    return this.put(name, layout.at, written(layout, value), nth);
  }

  put(name: string, at: number, text: string, nth = 0): this {
    const each = this.records[this.index(name, nth)]!;
    each.text = each.text.slice(0, at) + text + each.text.slice(at + text.length);
    return this;
  }

  remove(name: string, nth = 0): this {
    this.records.splice(this.index(name, nth), 1);
    return this;
  }

  insert(before: number, layout: RecordLayout, values: Values): this {
    this.records.splice(before, 0, record(layout, values));
    return this;
  }

  /** Controls and filler of what the records are now. */
  total(): this {
    const file = { batchCount: 0, entryAddendaCount: 0, entryHash: 0, totalDebit: 0, totalCredit: 0 };
    let batch = { entryAddendaCount: 0, entryHash: 0, totalDebit: 0, totalCredit: 0 };
    for (const [index, { layout }] of this.records.entries()) {
      const type = this.records[index]!.text[0];
      if (type === '5') batch = { entryAddendaCount: 0, entryHash: 0, totalDebit: 0, totalCredit: 0 };
      if (type === '6' || type === '7') batch.entryAddendaCount++;
      if (type === '6') {
        const code = Number(this.get(index, 'transactionCode'));
        const isCredit = code >= 80 ? code % 2 === 1 : code % 10 < 5;
        batch.entryHash = (batch.entryHash + Number(this.get(index, 'RDFIIdentification'))) % 10 ** 10;
        batch[isCredit ? 'totalCredit' : 'totalDebit'] += Number(this.get(index, 'amount'));
      }
      if (type !== '8') continue;
      for (const [name, value] of Object.entries(batch)) this.#setAt(index, name, value);
      file.batchCount++;
      file.entryHash = (file.entryHash + batch.entryHash) % 10 ** 10;
      for (const name of ['entryAddendaCount', 'totalDebit', 'totalCredit'] as const) file[name] += batch[name];
      if (layout.name !== 'advBatchControl' && layout.name !== 'batchControl') throw new Error(layout.name);
    }
    const control = this.records.findIndex(({ text }) => text.startsWith('9'));
    if (control >= 0)
      for (const [name, value] of Object.entries({ ...file, blockCount: Math.ceil(this.records.length / 10) }))
        this.#setAt(control, name, value);
    this.filler = (10 - (this.records.length % 10)) % 10;
    return this;
  }

  #setAt(index: number, name: string, value: number): void {
    const each = this.records[index]!;
    const field = fieldOf(each.layout, name);
    each.text = each.text.slice(0, field.at) + written(field, value) + each.text.slice(field.at + field.length);
  }

  lines(): string[] {
    return [...this.records.map(({ text }) => text), ...Array.from({ length: this.filler }, () => '9'.repeat(recordLength))];
  }

  text(lineEnd = '\n'): string {
    return this.lines()
      .map((line) => line + lineEnd)
      .join('');
  }
}

export interface Reading {
  readonly findings: readonly PackFinding[];
  readonly summary: PackSummary;
  readonly document: string;
}

/** Reads bytes in the pieces that `sizes` say, over and over; without it in one. */
export function readAch(
  bytes: Uint8Array,
  settings: Readonly<Record<string, string | boolean>> = {},
  sizes: readonly number[] = [],
): Reading {
  const findings: PackFinding[] = [];
  let document = '';
  const reader = nachaPack.createReader(new Map(Object.entries(settings)), {
    finding: (finding) => void findings.push(finding),
    parsed: (text) => {
      document += text;
    },
  });
  for (let at = 0, piece = 0; at < bytes.length; piece++) {
    const size = sizes.length === 0 ? bytes.length : sizes[piece % sizes.length]!;
    // A copy: what was pushed may be written over as soon as `push` returns.
    const pushed = new Uint8Array(bytes.subarray(at, at + size));
    reader.push(pushed);
    pushed.fill(0);
    at += size;
  }
  return { summary: reader.end(), findings, document };
}

export const header = record(records.fileHeader, {
  priorityCode: '01',
  immediateDestination: ' 031300012',
  immediateOrigin: ' 231380104',
  fileCreationDate: '260816',
  fileCreationTime: '1055',
  fileIDModifier: 'A',
  immediateDestinationName: 'Federal Reserve Bank',
  immediateOriginName: 'My Bank Name',
});

export interface EntrySpec extends Values {}

export interface BatchSpec {
  readonly sec: string;
  readonly header?: Values;
  readonly entries: readonly { readonly values: EntrySpec; readonly addenda?: readonly (readonly [AddendaName, Values])[] }[];
}

const checkDigit = String(
  checkDigitOf(
    Uint8Array.from(rdfi, (digit) => digit.charCodeAt(0)),
    0,
  ),
);

function batchRecords({ sec, header: special = {}, entries }: BatchSpec, batchNumber: number): FixtureRecord[] {
  const isIat = sec === 'IAT' || special['IATIndicator'] === 'IATCOR';
  const common = { effectiveEntryDate: '260816', ODFIIdentification: odfi, batchNumber, companyEntryDescription: 'PAYMENT' };
  const headerValues = isIat
    ? {
        ...common,
        serviceClassCode: 200,
        foreignExchangeIndicator: 'FF',
        foreignExchangeReferenceIndicator: '3',
        ISODestinationCountryCode: 'US',
        originatorIdentification: '123456789',
        standardEntryClassCode: sec,
        ISOOriginatingCurrencyCode: 'CAD',
        ISODestinationCurrencyCode: 'USD',
        originatorStatusCode: 1,
      }
    : {
        ...common,
        serviceClassCode: sec === 'ADV' ? 280 : 200,
        companyName: 'Company',
        companyIdentification: '1234567890',
        standardEntryClassCode: sec,
        originatorStatusCode: sec === 'ADV' ? 0 : 1,
      };
  const values: Values = { ...headerValues, ...special };
  const first = record(isIat ? records.iatBatchHeader : records.batchHeader, values);
  const control = record(sec === 'ADV' ? records.advBatchControl : records.batchControl, {
    serviceClassCode: values['serviceClassCode']!,
    ODFIIdentification: odfi,
    batchNumber,
    ...(isIat || sec === 'ADV' ? {} : { companyIdentification: values['companyIdentification']! }),
  });
  const body = entries.flatMap((entry, index) => entryRecords(entry, { sec, isIat, sequence: batchNumber * 1_000 + index + 1 }));
  return [first, ...body, control];
}

function entryRecords(
  { values, addenda: given = [] }: BatchSpec['entries'][number],
  { sec, isIat, sequence }: { readonly sec: string; readonly isIat: boolean; readonly sequence: number },
): FixtureRecord[] {
  const traceNumber = odfi + String(sequence).padStart(7, '0');
  const start = { transactionCode: 27, RDFIIdentification: rdfi, checkDigit, DFIAccountNumber: '12345678', amount: 1_000 };
  const addendaRecordIndicator = given.length > 0 ? 1 : 0;
  const layout = isIat
    ? records.iatEntryDetail
    : sec === 'ADV'
      ? records.advEntryDetail
      : sec === 'CIE' || sec === 'MTE'
        ? records.nameFirstEntryDetail
        : records.entryDetail;
  const special: Values = isIat
    ? { addendaRecords: given.length, traceNumber }
    : sec === 'ADV'
      ? {
          adviceRoutingNumber: '121042882',
          individualName: 'Name',
          achOperatorRoutingNumber: '01100001',
          julianDay: 50,
          sequenceNumber: sequence % 1_000,
        }
      : { identificationNumber: 'ID 1', individualName: 'Jane Doe', traceNumber };
  const entry = record(layout, { ...start, addendaRecordIndicator, ...special, ...values });
  const sequences = new Map<AddendaName, number>();
  const follow = given.map(([name, more]) => {
    sequences.set(name, (sequences.get(name) ?? 0) + 1);
    const has = (field: string) => addenda[name].fields.some((each) => each.name === field);
    return record(addenda[name], {
      ...(has('sequenceNumber') ? { sequenceNumber: sequences.get(name)! } : {}),
      ...(has('entryDetailSequenceNumber') ? { entryDetailSequenceNumber: sequence } : {}),
      ...(has('traceNumber') ? { traceNumber } : {}),
      ...more,
    });
  });
  return [entry, ...follow];
}

/** With totals and filler. */
export function achFile(...batches: readonly BatchSpec[]): AchFile {
  const isAdv = batches.length > 0 && batches.every(({ sec }) => sec === 'ADV');
  const control = record(isAdv ? records.advFileControl : records.fileControl, {});
  return new AchFile([header, ...batches.flatMap((batch, index) => batchRecords(batch, index + 1)), control]).total();
}
