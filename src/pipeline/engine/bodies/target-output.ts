/**
 * The growing output segment of one target: a buffer that is handed to the sink when it is full, and the stripes that the
 * segment is cut into.
 */
import type { ByteSink, LendingSink } from '../../../platform/base/byte-source.ts';
import { AmountTotals, type SumPlan } from '../amount-totals.ts';
import type { Stripe, TargetTotals } from '../chunk.ts';
import { scratchBuffer } from '../thread-scratch.ts';

export class TargetOutput {
  readonly #sink: ByteSink | LendingSink;
  readonly #target: number;
  /** Other memory after each flush, where the sink lends it. */
  bytes!: Buffer;
  readonly capacity: number;
  /** Where the next record starts in `bytes`. */
  position = 0;
  /** Bytes already given to the sink. */
  #flushed = 0;
  /** Position in the segment at which the open stripe starts. */
  #stripeStart = 0;
  stripeRecords = 0;
  /** Number of the first record of the open stripe. */
  stripeFirst = 0;
  readonly stripeAmounts: AmountTotals;
  readonly #amounts: AmountTotals;
  readonly #stripes: Stripe[] = [];
  #records = 0;

  constructor(target: number, sink: ByteSink | LendingSink, sums: readonly SumPlan[], capacity: number) {
    this.#target = target;
    this.#sink = sink;
    this.capacity = capacity;
    this.#useMemory();
    this.stripeAmounts = new AmountTotals(sums);
    this.#amounts = new AmountTotals(sums);
  }

  #useMemory(): void {
    const size = this.capacity;
    this.bytes = 'lend' in this.#sink ? this.#sink.lend(size) : Buffer.from(scratchBuffer(`target ${this.#target}`, size), 0, size);
  }

  get stripeBytes(): number {
    return this.#flushed + this.position - this.#stripeStart;
  }

  /** Lines from somewhere else in memory; the caller has seen to the stripe. */
  appendBytes(from: Buffer, start: number, end: number): void {
    for (let at = start; at < end; ) {
      if (this.position === this.capacity) this.flush();
      const length = Math.min(end - at, this.capacity - this.position);
      from.copy(this.bytes, this.position, at, at + length);
      this.position += length;
      at += length;
    }
  }

  /** Appends a line; the caller has seen to the stripe. */
  append(line: string): void {
    const length = Buffer.byteLength(line, 'utf8');
    if (this.position + length > this.capacity) this.flush();
    if (length > this.capacity) {
      this.#sink.write(Buffer.from(line, 'utf8'));
      this.#flushed += length;
      return;
    }
    this.bytes.write(line, this.position, 'utf8');
    this.position += length;
  }

  flush(): void {
    if (this.position === 0) return;
    this.#handOver();
    if ('lend' in this.#sink) this.#useMemory();
  }

  #handOver(): void {
    if ('lend' in this.#sink) this.#sink.giveBack(this.bytes, this.position);
    else this.#sink.write(this.bytes.subarray(0, this.position));
    this.#flushed += this.position;
    this.position = 0;
  }

  /** Closes the open stripe, if it holds records. */
  cutStripe(): void {
    if (this.stripeRecords === 0) return;
    const end = this.#flushed + this.position;
    this.#stripes.push({
      firstRecord: this.stripeFirst,
      records: this.stripeRecords,
      start: this.#stripeStart,
      end,
      amounts: this.stripeAmounts.toFieldAmounts(),
    });
    this.#amounts.addAll(this.stripeAmounts);
    this.#records += this.stripeRecords;
    this.stripeAmounts.clear();
    this.stripeRecords = 0;
    this.#stripeStart = end;
  }

  /** Totals of the whole segment, whose last stripe is cut and flushed. */
  finish(): TargetTotals {
    this.cutStripe();
    this.#handOver();
    return {
      target: this.#target,
      records: this.#records,
      bytes: this.#flushed,
      amounts: this.#amounts.toFieldAmounts(),
      stripes: this.#stripes,
    };
  }
}
