/** A finding before it has a place. */
export interface RecordFinding {
  readonly code: string;
  readonly field: string | null;
  readonly rule: string | null;
  readonly message: string;
}
