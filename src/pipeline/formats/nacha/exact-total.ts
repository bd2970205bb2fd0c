/** A running total of cents: a safe integer as long as it is one, carried into a bigint before it could lose a digit. */
export class ExactTotal {
  #low = 0;
  #high = 0n;

  /** Takes whole numbers below 10^15. */
  add(cents: number): void {
    this.#low += cents;
    if (this.#low < 4_000_000_000_000_000) return;
    this.#high += BigInt(this.#low);
    this.#low = 0;
  }

  addTotal(other: ExactTotal): void {
    this.#high += other.#high;
    this.add(other.#low);
  }

  get cents(): bigint {
    return this.#high + BigInt(this.#low);
  }
}

/** Decimal text of cents, with two places. */
export function dollars(cents: bigint): string {
  const digits = String(cents).padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** Entry hashes are cut to their last ten digits. */
export const hashModulus = 10_000_000_000;
