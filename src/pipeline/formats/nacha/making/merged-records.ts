/** Takes the records of the files that are put into one, and holds them by batch. */
import type { AddendaName } from '../addenda-layouts.ts';
import { recordLength } from '../field-layouts.ts';
import { nachaErrors } from '../nacha-errors.ts';
import type { Category } from '../open-batch.ts';
import { fileHeader } from '../record-layouts.ts';
import type { RecordTaker } from '../record-taker.ts';
import type { RecordView } from '../record-view.ts';
import { withoutLeadingZero } from '../routing-number.ts';
import { type BatchForm, batchFormOf } from '../writing/batch-forms.ts';
import { type Place, refuse } from '../writing/document-values.ts';
import { HeldBatches } from '../writing/held-batches.ts';
import { fieldOf, withField } from '../writing/record-text.ts';
import { FilePlace } from './read-file.ts';

/** What all files have to have in common. */
const commonFields = ['immediateDestination', 'immediateOrigin'];

interface NamedFile {
  readonly name: string;
  /** How many entries were read before it. */
  readonly firstEntry: number;
}

export class MergedRecords implements RecordTaker {
  readonly batches = new HeldBatches();
  /** Of the first file. */
  header: { readonly text: string; readonly place: Place } | null = null;
  readonly #files: NamedFile[] = [];
  #entries = 0;
  #form: BatchForm | null = null;
  #batchHeader = '';
  #texts: string[] = [];
  #line = 0;

  beginFile(name: string): void {
    this.#files.push({ name, firstEntry: this.#entries });
  }

  fileHeader(view: RecordView): void {
    const text = view.text(0, recordLength);
    const place = new FilePlace(this.#files.at(-1)!.name, view.line);
    this.header ??= { text, place };
    for (const name of commonFields)
      if (routeOf(text, name) !== routeOf(this.header.text, name))
        throw refuse(
          new FilePlace(this.#files.at(-1)!.name, view.line, name),
          'it is not that of the first file',
          nachaErrors.E_NACHA_MERGE,
        );
  }

  batchHeader(view: RecordView): void {
    const text = view.text(0, recordLength);
    const layout = view.layout!;
    this.#form = batchFormOf(layout.name, fieldOf(layout, text, 'standardEntryClassCode'));
    this.#batchHeader = withField(layout, text, { name: 'batchNumber', value: 0 });
  }

  entry(view: RecordView): void {
    this.#line = view.line;
    this.#texts = [view.text(0, recordLength)];
  }

  addenda(_: AddendaName, view: RecordView): void {
    this.#texts.push(view.text(0, recordLength));
  }

  endEntry(category: Category): void {
    const form = this.#form!;
    const texts = this.#texts;
    const trace = texts[0]!.slice(79);
    const place = new FilePlace(this.#files.at(-1)!.name, this.#line);
    this.batches.add(
      { key: this.#batchHeader + category, form, header: this.#batchHeader, texts, source: this.#entries++, place },
      ({ lastTrace }) => form.kind === 'adv' || trace > lastTrace,
    );
  }

  endBatch(): void {}

  fileControl(): void {}

  end(): void {}

  /** Of an entry by its number over all files. */
  placeOf(source: number): Place {
    const file = this.#files.findLast(({ firstEntry }) => firstEntry <= source)!;
    return { pointer: () => `${file.name}, entry ${source - file.firstEntry + 1}` };
  }
}

/** As it is meant, however it is written. */
function routeOf(header: string, name: string): string {
  return withoutLeadingZero(fieldOf(fileHeader, header, name).trim());
}
