/**
 * Looks at the bytes of a record by its layout: a good record costs one loop over its bytes against a mask of what each
 * column may hold, and the few checks that a mask cannot make. Only where the mask fails are fields looked at one by one.
 */
import { type FieldLayout, type RecordLayout, recordLength } from './field-layouts.ts';
import type { Findings } from './findings.ts';
import type { RecordView } from './record-view.ts';

const digit = 1;
const blank = 2;
const printable = 4;
const extended = 8;
const space = 0x20;
const zero = 0x30;

const classes = new Uint8Array(256);
for (let byte = space; byte < 0x7f; byte++) classes[byte] = printable;
for (let byte = zero; byte <= 0x39; byte++) classes[byte] = printable | digit;
classes[space] = printable | blank;
/** Letters and signs of Latin-1 that readers of ACH files take. */
for (let byte = 0xc0; byte <= 0xff; byte++) classes[byte] = extended;
for (const byte of [0xa0, 0xa2, 0xa6, 0xac, 0xb1]) classes[byte] = extended;

export interface RecordForm {
  readonly layout: RecordLayout;
  /** Classes that each column may hold. */
  readonly mask: Uint8Array;
  /** Fields about which the mask does not say everything. */
  readonly checked: readonly FieldLayout[];
}

export function formOf(layout: RecordLayout): RecordForm {
  const mask = new Uint8Array(recordLength);
  for (const { at, length, kind } of layout.fields) mask.fill(maskOf(kind), at, at + length);
  const isChecked = ({ name, kind, blank }: FieldLayout) =>
    blank !== 'allowed' || !(kind === 'digits' || kind === 'text' || kind === 'blank' || name === 'recordType' || name === 'typeCode');
  return { layout, mask, checked: layout.fields.filter(isChecked) };
}

function maskOf(kind: FieldLayout['kind']): number {
  switch (kind) {
    case 'digits':
    case 'flag':
      return digit;
    case 'digits-or-blank':
      return digit | blank;
    case 'blank':
      return blank;
    case 'text':
    case 'literal':
    case 'date':
    case 'date-or-blank':
    case 'time-or-blank':
    case 'julian-or-blank':
      return printable;
  }
}

export function isClean(mask: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let column = 0; column < recordLength; column++) if ((classes[bytes[at + column]!]! & mask[column]!) === 0) return false;
  return true;
}

/**
 * For a record whose mask fails: says why, and makes its numbers readable in a copy, so that all that follows may take every
 * column of a number for a digit.
 */
export function mendRecord(view: RecordView, { layout }: RecordForm, findings: Findings, copy: Buffer): void {
  view.original = view.bytes;
  view.bytes.copy(copy, 0, view.at, view.at + recordLength);
  view.bytes = copy;
  view.at = 0;
  const unreadable: string[] = [];
  view.unreadable = unreadable;
  for (const field of layout.fields) {
    checkCharacters(view, field, findings);
    if (field.kind === 'digits' || field.kind === 'digits-or-blank' || field.kind === 'flag') {
      if (!mendNumber(copy, view, field, findings)) unreadable.push(field.name);
    } else if (field.kind === 'blank' && !view.isBlank(field.at, field.length))
      findings.field('reserved', view, field.name, 'a reserved field is not blank');
  }
}

function checkCharacters(view: RecordView, { at, length, name }: FieldLayout, findings: Findings): void {
  let isExtended = false;
  for (let column = at; column < at + length; column++) {
    const found = classes[view.byte(column)]!;
    if (found === 0) {
      findings.field('character', view, name, 'a character is not allowed', [column, 1]);
      return;
    }
    if (found === extended && !isExtended) {
      isExtended = true;
      findings.field('character-extended', view, name, 'a character is not one of ASCII', [column, 1]);
    }
  }
}

/** Of banks, eight digits: no zero of them may be a space. */
const routingNumbers: ReadonlySet<string> = new Set(['RDFIIdentification', 'ODFIIdentification']);

