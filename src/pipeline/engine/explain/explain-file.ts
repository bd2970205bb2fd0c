/** Every record of a file explained, in order: for files that people look at, never for speed. */
import type { Value } from '../expressions/values.ts';
import type { Plan } from '../plan.ts';
import { shapeRecord } from '../reference/record-shapes.ts';
import { openReferenceFile } from '../reference/reference-file.ts';
import { FileDamage } from '../reference/rows.ts';
import { explainRecord, headerValues, type RecordExplanation } from './explain-record.ts';

/** Ends where the file can't be read further. */
export function* explainFile(plan: Plan, pieces: Iterable<Uint8Array>): Generator<RecordExplanation> {
  let header: readonly Value[] = [];
  try {
    const { rows, columns } = openReferenceFile(plan, pieces);
    let isFirst = true;
    for (const row of rows) {
      const role = shapeRecord(plan, row, columns).type?.role ?? 'data';
      if (role === 'header' && isFirst) header = headerValues(plan, row, columns);
      isFirst = false;
      if (role === 'data') yield explainRecord(plan, row, { columns, header });
    }
  } catch (error) {
    if (!(error instanceof FileDamage)) throw error;
  }
}
