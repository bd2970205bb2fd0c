/**
 * Reads an ACH file record by record: what may follow what, which batch and entry a record belongs to, and what the file
 * comes to. Holds one batch header, one entry and sums; nothing else grows with the file but a bit for each batch number.
 */
import type { PackReader, PackSink, PackSummary } from '../pack.ts';
import { checkAddenda } from './addenda-checks.ts';
import type { addenda } from './addenda-layouts.ts';
import { BatchNumbers } from './batch-numbers.ts';
import { checkBatchControl, checkBlocks, checkFileControl, declaredNumber } from './control-checks.ts';
import { addendaMax, DocumentWriter } from './document-writer.ts';
import { checkEntry, readEntry } from './entry-checks.ts';
import { completeEntry } from './entry-completion.ts';
import { recordLength } from './field-layouts.ts';
import { type FileState, fileSteps, isRecordType, type RecordType } from './file-state.ts';
import { FileSummary } from './file-summary.ts';
import { Findings, type RecordPlace } from './findings.ts';
import { FlowLines } from './flow-lines.ts';
import { batchKind, checkFileHeader, keptPlace, readBatchHeader } from './header-checks.ts';
import { type HeldRecord, LineReader, type RecordConsumer } from './line-reader.ts';
import type { NachaRuleId } from './nacha-rules.ts';
import type { NachaSettings } from './nacha-settings.ts';
import { OpenBatch } from './open-batch.ts';
import { OpenEntry } from './open-entry.ts';
import { entryColumns, formOfRecord } from './record-choice.ts';
import { checkFields, isClean, mendRecord, type RecordForm } from './record-forms.ts';
import { RecordGaps } from './record-gaps.ts';
import type { RecordTaker } from './record-taker.ts';
import { RecordView } from './record-view.ts';

const nine = 0x39;
/** Of all records that are as they should be: nothing is made for each. */
const none: readonly never[] = [];

