/**
 * Writes an ACH file record by record from objects of a document: gives batch numbers, trace numbers and controls where
 * there are none, and holds those that are given against what they follow from. Holds sums and one entry.
 */

import { decimalText } from '../../exact-sum.ts';
import type { PackFileSink, PackWritten } from '../../pack.ts';
import type { RecordLayout } from '../field-layouts.ts';
import { nachaErrors } from '../nacha-errors.ts';
import type { NachaSettings } from '../nacha-settings.ts';
import { advFileControl, fileControl, fileHeader } from '../record-layouts.ts';
import { type BatchForm, batchFormOf, serviceClassOf } from './batch-forms.ts';
import { Below, documentRoot, type Members, type Place, refuse, textMember } from './document-values.ts';
import { entryRecords, lineFormOf, type MadeRecord } from './entry-records.ts';
import { FileOutput } from './file-output.ts';
import { fieldOf, withField } from './record-text.ts';
import { type RecordValues, recordText } from './record-values.ts';
import type { WriterSettings } from './writer-settings.ts';
import { WrittenTotals } from './written-totals.ts';

const none: Members = new Map();
const sequenceMax = 9_999_999;
const centsDigits = 2;

/** An object of the document; `members` null: there is none. */
export interface Given {
  readonly members: Members | null;
  readonly place: Place;
}

interface WrittenBatch {
  readonly form: BatchForm;
  /** The record of its header. */
  readonly header: string;
  readonly place: Place;
  readonly totals: WrittenTotals;
}

export class AchFileWriter {
  readonly output: FileOutput;
  readonly totals = new WrittenTotals();
  readonly #settings: WriterSettings;
  readonly #batchesByClass = new Map<string, number>();
  #batch: WrittenBatch | null = null;
  #advBatches = 0;
  #batchNumber = 0;
  /** The end of the last trace number. */
  #sequence = 0;
  #fileControl: string | null = null;

  constructor(sink: PackFileSink, settings: { readonly writer: WriterSettings; readonly reader: NachaSettings }) {
    this.#settings = settings.writer;
    this.output = new FileOutput(sink, settings);
  }

  /** `more`: what stands for fields that the object does not have, and those that nothing stands for. */
  fileHeader(members: Members, place: Place, more: Pick<RecordValues, 'missing' | 'required'> = {}): void {
    const missing = { priorityCode: '01', fileIDModifier: 'A', ...more.missing };
    this.#record({ ...more, layout: fileHeader, members, place, missing });
  }

  /** The record as it is. */
  fileHeaderRecord(text: string, place: Place): void {
    this.output.beginGroup();
    this.output.record(text, place);
  }

  /** In cents, with those of the open batch. */
  amountsSoFar(): { readonly debit: bigint; readonly credit: bigint } {
    const open = this.#batch?.totals;
    return {
      debit: this.totals.debit.value + (open?.debit.value ?? 0n),
      credit: this.totals.credit.value + (open?.credit.value ?? 0n),
    };
  }

  /** `name`: of the header in the document. */
  beginBatch(name: string, members: Members, place: Place): BatchForm {
    const secCode = textMember(members, 'standardEntryClassCode', place) ?? '';
    const form = batchFormOf(name, secCode);
    const missing = {
      serviceClassCode: serviceClassOf(secCode),
      originatorStatusCode: form.kind === 'adv' ? 0 : 1,
      batchNumber: this.#nextBatchNumber(place),
    };
    this.#openBatch(form, this.#record({ layout: form.header, members, place, missing }), place);
    return form;
  }

