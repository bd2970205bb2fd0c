/**
 * Writes held batches into as few files as their limits allow, in their order. A batch is cut only where it is more than a file
 * may hold. Each file has the header of the first one, with a file ID modifier of its own.
 */
import type { PackFilesSink, PackWritten } from '../../pack.ts';
import { nachaErrors } from '../nacha-errors.ts';
import type { NachaSettings } from '../nacha-settings.ts';
import { fileHeader } from '../record-layouts.ts';
import { AchFileWriter } from '../writing/ach-file-writer.ts';
import { type Place, refuse } from '../writing/document-values.ts';
import { usualLine } from '../writing/file-output.ts';
import type { HeldBatch } from '../writing/held-batches.ts';
import { fieldOf, withField } from '../writing/record-text.ts';
import type { WriterSettings } from '../writing/writer-settings.ts';
import { WrittenTotals } from '../writing/written-totals.ts';
import type { MergeLimits } from './maker-settings.ts';

const blockRecords = 10;
const modifiers = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** What would be added to a file: records, and cents of one or of both sides. */
interface Addition {
  readonly records: number;
  readonly debit: bigint;
  readonly credit: bigint;
}

export class MergedFiles {
  readonly #written: PackWritten[] = [];
  readonly #sink: PackFilesSink;
  readonly #settings: { readonly writer: WriterSettings; readonly reader: NachaSettings };
  readonly #limits: MergeLimits;
  readonly #header: { readonly text: string; readonly place: Place };
  #writer: AchFileWriter | null = null;

  constructor(
    sink: PackFilesSink,
    settings: { readonly writer: WriterSettings; readonly reader: NachaSettings; readonly limits: MergeLimits },
    header: { readonly text: string; readonly place: Place },
  ) {
    this.#sink = sink;
    this.#settings = settings;
    this.#limits = settings.limits;
    this.#header = header;
  }

  add(batch: HeldBatch, placeOf: (source: number) => Place): void {
    const { totals } = batch;
    if (this.#writer === null) this.#begin();
    if (!this.#hasRoomFor({ records: totals.records + 2, debit: totals.debit.value, credit: totals.credit.value })) this.#beginNext();
    let isOpen = false;
    for (const { source, texts } of batch.held.inOrder()) {
      const place = placeOf(source);
      const addition = additionOf(batch, texts);
      if (isOpen && !this.#hasRoomFor(addition, 1)) {
        this.#endBatch(place);
        isOpen = false;
        this.#beginNext();
      }
      if (!isOpen) {
        if (!this.#hasRoomFor({ ...addition, records: addition.records + 2 }))
          throw refuse(place, 'the entry alone is more than a file may hold', nachaErrors.E_NACHA_LIMIT);
        this.#writer!.beginBatchRecord(batch.form, batch.header, place);
        isOpen = true;
      }
      this.#writer!.entryRecords(texts.map((text) => ({ text, place, line: usualLine })));
    }
    this.#endBatch(batch.place);
  }

  end(): readonly PackWritten[] {
    if (this.#writer === null) this.#begin();
    this.#finish();
    return this.#written;
  }

  #begin(): void {
    const { text, place } = this.#header;
    this.#writer = new AchFileWriter(this.#sink.begin(), this.#settings);
    const first = modifiers.indexOf(fieldOf(fileHeader, text, 'fileIDModifier'));
    const modifier =
      this.#written.length === 0 ? fieldOf(fileHeader, text, 'fileIDModifier') : modifiers[Math.max(0, first) + this.#written.length];
    if (modifier === undefined) throw refuse(place, 'there are not enough file ID modifiers for so many files', nachaErrors.E_NACHA_LIMIT);
    this.#writer.fileHeaderRecord(withField(fileHeader, text, { name: 'fileIDModifier', value: modifier }), place);
  }

  /** Another file, unless the open one is empty. */
  #beginNext(): void {
    if (this.#writer!.totals.batches === 0) return;
    this.#finish();
    this.#begin();
  }

  #finish(): void {
    this.#written.push(this.#writer!.end({ filler: null, isLastLineEnded: true, trailer: null }));
    this.#writer = null;
  }

  #endBatch(place: Place): void {
    this.#writer!.endBatch({ members: null, place });
  }

  /** `closing`: records that the open batch still gets. */
  #hasRoomFor({ records, debit, credit }: Addition, closing = 0): boolean {
    const { linesMax, centsMax } = this.#limits;
    const writer = this.#writer!;
    const lines = Math.ceil((writer.output.records + records + closing + 1) / blockRecords) * blockRecords;
    if (linesMax !== null && lines > linesMax) return false;
    if (centsMax === null) return true;
    const open = writer.amountsSoFar();
    return open.debit + debit <= centsMax && open.credit + credit <= centsMax;
  }
}

function additionOf({ form }: HeldBatch, texts: readonly string[]): Addition {
  const totals = new WrittenTotals();
  totals.addEntry(texts[0]!, form.amount);
  return { records: texts.length, debit: totals.debit.value, credit: totals.credit.value };
}