export class NachaReader implements PackReader, RecordConsumer {
  readonly #settings: NachaSettings;
  readonly #findings: Findings;
  readonly #lines: LineReader;
  readonly #taker: RecordTaker | null;
  readonly #gaps = new RecordGaps();
  readonly #flow: FlowLines | null;
  readonly #summary = new FileSummary();
  readonly #batchNumbers = new BatchNumbers();
  readonly #view = new RecordView();
  readonly #entry = new OpenEntry();
  /** For records that are mended. */
  readonly #copy = Buffer.alloc(recordLength);
  #state: FileState = 'start';
  #batch: OpenBatch | null = null;
  #records = 0;
  #filler = 0;
  #errorsBeforeRecord = 0;
  #controlPlace: RecordPlace | null = null;
  readonly #lastPlace: { -readonly [Key in keyof RecordPlace]: RecordPlace[Key] } = {
    line: 1,
    offset: 0,
    length: 0,
    layout: null,
    wideColumns: none,
  };

  /** `taker`: what takes the records in place of the document. */
  constructor(settings: NachaSettings, sink: PackSink, taker: RecordTaker | null = null) {
    this.#settings = settings;
    this.#findings = new Findings(settings.severities, sink);
    this.#lines = new LineReader(this, this.#findings);
    this.#taker = sink.parsed === undefined ? taker : new DocumentWriter(sink.parsed, this.#gaps);
    this.#flow = sink.lines === undefined ? null : new FlowLines(sink.lines);
  }

  push(bytes: Uint8Array): void {
    if (this.#taker === null) this.#lines.push(bytes);
    else {
      this.#gaps.begin(bytes);
      this.#lines.push(bytes);
      this.#gaps.endPiece();
    }
  }

  takeClean(bytes: Buffer, at: number, line: number, offset: number): boolean {
    const view = this.#view;
    view.bytes = bytes;
    view.at = at;
    view.line = line;
    view.offset = offset;
    view.length = recordLength;
    view.wideColumns = none;
    view.original = null;
    view.unreadable = none;
    const type = String.fromCharCode(bytes[at]!);
    if (!isRecordType(type) || this.#state === 'start' || 'breaks' in fileSteps[this.#state][type]) return false;
    if (type === '9' && bytes[at + 1] === nine) return false;
    const form = this.#formOf(type);
    if (form === null || !isClean(form.mask, bytes, at)) return false;
    view.layout = form.layout;
    this.#records++;
    this.#beforeRecord(type);
    this.#take(type, form);
    return true;
  }

  takeHeld({ bytes, line, offset, length, characters, wideColumns }: HeldRecord): void {
    const view = this.#view;
    view.bytes = bytes;
    view.at = 0;
    view.line = line;
    view.offset = offset;
    view.length = length;
    view.wideColumns = wideColumns;
    view.layout = null;
    view.original = null;
    view.unreadable = none;
    if (this.#isFiller()) {
      this.#tellShort(characters);
      this.#takeFiller();
    } else this.#takeRecord(view.text(0, 1), characters);
  }

  /** Not of an entry that is open, though its addenda may still come. */
  tellOfLines(rule: NachaRuleId, place: RecordPlace, message: string): void {
    const { errors } = this.#findings;
    this.#flow?.setAside(true);
    this.#findings.record(rule, place, message);
    this.#flow?.setAside(false);
    this.#entry.errorsBefore += this.#findings.errors - errors;
  }

  #takeRecord(type: string, characters: number): void {
    const view = this.#view;
    this.#records++;
    if (this.#state === 'start' && type !== '1') {
      this.#tell('file-header-missing', 'the first record is no file header');
      if (!this.#isRefused('file-header-missing')) this.#flow?.withoutFileHeader(view);
      this.#state = 'file';
    }
    if (this.#state === 'ended') {
      this.#tellShort(characters);
      this.#tell('record-after-file-control', 'a record that is no filler follows the file control');
    } else if (isRecordType(type)) {
      const form = this.#formOf(type);
      view.layout = form?.layout ?? null;
      const step = fileSteps[this.#state][type];
      if ('breaks' in step) this.#leaveOut(step.breaks, 'a record is not where it may be', characters);
      else this.#takeInPlace(type, form, characters);
    } else this.#leaveOut('record-type', 'a record begins with none of the record types', characters);
  }

  #leaveOut(rule: NachaRuleId, message: string, characters: number): void {
    this.#tellShort(characters);
    this.tellOfLines(rule, this.#view, message);
  }

  #tellShort(characters: number): void {
    if (characters < recordLength) this.tellOfLines('line-short', this.#view, `the line has ${characters} characters`);
  }

  #takeInPlace(type: RecordType, form: RecordForm | null, characters: number): void {
    const view = this.#view;
    this.#beforeRecord(type);
    if (characters < recordLength) this.#tell('line-short', `the line has ${characters} characters`);
    if (form === null) {
      this.#takeUnknownAddenda();
      return;
    }
    if (!isClean(form.mask, view.bytes, 0)) mendRecord(view, form, this.#findings, this.#copy);
    this.#take(type, form);
  }

  end(): PackSummary {
    this.#lines.end();
    this.#completeEntry();
    if (this.#batch !== null) this.#leaveBatch(this.#lastPlace);
    if (this.#records + this.#filler === 0) this.#findings.record('file-empty', this.#lastPlace, 'the file has no records');
    else if (this.#summary.declared === null) {
      this.#findings.record('file-control-missing', this.#lastPlace, 'the file has no file control');
      if (!this.#isRefused('file-control-missing')) this.#flow?.withoutFileControl(this.#lastPlace);
    } else {
      if (this.#summary.totals.batches === 0) this.#findings.record('file-without-batches', this.#lastPlace, 'the file has no batches');
      checkBlocks(
        { place: this.#controlPlace!, declared: this.#summary.declared.blockCount, records: this.#records, filler: this.#filler },
        this.#findings,
      );
    }
    this.#taker?.end();
    return this.#summary.of({ records: this.#records, isBalanced: !this.#findings.isUnbalanced });
  }

  #formOf(type: RecordType): RecordForm | null {
    return formOfRecord(type, this.#view, this.#batch?.header ?? null, type === '9' && this.#isAdvFile());
  }

  #isAdvFile(): boolean {
    const batches = this.#summary.totals.batches + (this.#batch === null ? 0 : 1);
    return batches > 0 && this.#summary.advBatches + (this.#batch?.header.kind === 'adv' ? 1 : 0) === batches;
  }

  #beforeRecord(type: RecordType): void {
    if (type !== '7') this.#completeEntry();
    this.#errorsBeforeRecord = this.#findings.errors;
    if (type === '6') this.#flow?.begin(this.#view);
  }

  #take(type: RecordType, form: RecordForm): void {
    const step = fileSteps[this.#state][type];
    checkFields(this.#view, form, this.#findings);
    switch (type) {
      case '1':
        checkFileHeader(this.#view, this.#settings, this.#findings);
        this.#taker?.fileHeader(this.#view);
        this.#flow?.fileHeader(this.#view);
        break;
      case '5':
        this.#beginBatch();
        break;
      case '6':
        this.#beginEntry();
        break;
      case '7':
        this.#addAddenda(form.layout.name as keyof typeof addenda);
        break;
      case '8':
        this.#endBatch();
        break;
      case '9':
        this.#endFile();
        break;
    }
    const last = this.#lastPlace;
    last.line = this.#view.line;
    last.offset = this.#view.offset;
    last.length = this.#view.length;
    if ('next' in step) this.#state = step.next;
  }

  #beginBatch(): void {
    const view = this.#view;
    if (this.#batch !== null) this.#leaveBatch(view);
    const kind = batchKind(view);
    const header = readBatchHeader(view, kind, this.#findings);
    const { batches } = this.#summary.totals;
    if (batches > 0 && (kind === 'adv') !== this.#summary.advBatches > 0)
      this.#findings.field('adv-mixed', view, 'standardEntryClassCode', 'the file has ADV batches and others');
    if (!Number.isNaN(header.batchNumber)) {
      const before = this.#batchNumbers.takeOutOfOrder(header.batchNumber, kind === 'iat');
      const found = header.batchNumber === 0 ? 'zero' : `${header.batchNumber} after ${before}`;
      if (before !== null) this.#findings.field('batch-number-order', view, 'batchNumber', `the batch number is ${found}`);
    }
    this.#batch = new OpenBatch(header);
    this.#taker?.batchHeader(view);
    this.#flow?.batchHeader(view);
  }

  #beginEntry(): void {
    const batch = this.#batch!;
    const entry = this.#entry;
    entry.begin(this.#view, this.#errorsBeforeRecord);
    readEntry(this.#view, entryColumns[batch.header.kind], entry, batch);
    checkEntry(this.#view, entry, batch, this.#settings, this.#findings);
    this.#taker?.entry(this.#view);
    this.#flow?.entry(this.#view, entry);
  }

  #addAddenda(name: keyof typeof addenda): void {
    const entry = this.#entry;
    this.#countAddenda();
    entry.addAddenda(name);
    checkAddenda(this.#view, name, entry, this.#batch!, this.#findings);
    if (entry.addendaRecords > addendaMax) return;
    this.#taker?.addenda(name, this.#view);
    this.#flow?.addenda(name, this.#view);
  }

  #takeUnknownAddenda(): void {
    this.#countAddenda();
    this.#entry.addendaRecords++;
    this.#tell('addenda-type', 'an addenda record is of a type that its batch does not have');
  }

  #countAddenda(): void {
    const entry = this.#entry;
    this.#batch!.records++;
    if (entry.indicator !== 1 && entry.addendaRecords === 0)
      this.#findings.field('addenda-indicator', entry, 'addendaRecordIndicator', `the indicator is ${entry.indicator}, but addenda follow`);
    if (entry.addendaRecords === addendaMax) this.#tell('addenda-limit', `an entry has more than ${addendaMax} addenda records`);
  }

  #completeEntry(): void {
    const entry = this.#entry;
    if (!entry.isOpen) return;
    entry.isOpen = false;
    completeEntry(entry, this.#batch!, this.#settings, this.#findings);
    this.#summary.entries++;
    if (this.#findings.errors > entry.errorsBefore) this.#summary.rejectedEntries++;
    this.#taker?.endEntry(entry.category);
    this.#flow?.endEntry(entry);
  }

  #endBatch(): void {
    const batch = this.#batch!;
    if (batch.entries === 0) this.#findings.record('batch-empty', this.#view, 'the batch has no entries');
    checkBatchControl(this.#view, batch, this.#settings, this.#findings);
    this.#closeBatch(this.#view);
  }

  /** Without its control. */
  #leaveBatch(place: RecordPlace): void {
    this.#findings.record('batch-control-missing', place, `batch ${this.#batch!.header.batchNumber} has no batch control`);
    this.#closeBatch(null);
  }

  #closeBatch(control: RecordView | null): void {
    this.#summary.addBatch(this.#batch!);
    this.#taker?.endBatch(control);
    this.#batch = null;
  }

  #endFile(): void {
    const view = this.#view;
    if (this.#batch !== null) this.#leaveBatch(view);
    const { totals, amounts, isSided, isComputable } = this.#summary;
    checkFileControl(view, { totals, amounts: { ...amounts, isSided }, isComputable }, this.#findings);
    const number = (name: string) => view.fieldNumber(name);
    this.#summary.declared = {
      batchCount: number('batchCount'),
      blockCount: number('blockCount'),
      entryAddendaCount: number('entryAddendaCount'),
      entryHash: number('entryHash'),
      totalDebit: declaredNumber(view, 'totalDebit'),
      totalCredit: declaredNumber(view, 'totalCredit'),
    };
    this.#controlPlace = keptPlace(view, view.layout!);
    this.#taker?.fileControl(view);
    this.#flow?.fileControl(view, view.layout!);
  }

  /** Nines; or what begins with two of them where only filler may be. */
  #isFiller(): boolean {
    const { bytes } = this.#view;
    if (bytes[0] !== nine || bytes[1] !== nine) return false;
    return this.#state === 'ended' || bytes.every((byte) => byte === nine);
  }

  #takeFiller(): void {
    this.#filler++;
    if (this.#state !== 'ended') this.tellOfLines('filler-place', this.#view, 'filler comes before the file control');
    else if (!this.#view.bytes.every((byte) => byte === nine)) this.#tell('filler-text', 'filler is not 94 nines');
  }

  #isRefused(rule: NachaRuleId): boolean {
    return this.#settings.severities.get(rule) === 'error';
  }

  #tell(rule: NachaRuleId, message: string): void {
    this.#findings.record(rule, this.#view, message);
  }
}
