/** The document that says which entries of a file are answered, and how. */
import type { JsonValue } from '../../documents/document-stream.ts';
import { addenda } from '../addenda-layouts.ts';
import { nachaErrors } from '../nacha-errors.ts';
import { isDate } from '../record-forms.ts';
import { Below, documentRoot, itemsOf, type Members, membersOf, type Place, refuse, textMember } from '../writing/document-values.ts';
import { checkCharacters } from '../writing/record-values.ts';
import { type AnswerForm, answerFormOf } from './answer-forms.ts';

export interface AnswerRequest {
  readonly form: AnswerForm;
  readonly code: string;
  /** By the names of the fields of its addenda. */
  readonly values: Readonly<Record<string, string>>;
  readonly place: Place;
  /** From 0, in the list. */
  readonly index: number;
}

export interface AnswerRequests {
  readonly fileHeader: Members;
  readonly byTrace: ReadonlyMap<string, AnswerRequest>;
}

const documentNames: ReadonlySet<string> = new Set(['fileHeader', 'entries']);

export function readAnswerRequests(document: JsonValue): AnswerRequests {
  const members = membersOf(document, documentRoot);
  for (const name of members.keys())
    if (!documentNames.has(name)) throw refuse(new Below(documentRoot, name), 'such a document has nothing of that name');
  const headerPlace = new Below(documentRoot, 'fileHeader');
  const listPlace = new Below(documentRoot, 'entries');
  const [header, list] = [members.get('fileHeader'), members.get('entries')];
  if (header === undefined) throw refuse(headerPlace, 'it is missing');
  if (list === undefined) throw refuse(listPlace, 'it is missing');
  const byTrace = new Map<string, AnswerRequest>();
  for (const [index, item] of itemsOf(list, listPlace).entries()) {
    const place = new Below(listPlace, index);
    const [trace, request] = readRequest(membersOf(item, place), { place, index });
    if (byTrace.has(trace)) throw refuse(new Below(place, 'traceNumber'), 'it is in the list twice', nachaErrors.E_NACHA_ANSWER);
    byTrace.set(trace, request);
  }
  if (byTrace.size === 0) throw refuse(listPlace, 'it is empty');
  return { fileHeader: membersOf(header, headerPlace), byTrace };
}

function readRequest(members: Members, { place, index }: { readonly place: Place; readonly index: number }): [string, AnswerRequest] {
  const trace = textMember(members, 'traceNumber', place);
  if (trace === undefined || !/^[0-9]{15}$/.test(trace)) throw refuse(new Below(place, 'traceNumber'), 'it is no text of 15 digits');
  const code = textMember(members, 'code', place) ?? '';
  const form = answerFormOf(code);
  if (form === null)
    throw refuse(new Below(place, 'code'), 'it is neither a return reason code nor a change code', nachaErrors.E_NACHA_ANSWER);
  const values: Record<string, string> = {};
  for (const name of members.keys()) {
    if (name === 'traceNumber' || name === 'code') continue;
    const here = new Below(place, name);
    const takenName = form.takes.find((taken) => taken === name);
    if (takenName === undefined) throw refuse(here, `an answer with code ${code} has nothing of that name`);
    const value = textMember(members, name, place)!;
    const { length } = addenda[form.addenda].fields.find((field) => field.name === name)!;
    if (value.length > length) throw refuse(here, `it has ${value.length} characters, its field ${length} columns`);
    checkCharacters(value, here);
    if (name.startsWith('date') && !isDate(value)) throw refuse(here, 'it is no date of six digits, yyMMdd');
    values[name] = value;
  }
  for (const name of form.requires)
    if ((values[name] ?? '').trim() === '') throw refuse(new Below(place, name), `it is missing, but needed with code ${code}`);
  return [trace, { form, code, values, place, index }];
}
