/**
 * Splits delimited files. Records are found with native searches for LF and quote bytes; only records that hold quotes
 * are walked byte by byte. The header row is read here, because every chunk needs the column names.
 */
import { type DelimitedPlan, headerRowBytesMax, type RecordPlan } from '../../engine/plan.ts';
import { envelopeTags } from '../envelope-types.ts';
import type { Splitter, SplitterOptions } from '../format.ts';
import { createPiecewiseSplitter, type Scanner } from '../piecewise-splitter.ts';
import { RecordRun } from '../record-run.ts';
import type { SplitLedger } from '../split-ledger.ts';
import { checkHeaderRow, longHeaderRow } from './header-row.ts';
import { findRecordEnd, type RecordEnd } from './quoted-records.ts';
import { readFields } from './record-fields.ts';

const lineFeed = 10;
const carriageReturn = 13;

export function createDelimitedSplitter(format: DelimitedPlan, records: readonly RecordPlan[], options: SplitterOptions): Splitter {
  return createPiecewiseSplitter(format, options, (ledger) => new DelimitedScanner(format, records, ledger));
}

class DelimitedScanner implements Scanner {
  readonly #format: DelimitedPlan;
  readonly #records: readonly RecordPlan[];
  readonly #ledger: SplitLedger;
  readonly #tags: readonly string[] | null;
  readonly #found: RecordEnd = { end: 0, isOpen: false, isSound: true };
  #needsHeader: boolean;
  #run: RecordRun | null = null;

  constructor(format: DelimitedPlan, records: readonly RecordPlan[], ledger: SplitLedger) {
    this.#format = format;
    this.#records = records;
    this.#ledger = ledger;
    this.#tags = format.discriminator === null ? null : envelopeTags(records);
    this.#needsHeader = format.header;
  }

  scan(bytes: Buffer, from: number, base: number, isLast: boolean): number {
    const ledger = this.#ledger;
    const { comment, skipBlankLines } = this.#format;
    const quote = this.#format.quote ?? -1;
    const limit = bytes.length;
    let quoteAt = -1;
    let start = from;
    if (base + from >= ledger.runsFrom) this.#run ??= this.#createRun();
    while (start < limit) {
      if (this.#run !== null && !this.#needsHeader) start = ledger.takeRun(this.#run, bytes, start, base);
      if (start >= limit) break;
      const isComment = bytes[start] === comment;
      let lineEnd = bytes.indexOf(lineFeed, start);
      if (lineEnd < 0) {
        if (!isLast) break;
        lineEnd = limit;
      }
      let isOpen = false;
      if (!isComment && quote >= 0) {
        if (quoteAt < start) quoteAt = nextOrEnd(bytes, quote, start);
        if (quoteAt < lineEnd) {
          findRecordEnd(bytes, start, quoteAt, this.#format, this.#found);
          lineEnd = this.#found.end;
          if (lineEnd === limit && !isLast) break;
          isOpen = this.#found.isOpen;
        }
      }
      const end = lineEnd > start && bytes[lineEnd - 1] === carriageReturn ? lineEnd - 1 : lineEnd;
      if (end - start > ledger.maxRecordBytes) {
        ledger.refuseLongRecord(base + start, this.endsInQuotes(bytes.subarray(start, start + ledger.maxRecordBytes + 1)));
        return limit;
      }
      if (isOpen) this.#reportOpenQuote(base + start);
      if (isComment) ledger.comments++;
      else if (end === start && skipBlankLines) ledger.blankLines++;
      else if (this.#needsHeader) {
        if (!this.#readHeader(bytes.subarray(start, end), base + start, base + Math.min(lineEnd + 1, limit))) return limit;
      } else if (this.#tags !== null && this.#isEnvelope(bytes, start, end)) ledger.addSpan('envelope', base + start, base + end);
      else ledger.records++;
      start = lineEnd + 1;
      if (ledger.isFullAt(base + start) && start <= limit && !this.#needsHeader) ledger.cut(base + start);
    }
    return Math.min(start, limit);
  }

  /** Null where records are looked into, or where quotes are escaped otherwise. */
  #createRun(): RecordRun | null {
    const { quote, escape: escapeByte } = this.#format;
    if (this.#tags !== null || (quote !== null && escapeByte !== quote)) return null;
    return new RecordRun(this.#format, this.#ledger.maxRecordBytes);
  }

  #reportOpenQuote(offset: number): void {
    const record = this.#needsHeader ? 0 : this.#ledger.records + 1;
    this.#ledger.addDamage({ code: 'E_QUOTE_OPEN', record, offset, message: 'a quote is open at the end of the file' });
  }

  /** False when the columns cannot be trusted: then nothing after them is split. */
  #readHeader(row: Buffer, start: number, end: number): boolean {
    this.#needsHeader = false;
    this.#ledger.addSpan('header-row', start, start + row.length);
    this.#ledger.startAt(end);
    const isLong = row.length > headerRowBytesMax;
    const columns = isLong ? null : readFields(row, this.#format);
    const problems = isLong ? [longHeaderRow] : checkHeaderRow(columns, this.#format, this.#records);
    for (const problem of problems) this.#ledger.addDamage({ ...problem, record: 0, offset: start });
    if (columns === null || problems.length > 0) {
      this.#ledger.stop(end);
      return false;
    }
    this.#ledger.context = { version: 1, columns };
    return true;
  }

  #isEnvelope(bytes: Buffer, start: number, end: number): boolean {
    const at = this.#format.discriminator!;
    const tag = readFields(bytes.subarray(start, end), this.#format, at + 1)?.[at];
    return tag !== undefined && this.#tags!.includes(tag);
  }

  endsInQuotes(start: Buffer): boolean {
    const { quote, comment } = this.#format;
    if (quote === null || start[0] === comment) return false;
    const quoteAt = start.indexOf(quote);
    if (quoteAt < 0) return false;
    const found: RecordEnd = { end: 0, isOpen: false, isSound: true };
    findRecordEnd(start, 0, quoteAt, this.#format, found);
    return found.isOpen;
  }
}

function nextOrEnd(bytes: Buffer, value: number, from: number): number {
  const at = bytes.indexOf(value, from);
  return at < 0 ? bytes.length : at;
}