/** False if there is no number. */
function mendNumber(bytes: Buffer, view: RecordView, { name, at, length, kind }: FieldLayout, findings: Findings): boolean {
  const text = view.text(at, length);
  if (/^[0-9]+$/.test(text)) return true;
  if (kind === 'digits-or-blank' && view.isBlank(at, length)) return true;
  if (/^ *[0-9]* *$/.test(text) && (!routingNumbers.has(name) || text.trim() === '')) {
    bytes.write(filled(text, view), at, 'latin1');
    findings.field('number-fill', view, name, `a number of ${text.trim().length} digits is filled with spaces`);
    return true;
  }
  bytes.fill(zero, at, at + length);
  const rule = kind === 'flag' ? 'addenda-indicator-code' : 'number';
  findings.field(
    rule,
    view,
    name,
    kind === 'flag' ? 'the indicator is neither 0 nor 1' : 'a numeric field has other characters than digits',
  );
  return false;
}

/** A trace number is that of a bank, 8 columns, and a number of 7: each is filled by itself, unless the line was cut in it. */
function filled(text: string, { length, wideColumns }: RecordView): string {
  if (text.length !== 15 || length - wideColumns.length < recordLength) return text.trim().padStart(text.length, '0');
  return text.slice(0, 8).trim().padStart(8, '0') + text.slice(8).trim().padStart(7, '0');
}

/** What a mask cannot say; after `mendRecord` where the mask failed. */
export function checkFields(view: RecordView, { checked }: RecordForm, findings: Findings): void {
  for (const field of checked) {
    const { name, at, length, kind } = field;
    if (field.blank !== 'allowed' && isMissing(view, field)) {
      if (field.blank === 'refused') findings.field('field-blank', view, name, 'a mandatory field is blank or zero');
      else findings.field('field-blank-expected', view, name, 'a mandatory field is blank or zero');
      continue;
    }
    if (kind === 'flag' && view.byte(at) > zero + 1)
      findings.field('addenda-indicator-code', view, name, `the indicator is ${view.text(at, 1)}, neither 0 nor 1`);
    else if (kind === 'literal' && view.text(at, length) !== field.literal)
      findings.field('record-constants', view, name, `it is not ${field.literal}`);
    else if (kind === 'digits-or-blank') checkWholeNumber(view, field, findings);
    else if (kind === 'julian-or-blank' && !isDayOfYear(view.text(at, length)))
      findings.field('settlement-date', view, name, 'it is no day of the year');
    else if (kind === 'date' && !isDate(view.text(at, length))) findings.field('file-creation-date', view, name, 'it is no date');
    else if (kind === 'date-or-blank' && !view.isBlank(at, length) && !isDate(view.text(at, length)))
      findings.field(name === 'dateOfDeath' ? 'date-of-death' : 'effective-date', view, name, 'it is no date');
    else if (kind === 'time-or-blank' && !view.isBlank(at, length) && !isTime(view.text(at, length)))
      findings.field('file-creation-time', view, name, 'it is no time');
  }
}

function isMissing(view: RecordView, { name, at, length, kind }: FieldLayout): boolean {
  if (!view.isReadable(name)) return false;
  return kind === 'digits' ? view.isNothing(at, length) : view.isBlank(at, length);
}

function checkWholeNumber(view: RecordView, { name, at, length }: FieldLayout, findings: Findings): void {
  const text = view.text(at, length);
  if (!/^(?:[0-9]+| +)$/.test(text)) findings.field('number-fill', view, name, 'a number is filled with spaces');
}

const daysOfMonth = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** yyMMdd; the century is the present one, as everywhere in these files. */
export function isDate(text: string): boolean {
  if (!/^[0-9]{6}$/.test(text)) return false;
  const year = Number(text.slice(0, 2));
  return isMonthAndDay(text.slice(2)) && (text.slice(2) !== '0229' || year % 4 === 0);
}

/** MMdd; 29 February is one. */
export function isMonthAndDay(text: string): boolean {
  const month = Number(text.slice(0, 2));
  const day = Number(text.slice(2));
  return /^[0-9]{4}$/.test(text) && day >= 1 && day <= (daysOfMonth[month - 1] ?? 0);
}

/** HHmm. */
export function isTime(text: string): boolean {
  return /^(?:[01][0-9]|2[0-3])[0-5][0-9]$/.test(text);
}

/** 001 to 366, or blank. */
export function isDayOfYear(text: string): boolean {
  return text === '   ' || (/^[0-9]{3}$/.test(text) && Number(text) >= 1 && Number(text) <= 366);
}
