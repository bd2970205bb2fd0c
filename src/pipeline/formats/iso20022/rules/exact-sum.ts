/** Sums of amounts without rounding: a number while it is exact, else a bigint. In units of 0.00001. */
import { currencyText, minorUnitsOf } from '../values/code-values.ts';
import { amountScale, scaledAmount, scaledInteger } from '../values/number-values.ts';

/** The sum of two numbers up to this is exact. NaN is not up to it. */
const halfSafe = Math.floor(Number.MAX_SAFE_INTEGER / 2);

export class ExactSum {
  /** One number, in a place of its own: as a field it would be a new object after each addition. */
  readonly #small = new Float64Array(1);
  #large = 0n;

  /** `sign`: 1 or -1. The bytes are a valid amount. */
  add(bytes: Buffer, length: number, sign: 1 | -1): void {
    const amount = scaledAmount(bytes, 0, length);
    if (!(amount <= halfSafe)) this.#large += BigInt(sign) * scaledInteger(bytes, 0, length, amountScale);
    else {
      this.#small[0]! += sign * amount;
      if (Math.abs(this.#small[0]!) > halfSafe) this.#settle();
    }
  }

  merge(other: ExactSum): void {
    if (other.#large !== 0n) this.#large += other.#large;
    this.#small[0]! += other.#small[0]!;
    if (Math.abs(this.#small[0]!) > halfSafe) this.#settle();
  }

  reset(): void {
    this.#small[0] = 0;
    this.#large = 0n;
  }

  /** `amount`: exact. */
  is(amount: number): boolean {
    return this.#large === 0n ? this.#small[0] === amount : this.total === BigInt(amount);
  }

  get total(): bigint {
    return this.#large + BigInt(this.#small[0]!);
  }

  #settle(): void {
    this.#large += BigInt(this.#small[0]!);
    this.#small[0] = 0;
  }
}

export class CurrencySums {
  readonly #sums = new Map<number, ExactSum>();
  #lastCurrency = -1;
  #last = new ExactSum();

  add(currency: number, bytes: Buffer, length: number, sign: 1 | -1 = 1): void {
    if (currency !== this.#lastCurrency) {
      this.#last = this.#sums.get(currency) ?? new ExactSum();
      this.#sums.set(currency, this.#last);
      this.#lastCurrency = currency;
    }
    this.#last.add(bytes, length, sign);
  }

  /** In units of 0.00001; 0 where nothing was added. */
  totalOf(currency: number): bigint {
    return this.#sums.get(currency)?.total ?? 0n;
  }

  get currencies(): number[] {
    return [...this.#sums.keys()];
  }

  get texts(): Record<string, string> {
    return Object.fromEntries(
      [...this.#sums].map(([currency, sum]) => [currencyText(currency), amountText(sum.total, minorUnitsOf(currency, true))]),
    );
  }
}

/** Decimal text of units of 0.00001, with at least `decimals`. */
export function amountText(units: bigint, decimals: number): string {
  const digits = (units < 0n ? -units : units).toString().padStart(amountScale + 1, '0');
  const fraction = digits
    .slice(-amountScale)
    .replace(/0+$/, '')
    .padEnd(decimals >= 0 && decimals <= amountScale ? decimals : 0, '0');
  return `${units < 0n ? '-' : ''}${digits.slice(0, -amountScale)}${fraction === '' ? '' : `.${fraction}`}`;
}
