/**
 * int and decimal fields from their text: ASCII digits with an optional minus, exact, never rounded, never coerced.
 */

import { fieldErrors } from '../engine-errors.ts';
import type { Decimal } from '../expressions/values.ts';
import { FieldProblem } from './field-problem.ts';

const integerForm = /^-?[0-9]+$/;
const explicitForm = /^-?[0-9]+(?:\.[0-9]+)?$/;
const smallestInt = -(2n ** 63n);
const largestInt = 2n ** 63n - 1n;
const decimalDigitsMax = 38;

const notInteger = new FieldProblem(fieldErrors.E_INT, 'not an integer');
const integerRange = new FieldProblem(fieldErrors.E_RANGE, 'integer beyond 64 bits');
const notDecimal = new FieldProblem(fieldErrors.E_DECIMAL, 'not a decimal number');
const beyondScale: FieldProblem[] = [];
const decimalRange = new FieldProblem(fieldErrors.E_RANGE, `more than ${decimalDigitsMax} digits`);

/** Significant digits; leading zeros don't count, so that zero-filled columns of any width are read. */
function significantDigits(text: string): number {
  let index = 0;
  let zeros = 0;
  let digits = 0;
  let hasStarted = false;
  for (; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x30 || unit > 0x39) continue;
    if (!hasStarted && unit === 0x30) zeros++;
    else {
      hasStarted = true;
      digits++;
    }
  }
  return hasStarted ? digits : Math.min(zeros, 1);
}

/** Digits are counted before they become a number: a hostile length costs a scan, not a big multiplication. */
export function readInteger(text: string): bigint | FieldProblem {
  if (!integerForm.test(text)) return notInteger;
  if (significantDigits(text) > 19) return integerRange;
  const value = BigInt(withoutZeros(text));
  return value < smallestInt || value > largestInt ? integerRange : value;
}

function withoutZeros(text: string): string {
  return text.length <= 40 ? text : text.replace(/^(-?)0+(?=[0-9])/, '$1');
}

/** One for each scale, since problems are compared by identity. */
function moreDigitsThan(scale: number): FieldProblem {
  beyondScale[scale] ??= new FieldProblem(fieldErrors.E_DECIMAL, `more digits after the point than its scale of ${scale}`);
  return beyondScale[scale];
}

export function readDecimal(
  text: string,
  form: { readonly point: 'explicit' | 'implied'; readonly scale: number },
): Decimal | FieldProblem {
  if (form.point === 'implied') {
    if (!integerForm.test(text)) return notDecimal;
    if (significantDigits(text) > decimalDigitsMax) return decimalRange;
    return { unscaled: BigInt(withoutZeros(text)), scale: form.scale };
  }
  if (!explicitForm.test(text)) return notDecimal;
  const point = text.indexOf('.');
  const fraction = point < 0 ? 0 : text.length - point - 1;
  if (fraction > form.scale) return moreDigitsThan(form.scale);
  const digits = (point < 0 ? text : text.slice(0, point) + text.slice(point + 1)) + '0'.repeat(form.scale - fraction);
  if (significantDigits(digits) > decimalDigitsMax) return decimalRange;
  return { unscaled: BigInt(withoutZeros(digits)), scale: form.scale };
}