  /** With the next number in place of that which the record of the header has. */
  beginBatchRecord(form: BatchForm, header: string, place: Place): void {
    const text = withField(form.header, header, { name: 'batchNumber', value: this.#nextBatchNumber(place) });
    this.output.beginGroup();
    this.output.record(text, place);
    this.#openBatch(form, text, place);
  }

  #nextBatchNumber(place: Place): number {
    if (this.#batchNumber === sequenceMax)
      throw refuse(place, `a file has at most ${sequenceMax} batch numbers`, nachaErrors.E_NACHA_LIMIT);
    return this.#batchNumber + 1;
  }

  #openBatch(form: BatchForm, header: string, place: Place): void {
    const secCode = fieldOf(form.header, header, 'standardEntryClassCode');
    const number = Number(fieldOf(form.header, header, 'batchNumber'));
    if (Number.isSafeInteger(number)) this.#batchNumber = number;
    this.#batch = { form, header, place, totals: new WrittenTotals() };
    this.#batchesByClass.set(secCode, (this.#batchesByClass.get(secCode) ?? 0) + 1);
    if (form.kind === 'adv') this.#advBatches++;
  }

  get keepsComputed(): boolean {
    return this.#settings.keepsComputed;
  }

  /** The end of the last trace number; 0: there was none. */
  get sequence(): number {
    return this.#sequence;
  }

  /** For an entry that has no trace number. */
  sequenceAfter(sequence: number, place: Place): number {
    if (sequence >= sequenceMax) throw refuse(place, `a file has at most ${sequenceMax} trace numbers`, nachaErrors.E_NACHA_LIMIT);
    return sequence + 1;
  }

  sequenceOf({ kind, entry }: BatchForm, text: string): number {
    const sequence = Number(kind === 'adv' ? fieldOf(entry, text, 'sequenceNumber') : text.slice(87));
    return Number.isSafeInteger(sequence) ? sequence : 0;
  }

  entry(members: Members, place: Place): void {
    const { form, header } = this.#batch!;
    const odfi = fieldOf(form.header, header, 'ODFIIdentification');
    const nextSequence = this.sequenceAfter(this.#sequence, place);
    this.entryRecords(entryRecords(members, place, { form, odfi, nextSequence, keepsComputed: this.keepsComputed }));
  }

  /** Those of one entry, made for the open batch. */
  entryRecords([entry, ...addenda]: readonly MadeRecord[]): void {
    const { form, totals } = this.#batch!;
    this.output.beginGroup();
    this.output.record(entry!.text, entry!.place, entry!.line);
    totals.addEntry(entry!.text, form.amount);
    this.#sequence = this.sequenceOf(form, entry!.text);
    for (const { text, place, line } of addenda) {
      this.output.record(text, place, line);
      totals.addAddenda();
    }
  }

  endBatch({ members, place }: Given): void {
    const { form, header, totals } = this.#batch!;
    const { kind } = form;
    const of = (name: string) => fieldOf(form.header, header, name);
    const missing = {
      serviceClassCode: of('serviceClassCode'),
      ...(kind === 'standard' ? { companyIdentification: of('companyIdentification') } : {}),
      ODFIIdentification: of('ODFIIdentification'),
      batchNumber: of('batchNumber'),
    };
    this.#control(totals, { layout: form.control, members: members ?? none, place, missing, computed: totals.fields() });
    this.totals.addBatch(totals);
    this.#batch = null;
  }

  get isAdvFile(): boolean {
    return this.totals.batches > 0 && this.#advBatches === this.totals.batches;
  }

  fileControl({ members, place }: Given): void {
    const blockCount = Math.ceil((this.output.records + 1) / 10);
    const computed = { batchCount: this.totals.batches, blockCount, ...this.totals.fields() };
    this.#fileControl = this.#control(this.totals, { layout: this.#controlLayout, members: members ?? none, place, computed });
  }

  end(trailer: Parameters<FileOutput['end']>[0]): PackWritten {
    if (this.#fileControl === null) this.fileControl({ members: null, place: new Below(documentRoot, this.#controlLayout.name) });
    this.output.end(trailer);
    const declared = (name: string) => fieldOf(this.#controlLayout, this.#fileControl!, name);
    const count = (name: string) => Number(declared(name));
    return {
      records: this.totals.entries,
      amounts: {
        credit: { USD: decimalText(this.totals.credit.value, centsDigits) },
        debit: { USD: decimalText(this.totals.debit.value, centsDigits) },
      },
      controlTotals: {
        batchCount: count('batchCount'),
        blockCount: count('blockCount'),
        entryAddendaCount: count('entryAddendaCount'),
        entryHash: count('entryHash'),
        totalDebit: moneyText(declared('totalDebit')),
        totalCredit: moneyText(declared('totalCredit')),
      },
      details: { batches: this.totals.batches, secCodes: Object.fromEntries(this.#batchesByClass) },
      warnings: this.output.warnings,
    };
  }

  get #controlLayout(): RecordLayout {
    return this.isAdvFile ? advFileControl : fileControl;
  }

  /** Which side an entry of an unknown transaction code is on only the document can say. */
  #control({ isSided }: WrittenTotals, values: RecordValues): string {
    const { members, place } = values;
    for (const name of isSided || members.has('written') ? [] : ['totalDebit', 'totalCredit'])
      if (!members.has(name))
        throw refuse(
          new Below(place, name),
          'it can not be computed, since an entry has a transaction code that the Rules do not have: give it',
          nachaErrors.E_NACHA_COMPUTED,
        );
    return this.#record(values);
  }

  /** Writes a record that belongs to no entry. */
  #record(values: RecordValues): string {
    const { layout, computed, place } = values;
    for (const { name, length } of computed === undefined ? [] : layout.fields) {
      const digits = String(computed![name] ?? '');
      if (digits.length > length)
        throw refuse(new Below(place, name), `${digits} does not fit its ${length} columns`, nachaErrors.E_NACHA_LIMIT);
    }
    const text = recordText(values, this.#settings.keepsComputed);
    this.output.beginGroup();
    this.output.record(text, place, lineFormOf(values.members, place));
    return text;
  }
}

function moneyText(digits: string): string | null {
  return /^[0-9]+$/.test(digits) ? decimalText(BigInt(digits), centsDigits) : null;
}
