/**
 * Takes a document of an ACH file part by part, in the order in which a file is written: the header, the line end, the batches,
 * the control, what follows it. Of batches of any size one entry is held.
 */
import type { JsonValue, PartKey, PartTaker, ValueTaker } from '../../documents/document-stream.ts';
import { type LineEndName, lineEndNames } from '../line-ends.ts';
import { advFileControl, fileControl } from '../record-layouts.ts';
import type { AchFileWriter } from './ach-file-writer.ts';
import { type BatchForm, headerNames } from './batch-forms.ts';
import { Below, countOf, documentRoot, membersOf, type Place, refuse } from './document-values.ts';
import { checkTrailer } from './file-output.ts';
import { FlatEntriesTaker } from './flat-entries.ts';

/** Members of a document, in their order; those of one place in it are alternatives. */
const fileMembers: readonly (readonly string[])[] = [
  ['fileHeader'],
  ['lineEnd'],
  ['batches', 'entries'],
  [fileControl.name, advFileControl.name],
  ['filler', 'isLastLineEnded', 'trailer'],
];

export class FileTaker implements ValueTaker, PartTaker {
  readonly #writer: AchFileWriter;
  #stage = 0;
  readonly trailer = { filler: null as number | null, isLastLineEnded: true, trailer: null as string | null };

  constructor(writer: AchFileWriter) {
    this.#writer = writer;
  }

  open(key: PartKey, kind: 'object' | 'list'): PartTaker | null {
    if (key === '') {
      if (kind === 'list') throw refuse(documentRoot, 'it is no object');
      return this;
    }
    if ((key !== 'batches' && key !== 'entries') || kind === 'object') return null;
    this.#enter(key);
    return key === 'batches' ? new BatchListTaker(this.#writer) : new FlatEntriesTaker(this.#writer, new Below(documentRoot, key));
  }

  take(key: PartKey, value: JsonValue): void {
    const place = new Below(documentRoot, key);
    if (key === '') throw refuse(documentRoot, 'it is no object');
    this.#enter(String(key));
    switch (key) {
      case 'fileHeader':
        this.#writer.fileHeader(membersOf(value, place), place);
        break;
      case 'lineEnd':
        this.#takeLineEnd(value, place);
        break;
      case 'filler':
        this.trailer.filler = countOf(value, place);
        if (this.trailer.filler > fillerMax) throw refuse(place, `it is above ${fillerMax}`);
        break;
      case 'isLastLineEnded':
        if (value.kind !== 'boolean') throw refuse(place, 'it is neither true nor false');
        this.trailer.isLastLineEnded = value.value;
        break;
      case 'trailer':
        if (value.kind !== 'null') this.trailer.trailer = trailerOf(value, place);
        break;
      case 'batches':
      case 'entries':
        throw refuse(place, 'it is no list');
      default:
        this.#takeControl(String(key), value, place);
    }
  }

  close(): void {
    if (this.#stage === 0) throw refuse(new Below(documentRoot, 'fileHeader'), 'it is missing');
  }

  #takeLineEnd(value: JsonValue, place: Place): void {
    const name = value.kind === 'string' ? (value.value as LineEndName) : undefined;
    if (name === undefined || !lineEndNames.includes(name)) throw refuse(place, `it is none of ${lineEndNames.join(', ')}`);
    if (this.#writer.output.keepsLines) this.#writer.output.lineEnd = name;
  }

  #takeControl(name: string, value: JsonValue, place: Place): void {
    const wanted = this.#writer.isAdvFile ? advFileControl.name : fileControl.name;
    if (name !== wanted) throw refuse(place, `the control of such a file is ${wanted}`);
    this.#writer.fileControl({ members: membersOf(value, place), place });
  }

  /** In the order of a file. */
  #enter(name: string): void {
    const stage = fileMembers.findIndex((names) => names.includes(name)) + 1;
    const place = new Below(documentRoot, name);
    if (stage === 0) throw refuse(place, 'a document has nothing of that name');
    if (stage < this.#stage) throw refuse(place, `it comes before ${fileMembers[this.#stage - 1]!.join(' and ')}`);
    if (this.#stage === 0 && stage > 1)
      throw refuse(new Below(documentRoot, 'fileHeader'), 'it is missing, or not the first of the document');
    this.#stage = stage;
  }
}

/** Of records behind the file control; a file is never filled by more than nine. */
const fillerMax = 1_000;

function trailerOf(value: JsonValue, place: Place): string {
  if (value.kind !== 'string') throw refuse(place, 'it is no text');
  return checkTrailer(value.value, place);
}

class BatchListTaker implements PartTaker {
  readonly #writer: AchFileWriter;

  constructor(writer: AchFileWriter) {
    this.#writer = writer;
  }

  open(key: PartKey, kind: 'object' | 'list'): PartTaker {
    const place = new Below(documentRoot, 'batches', key);
    if (kind === 'list') throw refuse(place, 'it is no object');
    return new BatchTaker(this.#writer, place);
  }

  take(key: PartKey): void {
    throw refuse(new Below(documentRoot, 'batches', key), 'it is no object');
  }

  close(): void {}
}

class BatchTaker implements PartTaker {
  readonly #writer: AchFileWriter;
  readonly #place: Place;
  #form: BatchForm | null = null;
  #isControlled = false;

  constructor(writer: AchFileWriter, place: Place) {
    this.#writer = writer;
    this.#place = place;
  }

  open(key: PartKey, kind: 'object' | 'list'): PartTaker | null {
    if (kind === 'object' || !/^(?:entryDetails|IATEntryDetails|advEntryDetails)$/.test(String(key))) return null;
    const here = new Below(this.#place, key);
    const form = this.#openForm(here);
    if (key !== form.entriesName) throw refuse(here, `the entries of such a batch are ${form.entriesName}`);
    return new EntryListTaker(this.#writer, here);
  }

  take(key: PartKey, value: JsonValue): void {
    const here = new Below(this.#place, key);
    const name = String(key);
    if (headerNames.has(name)) {
      if (this.#form !== null) throw refuse(here, 'a batch has one header');
      this.#form = this.#writer.beginBatch(name, membersOf(value, here), here);
      return;
    }
    const form = this.#openForm(here);
    if (name !== form.control.name) throw refuse(here, 'such a batch has nothing of that name');
    this.#isControlled = true;
    this.#writer.endBatch({ members: membersOf(value, here), place: here });
  }

  close(): void {
    const { name } = this.#openForm(this.#place).control;
    if (!this.#isControlled) this.#writer.endBatch({ members: null, place: new Below(this.#place, name) });
  }

  /** Of the batch, whose header comes first and whose control comes last. */
  #openForm(here: Place): BatchForm {
    if (this.#form === null) throw refuse(here, 'the header of its batch is missing, or not the first of it');
    if (this.#isControlled && here !== this.#place) throw refuse(here, 'it comes before the control of its batch');
    return this.#form;
  }
}

class EntryListTaker implements PartTaker {
  readonly #writer: AchFileWriter;
  readonly #place: Place;

  constructor(writer: AchFileWriter, place: Place) {
    this.#writer = writer;
    this.#place = place;
  }

  open(): null {
    return null;
  }

  take(key: PartKey, value: JsonValue): void {
    const here = new Below(this.#place, key);
    this.#writer.entry(membersOf(value, here), here);
  }

  close(): void {}
}
