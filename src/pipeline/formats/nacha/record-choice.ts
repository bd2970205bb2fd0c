/** Which form a record has: by its type, and by the batch that it stands in. */
import { addendaNameOf } from './addenda-checks.ts';
import { addenda } from './addenda-layouts.ts';
import type { EntryColumns } from './entry-checks.ts';
import type { RecordType } from './file-state.ts';
import { batchKind } from './header-checks.ts';
import type { BatchHeaderValues, BatchKind } from './open-batch.ts';
import { formOf, type RecordForm } from './record-forms.ts';
import * as records from './record-layouts.ts';
import type { RecordView } from './record-view.ts';

const forms = {
  fileHeader: formOf(records.fileHeader),
  fileControl: formOf(records.fileControl),
  advFileControl: formOf(records.advFileControl),
  addenda: new Map(Object.entries(addenda).map(([name, layout]) => [name, formOf(layout)])),
};

interface BatchForms {
  readonly header: RecordForm;
  readonly entry: RecordForm;
  readonly control: RecordForm;
}

const batchForms: Readonly<Record<BatchKind, BatchForms>> = {
  standard: { header: formOf(records.batchHeader), entry: formOf(records.entryDetail), control: formOf(records.batchControl) },
  iat: { header: formOf(records.iatBatchHeader), entry: formOf(records.iatEntryDetail), control: formOf(records.batchControl) },
  adv: { header: formOf(records.batchHeader), entry: formOf(records.advEntryDetail), control: formOf(records.advBatchControl) },
};
const nameFirstEntryForm = formOf(records.nameFirstEntryDetail);

export const entryColumns: Readonly<Record<BatchKind, EntryColumns>> = {
  standard: { amountAt: 29, amountLength: 10 },
  iat: { amountAt: 29, amountLength: 10 },
  adv: { amountAt: 27, amountLength: 12 },
};

/** `batch`: the header of the open batch. Null: an addenda record of a type that the batch does not have. */
export function formOfRecord(type: RecordType, view: RecordView, batch: BatchHeaderValues | null, isAdvFile: boolean): RecordForm | null {
  const kind = batch?.kind ?? 'standard';
  switch (type) {
    case '1':
      return forms.fileHeader;
    case '5':
      return batchForms[batchKind(view)].header;
    case '6':
      return kind === 'standard' && batch?.sec.isNameFirst ? nameFirstEntryForm : batchForms[kind].entry;
    case '7':
      return forms.addenda.get(addendaNameOf(view, kind) ?? '') ?? null;
    case '8':
      return batchForms[kind].control;
    case '9':
      return isAdvFile ? forms.advFileControl : forms.fileControl;
  }
}
