/** A finding before it has a place. */
export interface RecordFinding {
  readonly code: string;
  readonly field: string | null;
  readonly rule: string | null;
  readonly message: string;
}

/**
 * What the words of a finding about a record of a pack begin with, as its offset is one of the pack's lines: the line of the file as
 * received, which is a field of every record. `text`: of that field.
 */
export function placeInFile(text: string | null): string {
  return text === null || !/^\d{1,16}$/.test(text) ? '' : `line ${text}: `;
}

/** The name of that field. */
export const lineField = 'line';
