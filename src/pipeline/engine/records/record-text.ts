/** A record taken apart: its type and one text per field of that type, null where absent. Reused from record to record. */
import type { TextKind } from '../fields/field-reader.ts';
import type { StructureProblem } from './structure-problem.ts';

export interface RecordText {
  /** Index into `plan.records`; -1 when the type is not known. */
  type: number;
  readonly texts: (string | null)[];
  readonly kinds: TextKind[];
  /** What a pack says of it (`pack-notes.ts`); null: nothing. */
  notes: string | null;
}

export function createRecordText(): RecordText {
  return { type: -1, texts: [], kinds: [], notes: null };
}

/**
 * Takes one record's bytes apart (line end left out, valid UTF-8). Returns the structure problem, after which `type` may
 * still be known and the texts mean nothing.
 */
export type RecordReader = (bytes: Buffer, start: number, end: number, into: RecordText) => StructureProblem | null;
