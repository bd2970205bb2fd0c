/**
 * Collects runs of records into batches of at most so many records and bytes, in the order they come. A run is never
 * divided: where it may be, the caller gives it in pieces.
 */
import { addAmounts } from '../../engine/amount-totals.ts';
import type { FieldAmounts } from '../../engine/chunk.ts';
import { appendRange, type BatchMember, type BatchSpan, bytesOfRanges } from '../batch.ts';

export interface BatchLimits {
  readonly batchRecords: number;
  readonly batchBytes: number;
  /** Runs are single records then. */
  readonly batchAmount?: { readonly field: string; readonly max: string };
}

/** Consecutive routed records of one chunk. */
export interface RecordRun {
  readonly jobId: string;
  readonly lineageId: string;
  readonly acceptedNumber: number;
  readonly chunkNumber: number;
  readonly outcomes: BatchMember['outcomes'];
  readonly segmentId: string;
  /** In the segment, ascending: start, end, … */
  readonly ranges: readonly number[];
  readonly firstRecord: number;
  readonly records: number;
  readonly amounts: FieldAmounts;
  readonly excluded: readonly number[];
  /** The run is a choice of records rather than all that were routed. */
  readonly only: readonly number[] | null;
}

export interface BuiltBatch {
  readonly acceptedNumber: number;
  readonly spans: readonly BatchSpan[];
  readonly members: readonly BatchMember[];
  readonly records: number;
  readonly bytes: number;
}

interface OpenMember extends Omit<BatchMember, 'records' | 'bytes' | 'amounts' | 'excluded' | 'only'> {
  records: number;
  bytes: number;
  amounts: FieldAmounts;
  readonly excluded: number[];
  readonly only: number[] | null;
}

export class BatchBuilder {
  readonly #limits: BatchLimits;
  #spans: { segmentId: string; ranges: number[] }[] = [];
  #members: OpenMember[] = [];
  #acceptedNumber = 0;
  #records = 0;
  #bytes = 0;
  /** Of the bounded field, without signs, by currency. */
  readonly #amounts = new Map<string, bigint>();

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  /** The batch that had to be closed first, if any. */
  add(run: RecordRun): BuiltBatch | null {
    const bytes = bytesOfRanges(run.ranges);
    const isFull =
      this.#records > 0 &&
      (this.#records + run.records > this.#limits.batchRecords ||
        this.#bytes + bytes > this.#limits.batchBytes ||
        this.#exceedsAmount(run));
    const closed = isFull && run.records > 0 ? this.finish() : null;
    this.#addMember(run, bytes);
    if (run.records === 0) return closed;
    if (this.#records === 0) this.#acceptedNumber = run.acceptedNumber;
    for (let index = 0; index < run.ranges.length; index += 2) {
      appendRange(this.#spans, run.segmentId, run.ranges[index]!, run.ranges[index + 1]!);
    }
    this.#records += run.records;
    this.#bytes += bytes;
    for (const [currency, amount] of this.#boundedOf(run)) this.#amounts.set(currency, (this.#amounts.get(currency) ?? 0n) + amount);
    return closed;
  }

  /** A record that is above the amount by itself is alone, whatever the currency of the next one. */
  #exceedsAmount(run: RecordRun): boolean {
    const { batchAmount } = this.#limits;
    if (batchAmount === undefined) return false;
    const max = BigInt(batchAmount.max);
    if (this.#amounts.values().some((amount) => amount > max)) return true;
    return this.#boundedOf(run).some(([currency, amount]) => (this.#amounts.get(currency) ?? 0n) + amount > max);
  }

  #boundedOf({ amounts }: RecordRun): readonly (readonly [currency: string, amount: bigint])[] {
    const { batchAmount } = this.#limits;
    if (batchAmount === undefined) return [];
    return Object.entries(amounts[batchAmount.field]?.byCurrency ?? {}).map(([currency, text]) => [
      currency,
      BigInt(text.replace('-', '')),
    ]);
  }

  finish(): BuiltBatch | null {
    if (this.#records === 0) return null;
    const members = this.#members.map(({ excluded, only, ...member }) => ({
      ...member,
      ...(excluded.length > 0 && only === null ? { excluded } : {}),
      ...(only === null ? {} : { only }),
    }));
    const batch = { acceptedNumber: this.#acceptedNumber, spans: this.#spans, members, records: this.#records, bytes: this.#bytes };
    this.#spans = [];
    this.#members = [];
    this.#records = 0;
    this.#bytes = 0;
    this.#amounts.clear();
    return batch;
  }

  #addMember(run: RecordRun, bytes: number): void {
    const last = this.#members.at(-1);
    if (last !== undefined && last.jobId === run.jobId && last.chunkNumber === run.chunkNumber) {
      last.records += run.records;
      last.bytes += bytes;
      last.amounts = addAmounts(last.amounts, run.amounts);
      last.excluded.push(...run.excluded);
      if (run.only !== null) last.only?.push(...run.only);
      return;
    }
    if (run.records === 0) return;
    const { jobId, lineageId, chunkNumber, outcomes, firstRecord, records, amounts } = run;
    const member = { jobId, lineageId, chunkNumber, outcomes, firstRecord, records, bytes, amounts };
    this.#members.push({ ...member, excluded: [...run.excluded], only: run.only === null ? null : [...run.only] });
  }
}
