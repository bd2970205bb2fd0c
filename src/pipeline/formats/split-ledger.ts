/**
 * Keeps the account of a split: record numbers, chunk ends, spans, damage. A format's scanner tells it what it sees in
 * file order; it leaves the meaning of bytes to the scanner.
 */
import type { ChunkContext, ChunkSpec, Finding } from '../engine/chunk.ts';
import { maxRecordBytesDefault, type Span, type SplitResult, type SplitterOptions } from './format.ts';
import type { formatErrors } from './format-errors.ts';
import type { RecordRun } from './record-run.ts';

const spansKept = 1_000;
/**
 * Most records of a chunk. What becomes of each is in memory while a chunk runs, some twenty bytes: ends of lines alone, or a letter each,
 * would be eight million of them in 16 MiB.
 */
const chunkRecordsMax = 512 * 1024;
/** A record of a run is no blank line: it has a byte and its line end. */
const runRecordBytesMin = 2;
/** Smaller files are split before the code for runs is made. */
const runsFromDefault = 4 * 1024 * 1024;

export type DamageCode = keyof typeof formatErrors;

export class SplitLedger {
  records = 0;
  blankLines = 0;
  comments = 0;
  /** The offset at which the open chunk is big enough to end. */
  cutAt: number;
  /** Nothing after this point can be split. */
  isStopped = false;
  readonly maxRecordBytes: number;
  readonly runsFrom: number;
  context: ChunkContext = { version: 1, columns: null };
  readonly #options: SplitterOptions;
  readonly #chunks: ChunkSpec[] = [];
  readonly #spans: Span[] = [];
  readonly #damage: Finding[] = [];
  readonly #chunkRecordsMax: number;
  /** Of the open chunk. */
  #chunkBytes: number;
  #chunkStart = 0;
  #firstRecord = 1;

  constructor(options: SplitterOptions) {
    this.#options = options;
    this.#chunkBytes = options.firstChunkBytes ?? options.chunkBytes;
    this.#chunkRecordsMax = options.chunkRecordsMax ?? chunkRecordsMax;
    this.cutAt = this.#chunkBytes;
    this.maxRecordBytes = options.maxRecordBytes ?? maxRecordBytesDefault;
    this.runsFrom = options.runsFrom ?? runsFromDefault;
  }

  /** What lies before `offset` belongs to no chunk. Only before the first record. */
  startAt(offset: number): void {
    this.#chunkStart = offset;
    this.cutAt = offset + this.#chunkBytes;
  }

  /** Takes what it can of the records from `start` on with `run`, up to the chunk's end; returns where the next one starts. */
  takeRun(run: RecordRun, bytes: Buffer, start: number, base: number): number {
    const next = run.over(bytes, start, Math.min(bytes.length, this.cutAt - base, start + this.#recordsLeft * runRecordBytesMin));
    this.records += run.records;
    if (this.isFullAt(base + next)) this.cut(base + next);
    return next;
  }

  /** The open chunk ends when the next record would start at `offset`. */
  isFullAt(offset: number): boolean {
    return offset >= this.cutAt || this.#recordsLeft <= 0;
  }

  /** How many more records the open chunk takes. */
  get #recordsLeft(): number {
    return this.#chunkRecordsMax - (this.records + 1 - this.#firstRecord);
  }

  /** Ends the open chunk at `offset`, a record boundary; an empty one is left open, unless it is the file's only one. */
  cut(offset: number, isEnd = false): void {
    if (offset <= this.#chunkStart && !(isEnd && this.#chunks.length === 0)) return;
    const chunk: ChunkSpec = {
      number: this.#chunks.length,
      start: this.#chunkStart,
      end: offset,
      firstRecord: this.#firstRecord,
      context: this.context,
    };
    this.#chunks.push(chunk);
    this.#chunkStart = offset;
    this.#firstRecord = this.records + 1;
    this.#chunkBytes = Math.min(this.#options.chunkBytes, this.#chunkBytes * 2);
    this.cutAt = offset + this.#chunkBytes;
    this.#options.onChunk?.(chunk);
  }

  addSpan(kind: Span['kind'], start: number, end: number): void {
    if (this.#spans.length < spansKept) this.#spans.push({ kind, start, end });
  }

  /** Holds the file. `record` is 0 before the first record. */
  addDamage(damage: { code: DamageCode; record: number; offset: number; field?: string; message: string }): void {
    this.#damage.push({
      record: damage.record,
      offset: damage.offset,
      code: damage.code,
      field: damage.field ?? null,
      rule: null,
      message: damage.message,
    });
  }

  /** Ends the split where a record is longer than allowed. `isQuoted`: as many bytes as allowed end inside a quoted field. */
  refuseLongRecord(offset: number, isQuoted: boolean): void {
    this.addDamage({
      code: isQuoted ? 'E_QUOTE_OPEN' : 'E_RECORD_TOO_LONG',
      record: this.records + 1,
      offset,
      message: `${isQuoted ? 'a quote is not closed within' : 'a record is longer than'} ${this.maxRecordBytes} bytes`,
    });
    this.stop(offset);
  }

  /** Ends the split for good at `offset`. */
  stop(offset: number): void {
    this.cut(offset, true);
    this.isStopped = true;
  }

  result(): SplitResult {
    return {
      chunks: this.#chunks,
      records: this.records,
      blankLines: this.blankLines,
      comments: this.comments,
      spans: this.#spans,
      damage: this.#damage,
    };
  }
}
