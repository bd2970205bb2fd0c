/** The entry that is being read, until its last addenda record was. One object is used for all of them. */
import { type AddendaName, addenda } from './addenda-layouts.ts';
import type { RecordPlace } from './findings.ts';
import type { Category } from './open-batch.ts';
import type { RecordView } from './record-view.ts';

const addendaNames = Object.keys(addenda) as readonly AddendaName[];

export class OpenEntry implements RecordPlace {
  isOpen = false;
  line = 0;
  offset = 0;
  length = 0;
  layout: RecordPlace['layout'] = null;
  wideColumns: readonly number[] = [];
  /** NaN: it cannot be read. */
  transactionCode = 0;
  /** What the transaction code is; 0: the Rules do not have it. */
  codeBits = 0;
  amount = 0;
  trace = 0;
  indicator = 0;
  category: Category = 'Forward';
  /** Entries that balance a batch, where the settings know them. */
  isOffset = false;
  /** Where the class of entries says so: how many addenda there are to be; null: it does not. */
  declaredAddenda: number | null = null;
  addendaRecords = 0;
  hasSequenceGap = false;
  lastType = 0;
  /** Errors of the file before this entry. */
  errorsBefore = 0;
  /** Types of the addenda that there are, in the order of their first records. */
  addendaTypes: AddendaName[] = [];
  readonly #counts = new Map<AddendaName, number>(addendaNames.map((name) => [name, 0]));
  readonly #sequences = new Map<AddendaName, number>(this.#counts);

  begin(view: RecordView, errorsBefore: number): void {
    this.isOpen = true;
    this.line = view.line;
    this.offset = view.offset;
    this.layout = view.layout;
    this.length = view.length;
    this.wideColumns = view.wideColumns;
    this.category = 'Forward';
    this.isOffset = false;
    this.declaredAddenda = null;
    this.lastType = 0;
    this.errorsBefore = errorsBefore;
    if (this.addendaRecords === 0) return;
    this.addendaRecords = 0;
    for (const name of this.addendaTypes) {
      this.#counts.set(name, 0);
      this.#sequences.set(name, 0);
    }
    this.addendaTypes = [];
  }

  addAddenda(name: AddendaName): void {
    this.addendaRecords++;
    const count = this.count(name);
    if (count === 0) this.addendaTypes.push(name);
    this.#counts.set(name, count + 1);
  }

  count(name: AddendaName): number {
    return this.#counts.get(name)!;
  }

  /** Of the last addenda of that type; 0: there was none. */
  lastSequence(name: AddendaName): number {
    return this.#sequences.get(name)!;
  }

  /** The sequence number of the addenda of that type before; 0: there was none. */
  swapSequence(name: AddendaName, sequence: number): number {
    const before = this.#sequences.get(name)!;
    this.#sequences.set(name, sequence);
    return before;
  }
}
