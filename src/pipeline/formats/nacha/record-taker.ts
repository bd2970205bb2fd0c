/** What takes the records of an ACH file as they are read, those that are where they may be: a document, or another file. */
import type { AddendaName } from './addenda-layouts.ts';
import type { Category } from './open-batch.ts';
import type { RecordView } from './record-view.ts';

/** A view is valid until the call returns. */
export interface RecordTaker {
  fileHeader(view: RecordView): void;
  batchHeader(view: RecordView): void;
  entry(view: RecordView): void;
  addenda(name: AddendaName, view: RecordView): void;
  endEntry(category: Category): void;
  /** `control`: null if there is none. */
  endBatch(control: RecordView | null): void;
  fileControl(view: RecordView): void;
  end(): void;
}
