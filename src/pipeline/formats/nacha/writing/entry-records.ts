/** Makes the records of an entry of a document: the entry and its addenda, in the order of the file that they came from, or of their types. */
import type { JsonValue } from '../../documents/document-stream.ts';
import { addendaNameOf } from '../addenda-checks.ts';
import { type AddendaName, addenda } from '../addenda-layouts.ts';
import { addendaMax } from '../document-writer.ts';
import { recordLength } from '../field-layouts.ts';
import type { Category } from '../open-batch.ts';
import { RecordView } from '../record-view.ts';
import { checkDigitOf } from '../routing-number.ts';
import { type BatchForm, isAddendaName } from './batch-forms.ts';
import { Below, countMember, type Members, membersOf, type Place, refuse } from './document-values.ts';
import { checkGap, type LineForm, usualLine } from './file-output.ts';
import { recordText } from './record-values.ts';

export interface MadeRecord {
  readonly text: string;
  readonly place: Place;
  readonly line: LineForm;
}

interface EntryContext {
  readonly form: BatchForm;
  /** Eight digits; empty: the batch has none. */
  readonly odfi: string;
  /** For an entry that has no trace number: the last seven digits of it. */
  readonly nextSequence: number;
  readonly keepsComputed: boolean;
}

interface GivenAddenda {
  readonly name: AddendaName;
  readonly members: Members;
  readonly place: Place;
  /** From 1, of those of its name. */
  readonly sequence: number;
  readonly line: number;
}

const entryRequired = ['transactionCode', 'RDFIIdentification', 'amount'];
const categories: ReadonlySet<string> = new Set<Category>(['Forward', 'Return', 'NOC', 'DishonoredReturn', 'DishonoredReturnContested']);
const view = new RecordView();

/** The first is the entry itself. */
export function entryRecords(members: Members, place: Place, context: EntryContext): MadeRecord[] {
  const { form, odfi, nextSequence, keepsComputed } = context;
  const given = givenAddenda(members, place);
  const routing = members.get('RDFIIdentification');
  const digits = routing === undefined || routing.kind === 'object' || routing.kind === 'array' ? '' : textOf(routing).padStart(8, '0');
  const isAdv = form.kind === 'adv';
  const text = recordText(
    {
      layout: form.entry,
      members,
      place,
      missing: {
        ...(/^[0-9]{8}$/.test(digits) ? { checkDigit: checkDigitOf(Buffer.from(digits), 0) } : {}),
        addendaRecordIndicator: given.length > 0 ? 1 : 0,
        // Some count the mandatory ones only: no number is refused.
        addendaRecords: given.length,
        ...(isAdv ? { sequenceNumber: nextSequence } : { traceNumber: odfi + String(nextSequence).padStart(7, '0') }),
      },
      required: entryRequired,
      besides: (name) => isAddendaName(name) || name === 'category',
    },
    keepsComputed,
  );
  const trace = isAdv ? '' : text.slice(79);
  const made = given.map((each) => addendaRecord(each, { trace, form, keepsComputed }));
  checkCategory(members, given, place);
  return [{ text, place, line: lineFormOf(members, place) }, ...made];
}

function textOf(value: JsonValue): string {
  return value.kind === 'string' ? value.value : value.kind === 'number' ? value.text : '';
}

function givenAddenda(members: Members, place: Place): GivenAddenda[] {
  const given: GivenAddenda[] = [];
  for (const [name, value] of members) {
    if (!isAddendaName(name)) continue;
    const items = value.kind === 'array' ? value.items.map((each, index) => [each, new Below(place, name, index)] as const) : [];
    for (const [index, [item, here]] of (value.kind === 'array' ? items : [[value, new Below(place, name)] as const]).entries()) {
      const own = membersOf(item, here);
      given.push({ name, members: own, place: here, sequence: index + 1, line: countMember(own, 'lineNumber', here) ?? 0 });
      if (given.length > addendaMax) throw refuse(here, `an entry has more than ${addendaMax} addenda records`);
    }
  }
  const byLine = given.every(({ line }) => line > 0);
  return given.sort((one, other) => (byLine ? one.line - other.line : orderOf(one.name) - orderOf(other.name)));
}

function orderOf(name: AddendaName): number {
  return Number(name.slice(7, 9));
}

function addendaRecord(
  { name, members, place, sequence }: GivenAddenda,
  { trace, form, keepsComputed }: { readonly trace: string; readonly form: BatchForm; readonly keepsComputed: boolean },
): MadeRecord {
  const layout = addenda[name];
  const missing = {
    typeCode: name.slice(7, 9),
    sequenceNumber: sequence,
    ...(trace === '' ? {} : { traceNumber: trace, entryDetailSequenceNumber: trace.slice(8) }),
  };
  const text = recordText({ layout, members, place, missing }, keepsComputed);
  view.bytes = Buffer.from(text, 'latin1');
  const read = addendaNameOf(view, form.kind);
  if (read !== name) throw refuse(place, read === null ? 'its batch has no addenda of that type' : `by its code it is one of ${read}`);
  return { text, place, line: lineFormOf(members, place) };
}

/** What a document says of the line of a record. */
export function lineFormOf(members: Members, place: Place): LineForm {
  const before = members.get('before');
  const columns = members.get('columns');
  if ((before === undefined || before.kind === 'null') && columns === undefined) return usualLine;
  const here = new Below(place, 'before');
  if (before !== undefined && before.kind !== 'null' && before.kind !== 'string') throw refuse(here, 'it is no text');
  return {
    before: before?.kind === 'string' ? checkGap(before.value, here) : null,
    columns: countMember(members, 'columns', place) ?? recordLength,
  };
}

/** By the last of such addenda, as the reader does. */
function checkCategory(members: Members, given: readonly GivenAddenda[], place: Place): void {
  const value = members.get('category');
  if (value === undefined) return;
  const here = new Below(place, 'category');
  if (value.kind !== 'string' || !categories.has(value.value)) throw refuse(here, `it is none of ${[...categories].join(', ')}`);
  const category = categoryOf(given.map(({ name }) => name));
  if (value.value !== category) throw refuse(here, `by its addenda the entry is of category ${category}`);
}

/** By the names of its addenda, in their order; other names are left out. */
export function categoryOf(names: Iterable<string>): Category {
  let category: Category = 'Forward';
  for (const name of names) {
    if (name === 'addenda98' || name === 'addenda98Refused') category = 'NOC';
    else if (name === 'addenda99') category = 'Return';
    else if (name === 'addenda99Dishonored') category = 'DishonoredReturn';
    else if (name === 'addenda99Contested') category = 'DishonoredReturnContested';
  }
  return category;
}
