/**
 * The values that expressions compute with, and their exact arithmetic. Integers are 64-bit and checked, decimals are
 * exact with at most 38 digits, nothing is ever rounded except by `divide`, which is told how. Failures are thrown as
 * `ExpressionFailure` and never name a value.
 */
import { ExpressionFailure } from './expression-errors.ts';

/** `unscaled / 10^scale`. */
export interface Decimal {
  readonly unscaled: bigint;
  readonly scale: number;
}

/**
 * string: text; int: bigint; decimal: Decimal; bool: boolean; absent: null. Date, time and datetime are ISO 8601 text:
 * `2026-01-31`, `23:59:59` or `23:59:59.125`, `2026-01-31T23:59:59[.125]`, and with `Z` when the source named an offset (then in UTC).
 */
export type Value = string | bigint | boolean | Decimal | null;

export type Rounding = 'half-up' | 'half-even' | 'down';
export const roundings: readonly Rounding[] = ['half-up', 'half-even', 'down'];

const smallestInt = -(2n ** 63n);
const largestInt = 2n ** 63n - 1n;
const decimalLimit = 10n ** 38n;
const largestScale = 38;

export function isDecimal(value: Value): value is Decimal {
  return typeof value === 'object' && value !== null;
}

const powers: bigint[] = Array.from({ length: 80 }, (_, exponent) => 10n ** BigInt(exponent));

export function powerOfTen(exponent: number): bigint {
  return powers[exponent] ?? 10n ** BigInt(exponent);
}

/** Refuses what does not fit a signed 64-bit integer. */
export function checkInt(value: bigint): bigint {
  if (value < smallestInt || value > largestInt) throw new ExpressionFailure('integer out of range');
  return value;
}

/** Refuses more than 38 digits. */
export function makeDecimal(unscaled: bigint, scale: number): Decimal {
  if (scale > largestScale || unscaled >= decimalLimit || unscaled <= -decimalLimit) throw new ExpressionFailure('decimal out of range');
  return { unscaled, scale };
}

function asDecimal(value: bigint | Decimal): Decimal {
  return typeof value === 'bigint' ? { unscaled: value, scale: 0 } : value;
}

function aligned(left: Decimal, right: Decimal): { left: bigint; right: bigint; scale: number } {
  const scale = Math.max(left.scale, right.scale);
  return {
    left: left.unscaled * powerOfTen(scale - left.scale),
    right: right.unscaled * powerOfTen(scale - right.scale),
    scale,
  };
}

export function addNumbers(left: bigint | Decimal, right: bigint | Decimal): bigint | Decimal {
  if (typeof left === 'bigint' && typeof right === 'bigint') return checkInt(left + right);
  const pair = aligned(asDecimal(left), asDecimal(right));
  return makeDecimal(pair.left + pair.right, pair.scale);
}

export function subtractNumbers(left: bigint | Decimal, right: bigint | Decimal): bigint | Decimal {
  if (typeof left === 'bigint' && typeof right === 'bigint') return checkInt(left - right);
  const pair = aligned(asDecimal(left), asDecimal(right));
  return makeDecimal(pair.left - pair.right, pair.scale);
}

export function multiplyNumbers(left: bigint | Decimal, right: bigint | Decimal): bigint | Decimal {
  if (typeof left === 'bigint' && typeof right === 'bigint') return checkInt(left * right);
  const a = asDecimal(left);
  const b = asDecimal(right);
  return makeDecimal(a.unscaled * b.unscaled, a.scale + b.scale);
}

export function negateNumber(value: bigint | Decimal): bigint | Decimal {
  return typeof value === 'bigint' ? checkInt(-value) : { unscaled: -value.unscaled, scale: value.scale };
}

/** The remainder has the sign of the dividend. */
export function moduloInts(left: bigint, right: bigint): bigint {
  if (right === 0n) throw new ExpressionFailure('modulo by zero');
  return left % right;
}

