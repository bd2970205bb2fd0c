/**
 * Which record types have no record number of their own: header and trailer records. The splitter has to recognise
 * them, or the numbers after them would be wrong.
 */
import type { RecordPlan } from '../engine/plan.ts';

export function isNumbered(record: RecordPlan): boolean {
  return record.role === 'data';
}

/** Tags of the types without numbers; null when every record has one, so that no tag need be read. */
export function envelopeTags(records: readonly RecordPlan[]): readonly string[] | null {
  const tags = records.filter((record) => !isNumbered(record)).map((record) => record.tag);
  if (tags.length === 0) return null;
  return tags.filter((tag) => tag !== null);
}
