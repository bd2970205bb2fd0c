/** Takes the records of the file whose entries are answered, and holds the answers by batch. */
import type { AddendaName } from '../addenda-layouts.ts';
import { isCredit, isDebit, transactionCodes } from '../code-tables.ts';
import { recordLength } from '../field-layouts.ts';
import { nachaErrors } from '../nacha-errors.ts';
import type { Category } from '../open-batch.ts';
import type { RecordTaker } from '../record-taker.ts';
import type { RecordView } from '../record-view.ts';
import { type BatchForm, batchFormOf } from '../writing/batch-forms.ts';
import { Below, refuse } from '../writing/document-values.ts';
import { HeldBatches } from '../writing/held-batches.ts';
import { fieldOf } from '../writing/record-text.ts';
import { type AnsweredEntry, answerRecords } from './answer-records.ts';
import type { AnswerRequest, AnswerRequests } from './answer-requests.ts';

/** The end of a trace number has seven digits. */
const sequenceMax = 9_999_999;

export class AnsweredRecords implements RecordTaker {
  readonly batches = new HeldBatches();
  /** Of the file that is answered; empty: it has none. */
  header = '';
  readonly #requests: AnswerRequests;
  readonly #answered = new Set<AnswerRequest>();
  #sequence: number;
  #form: BatchForm | null = null;
  #batchHeader = '';
  #entry = '';
  #addenda: { readonly name: AddendaName; readonly text: string }[] = [];

  constructor(requests: AnswerRequests, firstSequence: number) {
    this.#requests = requests;
    this.#sequence = firstSequence;
  }

  fileHeader(view: RecordView): void {
    this.header = view.text(0, recordLength);
  }

  batchHeader(view: RecordView): void {
    const layout = view.layout!;
    this.#batchHeader = view.text(0, recordLength);
    this.#form = batchFormOf(layout.name, fieldOf(layout, this.#batchHeader, 'standardEntryClassCode'));
  }

  entry(view: RecordView): void {
    const trace = view.text(79, recordLength - 79);
    this.#entry = this.#requests.byTrace.has(trace) ? readableText(view) : '';
    this.#addenda = [];
  }

  addenda(name: AddendaName, view: RecordView): void {
    if (this.#entry !== '') this.#addenda.push({ name, text: readableText(view) });
  }

  endEntry(category: Category): void {
    if (this.#entry === '') return;
    const request = this.#requests.byTrace.get(this.#entry.slice(79))!;
    const original = { form: this.#form!, header: this.#batchHeader, entry: this.#entry, addenda: this.#addenda };
    this.#check(original, request, category);
    this.#answered.add(request);
    const { form, header, texts } = answerRecords(original, request, this.#sequence++);
    this.batches.add({ key: header + request.form.addenda, form, header, texts, source: request.index, place: request.place });
  }

  endBatch(): void {}

  fileControl(): void {}

  /** Fails where an entry that is to be answered was not in the file. */
  end(): void {
    for (const request of this.#requests.byTrace.values())
      if (!this.#answered.has(request)) throw refusal(request, 'traceNumber', 'the file has no entry with it');
  }

  #check(original: AnsweredEntry, request: AnswerRequest, category: Category): void {
    const { answers } = request.form;
    if (this.#answered.has(request)) throw refusal(request, 'traceNumber', 'two entries of the file have it');
    if (original.form.kind === 'adv') throw refusal(request, 'traceNumber', 'advices of ADV batches are not answered');
    if (category !== answers)
      throw refusal(request, 'code', `${request.code} answers an entry of category ${answers}, the entry is of category ${category}`);
    const bits = transactionCodes[Number(original.entry.slice(1, 3))] ?? 0;
    if ((bits & (isCredit | isDebit)) === 0)
      throw refusal(request, 'traceNumber', 'the transaction code of the entry is none of the Rules, so that its answer has none');
    if (this.#sequence > sequenceMax)
      throw refuse(request.place, 'there are no trace numbers left for so many answers', nachaErrors.E_NACHA_LIMIT);
  }
}

/** What is no character of a record is a space in an answer; bytes that are none at all stand as NUL in its text. */
const readableText = (view: RecordView): string => view.text(0, recordLength).replace(/\p{Cc}/gu, ' ');

function refusal({ place }: AnswerRequest, name: string, holds: string): Error {
  return refuse(new Below(place, name), holds, nachaErrors.E_NACHA_ANSWER);
}
