/** Amounts as SWIFT writes them: digits with a decimal comma, read exactly into minor units. */
import type { Buffer } from 'node:buffer';
import { currencyMinorUnits } from '../../engine/reference-data/currencies.ts';
import { digitsValue, type Units } from '../exact-sum.ts';
import { areDigits } from '../statements/byte-fields.ts';

const comma = 44;
const assumedDigits = 2;

/** Decimals of a currency; two are assumed for one that ISO 4217 does not have or gives none. */
export function decimalsOf(currency: string): number {
  return currencyMinorUnits.get(currency) ?? assumedDigits;
}

/** In minor units of `decimals`; or what is wrong with the amount. */
export function readDecimal(bytes: Buffer, start: number, end: number, decimals: number): Units | 'amount' | 'amount-decimals' {
  const at = commaAt(bytes, start, end);
  if (at < 0 || !areDigits(bytes, start, at) || (at + 1 < end && !areDigits(bytes, at + 1, end))) return 'amount';
  const given = end - at - 1;
  if (given > decimals) return 'amount-decimals';
  if (end - start > 15) return exactly(bytes, start, at, end, decimals);
  const whole = Number(digitsValue(bytes, start, at)) * 10 ** decimals;
  const fraction = given === 0 ? 0 : Number(digitsValue(bytes, at + 1, end)) * 10 ** (decimals - given);
  const units = whole + fraction;
  return Number.isSafeInteger(units) ? units : exactly(bytes, start, at, end, decimals);
}

function exactly(bytes: Buffer, start: number, at: number, end: number, decimals: number): bigint {
  const fraction = bytes.toString('latin1', at + 1, end).padEnd(decimals, '0');
  return BigInt(bytes.toString('latin1', start, at) + fraction);
}

/** An amount without a comma, as some banks write whole ones; null where it is no such. */
export function readWhole(bytes: Buffer, start: number, end: number, decimals: number): Units | null {
  if (!areDigits(bytes, start, end)) return null;
  const units = BigInt(bytes.toString('latin1', start, end)) * 10n ** BigInt(decimals);
  return units <= Number.MAX_SAFE_INTEGER ? Number(units) : units;
}

function commaAt(bytes: Buffer, start: number, end: number): number {
  for (let at = start; at < end; at++) if (bytes[at] === comma) return at;
  return -1;
}
