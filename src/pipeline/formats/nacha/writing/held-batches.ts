/**
 * Batches that are put together before they are written: entries of the same batch header, in the order in which they came.
 * Bounded: 94 bytes for each record, and so many records.
 */
import { nachaErrors } from '../nacha-errors.ts';
import type { BatchForm } from './batch-forms.ts';
import { type Place, refuse } from './document-values.ts';
import { HeldRecords } from './held-records.ts';
import { WrittenTotals } from './written-totals.ts';

/** Of all batches together: 188 MB. */
const heldRecordsMax = 2_000_000;
/** What the count of a batch control holds; its totals are as wide as those of the file, so that another batch would not help. */
const batchRecordsMax = 999_999;

export class HeldBatch {
  readonly form: BatchForm;
  /** Its record, with any batch number. */
  readonly header: string;
  /** Of its first entry. */
  readonly place: Place;
  readonly held = new HeldRecords();
  readonly totals = new WrittenTotals();
  /** The trace number of the last entry. */
  lastTrace = '';

  constructor(form: BatchForm, header: string, place: Place) {
    this.form = form;
    this.header = header;
    this.place = place;
  }

  /** Whether the control of the batch could count so many records more. */
  hasRoomFor(records: number): boolean {
    return this.totals.records + records <= batchRecordsMax;
  }

  add(texts: readonly string[], source: number): void {
    this.held.add(texts, source);
    this.totals.addEntry(texts[0]!, this.form.amount);
    for (let index = 1; index < texts.length; index++) this.totals.addAddenda();
    if (this.form.kind !== 'adv') this.lastTrace = texts[0]!.slice(79);
  }
}

export interface HeldEntry {
  /** Batches are told apart by it. */
  readonly key: string;
  readonly form: BatchForm;
  readonly header: string;
  readonly texts: readonly string[];
  readonly source: number;
  readonly place: Place;
}

export class HeldBatches {
  readonly inOrder: HeldBatch[] = [];
  readonly #open = new Map<string, HeldBatch>();
  readonly #recordsMax: number;
  #records = 0;

  constructor(recordsMax: number = heldRecordsMax) {
    this.#recordsMax = recordsMax;
  }

  /** `isJoinable`: whether the entry may follow those of the batch that has its key; if not, it begins another one. */
  add({ key, form, header, texts, source, place }: HeldEntry, isJoinable: (batch: HeldBatch) => boolean = () => true): void {
    this.#records += texts.length;
    if (this.#records > this.#recordsMax)
      throw refuse(
        place,
        `more than ${this.#recordsMax} records would have to be held to put them into batches`,
        nachaErrors.E_NACHA_LIMIT,
      );
    let batch = this.#open.get(key);
    if (batch === undefined || !batch.hasRoomFor(texts.length) || !isJoinable(batch)) {
      batch = new HeldBatch(form, header, place);
      this.#open.set(key, batch);
      this.inOrder.push(batch);
    }
    batch.add(texts, source);
  }
}
