/** What a row of a file turns out to be, for the reference parser. */
import type { RecordPlan } from '../plan.ts';
import type { FieldText } from './field-checks.ts';
import type { RowProblem } from './rows.ts';

export interface Shape {
  /** Null when the type is not known. */
  readonly type: RecordPlan | null;
  readonly texts: readonly FieldText[];
  readonly problem: RowProblem | null;
  /** What a pack wrote into the line about it, as lines of five cells: severity, code, field, rule, message. */
  readonly notes: readonly (readonly string[])[];
}

export function broken(type: RecordPlan | null, code: string, message: string): Shape {
  return { type, texts: [], problem: { code, message }, notes: [] };
}
