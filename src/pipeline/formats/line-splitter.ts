/**
 * Splits formats in which every LF ends a record. Two native searches a record at most; records are only looked into
 * where some of them have no number of their own.
 */
import type { FormatPlan } from '../engine/plan.ts';
import type { Splitter, SplitterOptions } from './format.ts';
import { createPiecewiseSplitter, type Scanner } from './piecewise-splitter.ts';
import { RecordRun } from './record-run.ts';
import type { SplitLedger } from './split-ledger.ts';

const lineFeed = 10;
const carriageReturn = 13;

export interface LineRules {
  readonly skipBlankLines: boolean;
  /** Whether the record in `bytes` from `start` to `end` (without its line end) has no number; null when every record has one. */
  readonly isEnvelope: ((bytes: Buffer, start: number, end: number) => boolean) | null;
}

export function createLineSplitter(format: FormatPlan, rules: LineRules, options: SplitterOptions): Splitter {
  return createPiecewiseSplitter(format, options, (ledger) => new LineScanner(rules, ledger));
}

class LineScanner implements Scanner {
  readonly #rules: LineRules;
  readonly #ledger: SplitLedger;
  #run: RecordRun | null = null;

  constructor(rules: LineRules, ledger: SplitLedger) {
    this.#rules = rules;
    this.#ledger = ledger;
  }

  scan(bytes: Buffer, from: number, base: number, isLast: boolean): number {
    const ledger = this.#ledger;
    const { skipBlankLines, isEnvelope } = this.#rules;
    const limit = bytes.length;
    let start = from;
    if (isEnvelope === null && base + from >= ledger.runsFrom)
      this.#run ??= new RecordRun({ delimiter: null, quote: null, comment: null }, ledger.maxRecordBytes);
    while (start < limit) {
      if (this.#run !== null) start = ledger.takeRun(this.#run, bytes, start, base);
      if (start >= limit) break;
      let lineEnd = bytes.indexOf(lineFeed, start);
      if (lineEnd < 0) {
        if (!isLast) break;
        lineEnd = limit;
      }
      const end = lineEnd > start && bytes[lineEnd - 1] === carriageReturn ? lineEnd - 1 : lineEnd;
      if (end - start > ledger.maxRecordBytes) {
        ledger.refuseLongRecord(base + start, false);
        return limit;
      }
      if (end === start && skipBlankLines) ledger.blankLines++;
      else if (isEnvelope?.(bytes, start, end)) ledger.addSpan('envelope', base + start, base + end);
      else ledger.records++;
      start = lineEnd + 1;
      if (ledger.isFullAt(base + start) && start <= limit) ledger.cut(base + start);
    }
    return Math.min(start, limit);
  }

  endsInQuotes(): boolean {
    return false;
  }
}
