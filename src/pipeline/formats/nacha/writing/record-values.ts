/**
 * Makes the 94 characters of a record from the values of its object: what `written` has as it stands, else the value in its
 * columns, else what is computed, else blanks or zeros. Values that do not fit, and names that the record does not have, are refused.
 */
import type { FieldLayout, RecordLayout } from '../field-layouts.ts';
import { printedValue, writtenBy, writtenName, writtenWithout } from '../field-values.ts';
import { nachaErrors } from '../nacha-errors.ts';
import { Below, type Members, membersOf, type Place, refuse } from './document-values.ts';

type Computed = Readonly<Record<string, string | number | bigint>>;

export interface RecordValues {
  readonly layout: RecordLayout;
  readonly members: Members;
  readonly place: Place;
  /** For fields that the object does not have. */
  readonly missing?: Computed;
  /** What a field has to be, whether the object has it or not. */
  readonly computed?: Computed;
  /** Fields that nothing stands for. */
  readonly required?: readonly string[];
  /** Names of the object that are no fields of its record. */
  readonly besides?: (name: string) => boolean;
}

/** Of every record, besides its fields. */
const ownNames: ReadonlySet<string> = new Set(['lineNumber', 'written', 'before', 'columns']);

/** Of each layout, names that a record may have and those of `written`. */
const namesOf = new Map<RecordLayout, { readonly values: ReadonlySet<string>; readonly written: ReadonlySet<string> }>();

/** One character of Latin-1 for each column. */
export function recordText(values: RecordValues, keepsComputed: boolean): string {
  const { layout, members, place } = values;
  const written = members.get('written');
  const asWritten = written === undefined ? null : membersOf(written, new Below(place, 'written'));
  checkNames(values, asWritten);
  let text = '';
  for (const field of layout.fields) text += fieldText(field, values, { asWritten, keepsComputed });
  return text;
}

function checkNames({ layout, members, place, besides }: RecordValues, asWritten: Members | null): void {
  let names = namesOf.get(layout);
  if (names === undefined) {
    const values = new Set(layout.fields.filter(({ prints }) => prints !== 'hidden').map(({ name }) => name));
    namesOf.set(layout, (names = { values, written: new Set(layout.fields.map(writtenName)) }));
  }
  for (const name of members.keys())
    if (!names.values.has(name) && !ownNames.has(name) && !besides?.(name))
      throw refuse(new Below(place, name), `${layout.name} has no field of that name`);
  for (const name of asWritten?.keys() ?? [])
    if (!names.written.has(name)) throw refuse(new Below(place, 'written', name), `${layout.name} has no field of that name`);
}

interface Ways {
  readonly asWritten: Members | null;
  readonly keepsComputed: boolean;
}

function fieldText(field: FieldLayout, values: RecordValues, { asWritten, keepsComputed }: Ways): string {
  const { members, place, missing, computed, required } = values;
  const { name } = field;
  const given = field.prints === 'hidden' ? undefined : members.get(name);
  const exact = asWritten?.get(writtenName(field));
  const wanted = computed?.[name];
  if (given === undefined && exact === undefined) {
    const value = wanted ?? missing?.[name];
    if (value !== undefined) return fitting(field, String(value), place);
    if (required?.includes(name)) throw refuse(new Below(place, name), 'it is missing');
    return writtenWithout(field);
  }
  const value = given === undefined ? undefined : scalarText(field, given, new Below(place, name));
  const text = exact === undefined ? fitting(field, value!, place) : exactText(field, { exact, value, place });
  if (wanted !== undefined && !keepsComputed && !isSameNumber(text, wanted))
    throw refuse(new Below(place, name), `it is ${shownNumber(text)}, computed ${wanted}`, nachaErrors.E_NACHA_COMPUTED);
  return text;
}

function isSameNumber(text: string, wanted: string | number | bigint): boolean {
  return /^[0-9]+$/.test(text.trim()) && BigInt(text.trim()) === BigInt(wanted);
}

/** Only digits are told of a value. */
function shownNumber(text: string): string {
  return /^[0-9]+$/.test(text.trim()) ? String(BigInt(text.trim())) : 'no number';
}

/** The text of a value: of numbers their digits, which fields of digits may have in place of text. */
function scalarText({ kind, prints }: FieldLayout, value: NonNullable<ReturnType<Members['get']>>, place: Place): string {
  const isNumeric = prints === 'number' || kind === 'digits' || kind === 'flag' || kind === 'digits-or-blank';
  if (value.kind === 'number') {
    if (!isNumeric) throw refuse(place, 'it is no text');
    if (!/^(?:0|[1-9][0-9]*)$/.test(value.text)) throw refuse(place, 'it is no whole number from zero');
    return value.text;
  }
  if (value.kind !== 'string') throw refuse(place, isNumeric ? 'it is no number' : 'it is no text');
  if (isNumeric && !/^[0-9]*$/.test(value.value.trim())) throw refuse(place, 'it is no number');
  return value.value;
}

/** Printable characters of ASCII, and letters and signs of Latin-1: the reader says which of them. */
const allowedCharacters = /^[\u0020-\u007e\u00a0-\u00ff]*$/;

export function checkCharacters(text: string, place: Place): void {
  if (!allowedCharacters.test(text)) throw refuse(place, 'a character is not allowed');
}

function fitting(field: FieldLayout, value: string, place: Place): string {
  const { name, length, prints, kind, literal } = field;
  const isBare = (prints === 'routing' || prints === 'origin') && value.length >= length;
  const isFilled = kind === 'digits' && prints === 'exact';
  const text = isBare
    ? value
    : isFilled
      ? value.padStart(length, '0')
      : writtenBy(field, value === '' && prints === 'number' ? '0' : value);
  if (text.length > length) throw refuse(new Below(place, name), `it has ${value.length} characters, its field ${length} columns`);
  checkCharacters(text, new Below(place, name));
  if (name === 'typeCode' && text !== literal) throw refuse(new Below(place, name), `it is not ${literal}`);
  return text;
}

interface ExactValue {
  readonly exact: NonNullable<ReturnType<Members['get']>>;
  readonly value: string | undefined;
  readonly place: Place;
}

function exactText(field: FieldLayout, { exact, value, place }: ExactValue): string {
  const here = new Below(place, 'written', writtenName(field));
  if (exact.kind !== 'string') throw refuse(here, 'it is no text');
  const text = exact.value;
  if (text.length !== field.length) throw refuse(here, `it has ${text.length} characters, its field ${field.length} columns`);
  checkCharacters(text, here);
  if (value !== undefined && String(printedValue(field, text)) !== value)
    throw refuse(here, `it is not how ${field.name} is written: change both, or take it out`);
  return text;
}