/** The quotient at exactly `scale` digits after the point. */
export function divideNumbers(left: bigint | Decimal, right: bigint | Decimal, by: { scale: bigint; rounding: Rounding }): Decimal {
  if (by.scale < 0n || by.scale > BigInt(largestScale)) throw new ExpressionFailure('scale out of range');
  const scale = Number(by.scale);
  const dividend = asDecimal(left);
  const divisor = asDecimal(right);
  if (divisor.unscaled === 0n) throw new ExpressionFailure('division by zero');
  const numerator = dividend.unscaled * powerOfTen(divisor.scale + scale);
  const denominator = divisor.unscaled * powerOfTen(dividend.scale);
  const quotient = numerator / denominator;
  const remainder = numerator % denominator;
  if (remainder === 0n) return makeDecimal(quotient, scale);
  const doubled = magnitude(remainder) * 2n;
  const half = magnitude(denominator);
  const away =
    by.rounding === 'half-up'
      ? doubled >= half
      : by.rounding === 'half-even' && (doubled > half || (doubled === half && quotient % 2n !== 0n));
  if (!away) return makeDecimal(quotient, scale);
  return makeDecimal(numerator < 0n === denominator < 0n ? quotient + 1n : quotient - 1n, scale);
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}

export function compareNumbers(left: bigint | Decimal, right: bigint | Decimal): number {
  const pair = aligned(asDecimal(left), asDecimal(right));
  return pair.left < pair.right ? -1 : pair.left > pair.right ? 1 : 0;
}

/** `-12.05`, with exactly `scale` digits after the point. */
export function decimalText(value: Decimal): string {
  const digits = magnitude(value.unscaled)
    .toString()
    .padStart(value.scale + 1, '0');
  const sign = value.unscaled < 0n ? '-' : '';
  if (value.scale === 0) return sign + digits;
  return `${sign}${digits.slice(0, -value.scale)}.${digits.slice(-value.scale)}`;
}

/** Exact text: optional minus, digits, optionally a point and digits. Anything else is refused. */
export function parseDecimal(text: string): Decimal {
  if (text.length > 80 || !/^-?[0-9]+(\.[0-9]+)?$/.test(text)) throw new ExpressionFailure('text is not a decimal');
  const point = text.indexOf('.');
  if (point < 0) return makeDecimal(BigInt(text), 0);
  return makeDecimal(BigInt(text.slice(0, point) + text.slice(point + 1)), text.length - point - 1);
}

export function parseInteger(text: string): bigint {
  if (text.length > 40 || !/^-?[0-9]+$/.test(text)) throw new ExpressionFailure('text is not an integer');
  return checkInt(BigInt(text));
}

/** Refuses a fraction: nothing is rounded in passing. */
export function decimalToInt(value: Decimal): bigint {
  const unit = powerOfTen(value.scale);
  if (value.unscaled % unit !== 0n) throw new ExpressionFailure('decimal has a fraction');
  return checkInt(value.unscaled / unit);
}

/** Exact text of any value; the one that outputs and `string(x)` use. */
export function valueText(value: Exclude<Value, null>): string {
  return isDecimal(value) ? decimalText(value) : String(value);
}

/** Code point order, which is also the order of the UTF-8 bytes. */
export function compareTexts(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) {
      // Surrogates (D800–DFFF) stand for code points above every other unit, so they sort after E000–FFFF.
      const shiftedA = a >= 0xd800 && a <= 0xdfff ? a + 0x10000 : a;
      const shiftedB = b >= 0xd800 && b <= 0xdfff ? b + 0x10000 : b;
      return shiftedA < shiftedB ? -1 : 1;
    }
  }
  return left.length === right.length ? 0 : left.length < right.length ? -1 : 1;
}

/** Moments of one type. One with an offset has no order with one that names none. A left out fraction is zero. */
export function compareMoments(left: string, right: string): number {
  const leftUtc = left.endsWith('Z');
  if (leftUtc !== right.endsWith('Z')) throw new ExpressionFailure('a datetime with an offset is compared with one without');
  const [a, b] = leftUtc ? [left.slice(0, -1), right.slice(0, -1)] : [left, right];
  return compareTexts(padFraction(a, b), padFraction(b, a));
}

function padFraction(moment: string, other: string): string {
  return moment.length === other.length - 4 && other[moment.length] === '.' ? `${moment}.000` : moment;
}
