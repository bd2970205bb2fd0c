/** Copies of fields, by a number that says what each is, in one buffer that is used again. */
import { Buffer } from 'node:buffer';

const lineFeed = 10;

export class HeldFields {
  #bytes = Buffer.allocUnsafe(4_096);
  #length = 0;
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;

  constructor(count: number) {
    this.#starts = new Int32Array(count).fill(-1);
    this.#ends = new Int32Array(count);
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  clear(): void {
    this.#length = 0;
    this.#starts.fill(-1);
  }

  has(index: number): boolean {
    return this.#starts[index]! >= 0;
  }

  /** -1: it is absent. */
  start(index: number): number {
    return this.#starts[index]!;
  }

  end(index: number): number {
    return this.#ends[index]!;
  }

  /** What comes again is joined with LF. */
  add(index: number, field: Buffer, length: number): void {
    const before = this.has(index) ? this.#ends[index]! - this.#starts[index]! + 1 : 0;
    const isLast = before > 0 && this.#ends[index] === this.#length;
    this.#reserve(before + length);
    if (before > 0 && !isLast) {
      this.#bytes.copy(this.#bytes, this.#length, this.#starts[index]!, this.#ends[index]!);
      this.#starts[index] = this.#length;
      this.#length += before - 1;
    }
    if (before > 0) this.#bytes[this.#length++] = lineFeed;
    else this.#starts[index] = this.#length;
    this.#length += field.copy(this.#bytes, this.#length, 0, length);
    this.#ends[index] = this.#length;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#length + count));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
