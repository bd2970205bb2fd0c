/**
 * Takes entries one by one, each with what the header of its batch says, and puts them into batches: those whose headers are
 * the same and that are of one category, in the order in which the first of each came.
 */
import type { JsonValue, PartKey, PartTaker } from '../../documents/document-stream.ts';
import type { AchFileWriter } from './ach-file-writer.ts';
import { type BatchForm, batchFormOf } from './batch-forms.ts';
import { Below, type Members, membersOf, type Place, refuse, textMember } from './document-values.ts';
import { categoryOf, entryRecords } from './entry-records.ts';
import { usualLine } from './file-output.ts';
import { type HeldBatch, HeldBatches } from './held-batches.ts';
import { fieldOf, withField } from './record-text.ts';
import { recordText } from './record-values.ts';

/** Of entries of a document whose batches are given. */
const refusedNames = ['batchNumber', 'written', 'before', 'columns'];
const noServiceClass = '000';

export class FlatEntriesTaker implements PartTaker {
  readonly #writer: AchFileWriter;
  readonly #place: Place;
  readonly #batches = new HeldBatches();
  #sequence: number;

  constructor(writer: AchFileWriter, place: Place) {
    this.#writer = writer;
    this.#place = place;
    this.#sequence = writer.sequence;
  }

  open(): null {
    return null;
  }

  take(key: PartKey, value: JsonValue): void {
    const place = new Below(this.#place, key);
    const members = membersOf(value, place);
    for (const name of refusedNames)
      if (members.has(name)) throw refuse(new Below(place, name), 'an entry that is to be put into a batch has nothing of that name');
    const secCode = textMember(members, 'standardEntryClassCode', place);
    if (secCode === undefined) throw refuse(new Below(place, 'standardEntryClassCode'), 'it is missing');
    const isIat = secCode === 'IAT' || members.has('IATIndicator');
    const form = batchFormOf(isIat ? 'IATBatchHeader' : 'batchHeader', secCode);
    const [own, header] = this.#parts(members, form, place);
    const odfi = fieldOf(form.header, header, 'ODFIIdentification');
    const context = {
      form,
      odfi,
      nextSequence: this.#writer.sequenceAfter(this.#sequence, place),
      keepsComputed: this.#writer.keepsComputed,
    };
    const records = entryRecords(own, place, context);
    const texts = records.map(({ text }) => text);
    this.#sequence = this.#writer.sequenceOf(form, texts[0]!);
    this.#batches.add({ key: `${header}${categoryOf(own.keys())}`, form, header, texts, source: key as number, place });
  }

  close(): void {
    for (const batch of this.#batches.inOrder) {
      const header = withServiceClass(batch);
      this.#writer.beginBatchRecord(batch.form, header, batch.place);
      for (const { source, texts } of batch.held.inOrder()) {
        const place = new Below(this.#place, source);
        this.#writer.entryRecords(texts.map((text) => ({ text, place, line: usualLine })));
      }
      this.#writer.endBatch({ members: null, place: batch.place });
    }
  }

  /** What is the entry's, and the record of the header that it belongs to, without a number. */
  #parts(members: Members, form: BatchForm, place: Place): readonly [Members, string] {
    const names = new Set(form.header.fields.map(({ name }) => name));
    const of = (isOfHeader: boolean): Members => new Map([...members].filter(([name]) => names.has(name) === isOfHeader));
    const missing = { serviceClassCode: noServiceClass, originatorStatusCode: form.kind === 'adv' ? 0 : 1 };
    const header = recordText({ layout: form.header, members: of(true), place, missing }, this.#writer.keepsComputed);
    return [of(false), header];
  }
}

/** Of the sides that its entries have, where it is not given. */
function withServiceClass({ form, header, totals }: HeldBatch): string {
  if (fieldOf(form.header, header, 'serviceClassCode') !== noServiceClass) return header;
  const code = form.kind === 'adv' ? 280 : totals.hasCredits === totals.hasDebits ? 200 : totals.hasCredits ? 220 : 225;
  return withField(form.header, header, { name: 'serviceClassCode', value: code });
}
