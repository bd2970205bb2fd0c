/** `xs:decimal` and `xs:boolean` over bytes (XML Schema part 2, sections 3.2.2 and 3.2.3), and amounts as exact integers. */

import { type ValueCheck, ValueProblem } from './value-problem.ts';
import { trimmedFrom, trimmedTo } from './white-space.ts';

export interface DecimalFacets {
  readonly totalDigits: number;
  readonly fractionDigits: number;
  readonly isNegativeAllowed: boolean;
}

/** Digits are counted as in the canonical form: without leading zeros, and without zeros at the end of the fraction. */
export function decimalOf({ totalDigits, fractionDigits, isNegativeAllowed }: DecimalFacets): ValueCheck {
  const form = new ValueProblem('schema', 'schema-number', 'the text is no decimal number');
  const size = new ValueProblem(
    'schema',
    'schema-digits',
    `the number has more than ${totalDigits} digits, or more than ${fractionDigits} decimals`,
  );
  const sign = new ValueProblem('schema', 'schema-range', 'the number is below zero');
  return (bytes, from, to) => {
    let at = trimmedFrom(bytes, from, to);
    const end = trimmedTo(bytes, at, to);
    const isNegative = bytes[at] === 0x2d && at < end;
    if (at < end && (isNegative || bytes[at] === 0x2b)) at++;
    let whole = 0;
    let fraction = 0;
    let zeros = 0;
    let digits = 0;
    for (; at < end && bytes[at]! >= 0x30 && bytes[at]! <= 0x39; at++, digits++) if (whole > 0 || bytes[at] !== 0x30) whole++;
    if (at < end && bytes[at] === 0x2e) {
      for (at++; at < end && bytes[at]! >= 0x30 && bytes[at]! <= 0x39; at++, digits++) {
        if (bytes[at] === 0x30) zeros++;
        else {
          fraction += zeros + 1;
          zeros = 0;
        }
      }
    }
    if (at < end || digits === 0) return form;
    if (fraction > fractionDigits || whole + fraction > totalDigits) return size;
    return isNegative && !isNegativeAllowed && whole + fraction > 0 ? sign : null;
  };
}

const belowOne = new ValueProblem('schema', 'schema-range', 'the number is below one');

/** Of a valid decimal that is whole and not below zero. */
export const checkOneOrMore: ValueCheck = (bytes, from, to) => {
  for (let at = from; at < to; at++) if (bytes[at]! >= 0x31 && bytes[at]! <= 0x39) return null;
  return belowOne;
};

const notBoolean = new ValueProblem('schema', 'schema-boolean', 'the text is none of true, false, 1 and 0');

export const checkBoolean: ValueCheck = (bytes, from, to) => {
  const start = trimmedFrom(bytes, from, to);
  const text = bytes.toString('latin1', start, Math.min(start + 6, trimmedTo(bytes, start, to)));
  return text === 'true' || text === 'false' || text === '1' || text === '0' ? null : notBoolean;
};

/** Decimals of an amount as the sums are kept. */
export const amountScale = 5;

/** A valid decimal with at most five decimals, times 100,000; NaN: too large for a number that is exact. */
export function scaledAmount(bytes: Buffer, from: number, to: number): number {
  let at = trimmedFrom(bytes, from, to);
  const isNegative = bytes[at] === 0x2d;
  if (isNegative || bytes[at] === 0x2b) at++;
  let value = 0;
  let decimals = -1;
  for (; at < to; at++) {
    const byte = bytes[at]!;
    if (byte === 0x2e) decimals = 0;
    else if (byte < 0x30 || byte > 0x39) break;
    else if (decimals < amountScale) {
      value = value * 10 + (byte - 0x30);
      if (decimals >= 0) decimals++;
      if (value > Number.MAX_SAFE_INTEGER) return Number.NaN;
    }
  }
  for (let left = Math.max(decimals, 0); left < amountScale; left++) value *= 10;
  return value > Number.MAX_SAFE_INTEGER ? Number.NaN : isNegative ? -value : value;
}

/** A valid decimal, times ten to the power of `scale`; digits beyond it are dropped. */
export function scaledInteger(bytes: Buffer, from: number, to: number, scale: number): bigint {
  const text = bytes.toString('latin1', from, to).trim();
  const isNegative = text.startsWith('-');
  const [whole = '', fraction = ''] = text.replace(/^[-+]/, '').split('.');
  const value = BigInt(`0${whole}${fraction.slice(0, scale).padEnd(scale, '0')}`);
  return isNegative ? -value : value;
}

/** Significant decimals of a valid decimal: 10.50 has one. */
export function decimalsOf(bytes: Buffer, from: number, to: number): number {
  let decimals = 0;
  let isFraction = false;
  let position = 0;
  for (let at = from; at < to; at++) {
    const byte = bytes[at]!;
    if (byte === 0x2e) isFraction = true;
    else if (isFraction && byte >= 0x30 && byte <= 0x39) {
      position++;
      if (byte !== 0x30) decimals = position;
    }
  }
  return decimals;
}
