/**
 * Sums of money in minor units, and their texts. Doubles while they are exact, carried into a bigint before a digit could
 * be lost; nothing is rounded.
 */
import type { Buffer } from 'node:buffer';

export type Units = number | bigint;

/** Digits that a double holds whatever they are. */
const safeDigits = 15;
const zero = 48;

export class ExactSum {
  #small = 0;
  #big = 0n;

  add(units: Units): void {
    if (typeof units === 'bigint') this.#big += units;
    else {
      const sum = this.#small + units;
      if (Number.isSafeInteger(sum)) this.#small = sum;
      else {
        this.#big += BigInt(this.#small);
        this.#small = units;
      }
    }
  }

  addSum(other: ExactSum): void {
    this.#big += other.#big;
    this.add(other.#small);
  }

  get value(): bigint {
    return this.#big + BigInt(this.#small);
  }

  reset(): void {
    this.#small = 0;
    this.#big = 0n;
  }
}

/** The number that the digits from `start` to `end` are; there are only digits there, and at least one. */
export function digitsValue(bytes: Buffer, start: number, end: number): Units {
  if (end - start > safeDigits) return BigInt(bytes.toString('latin1', start, end));
  let value = 0;
  for (let at = start; at < end; at++) value = value * 10 + bytes[at]! - zero;
  return value;
}

export function negated(units: Units): Units {
  return typeof units === 'bigint' ? -units : 0 - units;
}

/** `12345` with two digits is `123.45`. */
export function decimalText(units: bigint, digits: number): string {
  const sign = units < 0n ? '-' : '';
  const text = String(units < 0n ? -units : units).padStart(digits + 1, '0');
  return digits === 0 ? sign + text : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

/** Totals by currency, in the order in which the currencies came. */
export class CurrencySums {
  readonly #sums = new Map<string, { readonly sum: ExactSum; readonly digits: number }>();

  add(currency: string, digits: number, units: Units): void {
    let held = this.#sums.get(currency);
    if (held === undefined) this.#sums.set(currency, (held = { sum: new ExactSum(), digits }));
    held.sum.add(units);
  }

  texts(): Record<string, string> {
    return Object.fromEntries([...this.#sums].map(([currency, { sum, digits }]) => [currency, decimalText(sum.value, digits)]));
  }
}
