/**
 * What a layout of a record of 94 columns says, and how one is written down: a list of fields whose columns follow from their
 * lengths. The layouts are in `record-layouts.ts` and `addenda-layouts.ts`.
 */

/**
 * `digits`: zero-filled number. `digits-or-blank`: the same, or all spaces. `text`: printable, left-justified. `date`:
 * yyMMdd, `date-or-blank` or all spaces. `time-or-blank`: HHmm. `julian-or-blank`: day of the year. `blank`: spaces.
 * `literal`: that text. `flag`: 0 or 1.
 */
type FieldKind =
  | 'digits'
  | 'digits-or-blank'
  | 'flag'
  | 'text'
  | 'date'
  | 'date-or-blank'
  | 'time-or-blank'
  | 'julian-or-blank'
  | 'blank'
  | 'literal';

/**
 * How `--parse` prints a field. `number`: a JSON number. `text`: without the spaces around it. `exact`: every character.
 * `date`, `time`, `julian`: the text if it is one, else empty (`julian`: three spaces). `routing`, `origin`: `text`, `origin`
 * without the zero before nine others. `hidden`: not at all.
 */
type Printing = 'number' | 'text' | 'exact' | 'date' | 'time' | 'julian' | 'routing' | 'origin' | 'hidden';

export interface FieldLayout {
  readonly name: string;
  /** 0-based column and number of columns. */
  readonly at: number;
  readonly length: number;
  readonly kind: FieldKind;
  readonly literal?: string;
  /** Blank, or zero where it is digits: `refused`, or `warned` of. */
  readonly blank: 'refused' | 'warned' | 'allowed';
  readonly prints: Printing;
}

export interface RecordLayout {
  /** As findings and `--parse` name it. */
  readonly name: string;
  readonly fields: readonly FieldLayout[];
}

export const recordLength = 94;

interface Options {
  readonly literal?: string;
  readonly blank?: FieldLayout['blank'];
  readonly prints?: Printing;
}

export type Given = readonly [name: string, length: number, kind: FieldKind, options?: Options];

export function layout(name: string, ...given: readonly Given[]): RecordLayout {
  let at = 0;
  const fields = given.map(([field, length, kind, options]): FieldLayout => {
    const start = at;
    at += length;
    return { name: field, at: start, length, kind, blank: 'allowed', prints: 'text', ...options };
  });
  if (at !== recordLength) throw new Error(`${name} has ${at} columns`);
  return { name, fields };
}

export const hidden = { prints: 'hidden' } as const;
export const required = { blank: 'refused' } as const;
export const expected = { blank: 'warned' } as const;
export const number = { prints: 'number' } as const;
export const requiredNumber = { ...required, ...number } as const;
export const exact = { prints: 'exact' } as const;
export const recordType = (literal: string): Given => ['recordType', 1, 'literal', { literal, ...hidden }];
export const addendaType = (literal: string): Given => ['typeCode', 2, 'literal', { literal }];
export const reserved = (length: number): Given => ['reserved', length, 'blank', hidden];
export const traceNumber: Given = ['traceNumber', 15, 'digits'];
export const sequence: Given = ['sequenceNumber', 4, 'digits', requiredNumber];
export const entryDetailSequence: Given = ['entryDetailSequenceNumber', 7, 'digits', number];
export const effectiveEntryDate: Given = ['effectiveEntryDate', 6, 'date-or-blank', { prints: 'date' }];
export const settlementDate: Given = ['settlementDate', 3, 'julian-or-blank', { prints: 'julian' }];
