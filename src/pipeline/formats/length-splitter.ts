/** Splits files whose records follow each other without line ends: each has so many bytes, the last one perhaps fewer. */
import type { FixedWidthPlan } from '../engine/plan.ts';
import type { Splitter, SplitterOptions } from './format.ts';
import type { LineRules } from './line-splitter.ts';
import { createPiecewiseSplitter, type Scanner } from './piecewise-splitter.ts';
import type { SplitLedger } from './split-ledger.ts';

export function createLengthSplitter(format: FixedWidthPlan, isEnvelope: LineRules['isEnvelope'], options: SplitterOptions): Splitter {
  return createPiecewiseSplitter(format, options, (ledger) => new LengthScanner(format.recordLength!, isEnvelope, ledger));
}

class LengthScanner implements Scanner {
  readonly #recordLength: number;
  readonly #isEnvelope: LineRules['isEnvelope'];
  readonly #ledger: SplitLedger;

  constructor(recordLength: number, isEnvelope: LineRules['isEnvelope'], ledger: SplitLedger) {
    this.#recordLength = recordLength;
    this.#isEnvelope = isEnvelope;
    this.#ledger = ledger;
  }

  scan(bytes: Buffer, from: number, base: number, isLast: boolean): number {
    const ledger = this.#ledger;
    const limit = bytes.length;
    let start = from;
    while (start < limit) {
      const end = Math.min(start + this.#recordLength, limit);
      if (end - start < this.#recordLength && !isLast) break;
      if (end - start > ledger.maxRecordBytes) {
        ledger.refuseLongRecord(base + start, false);
        return limit;
      }
      if (this.#isEnvelope?.(bytes, start, end)) ledger.addSpan('envelope', base + start, base + end);
      else ledger.records++;
      start = end;
      if (ledger.isFullAt(base + start)) ledger.cut(base + start);
    }
    return start;
  }

  endsInQuotes(): boolean {
    return false;
  }
}
