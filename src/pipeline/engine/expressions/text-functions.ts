/**
 * Text functions of expressions. Positions and sizes are code points; results are at most 16 Mi units long, checked
 * before anything is built, and what the functions of one expression build together for one record is at most 4 Mi units: more
 * is no text of a payment, and a record costs milliseconds at the most. Upper and lower case are those of Unicode, of no locale; the receipt pins the Unicode version.
 */
import { ExpressionFailure } from './expression-errors.ts';

const largestText = 16 * 1024 * 1024;
/** More than kernels have room for, so that both paths say the same. */
const builtMax = 4 * 1024 * 1024;

let built = 0;

/** Before an expression is evaluated. */
export function beginTexts(): void {
  built = 0;
}

function countBuilt(length: number): void {
  checkTextLength(length);
  built += length;
  if (built > builtMax) throw new ExpressionFailure('texts too long');
}
const largestWidth = 10_000n;

export function checkTextLength(length: number): void {
  if (length > largestText) throw new ExpressionFailure('text too long');
}

export function concatTexts(left: string, right: string): string {
  checkTextLength(left.length + right.length);
  return left + right;
}

/** Number of code points. */
export function textSize(text: string): number {
  let size = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0xd800 && unit <= 0xdbff && index + 1 < text.length) {
      size--;
      index++;
    }
  }
  return size;
}

/** Both positions clamp to the text; an empty range is an empty text. */
export function substringText(text: string, from: bigint, to: bigint | null): string {
  const size = textSize(text);
  const start = clamp(from, size);
  const end = to === null ? size : clamp(to, size);
  if (end <= start) return '';
  if (size === text.length) return text.slice(start, end);
  return [...text].slice(start, end).join('');
}

function clamp(position: bigint, size: number): number {
  return position <= 0n ? 0 : position >= BigInt(size) ? size : Number(position);
}

/** Unicode White_Space (not the byte order mark, not zero-width spaces). */
function isWhitespace(unit: number): boolean {
  if (unit < 0x80) return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d);
  return (
    unit === 0x85 ||
    unit === 0xa0 ||
    unit === 0x1680 ||
    (unit >= 0x2000 && unit <= 0x200a) ||
    unit === 0x2028 ||
    unit === 0x2029 ||
    unit === 0x202f ||
    unit === 0x205f ||
    unit === 0x3000
  );
}

export function trimText(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isWhitespace(text.charCodeAt(start))) start++;
  while (end > start && isWhitespace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

export function upperText(text: string): string {
  countBuilt(text.length);
  const upper = text.toUpperCase();
  checkTextLength(upper.length);
  return upper;
}

export function lowerText(text: string): string {
  countBuilt(text.length);
  const lower = text.toLowerCase();
  checkTextLength(lower.length);
  return lower;
}

export function upperAsciiText(text: string): string {
  return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}

export function lowerAsciiText(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Every occurrence, left to right, not overlapping. */
export function replaceText(text: string, change: { search: string; replacement: string }): string {
  if (change.search === '') throw new ExpressionFailure('replace of an empty text');
  const parts = text.split(change.search);
  countBuilt(text.length + (parts.length - 1) * (change.replacement.length - change.search.length));
  return parts.join(change.replacement);
}

/** Text that is already as wide is unchanged. `fill` is one code point. */
export function padText(text: string, pad: { side: 'left' | 'right'; width: bigint; fill: string }): string {
  if (pad.width < 0n || pad.width > largestWidth) throw new ExpressionFailure('pad width out of range');
  if (textSize(pad.fill) !== 1) throw new ExpressionFailure('pad fill is not one character');
  const missing = Number(pad.width) - textSize(text);
  if (missing <= 0) return text;
  const filling = pad.fill.repeat(missing);
  return pad.side === 'left' ? filling + text : text + filling;
}

/** The middle becomes asterisks. A text with no middle is hidden whole: a short value must not show itself. */
export function maskText(text: string, keep: { first: bigint; last: bigint }): string {
  if (keep.first < 0n || keep.last < 0n) throw new ExpressionFailure('mask keeps a negative count');
  const size = textSize(text);
  if (keep.first + keep.last >= BigInt(size)) return '*'.repeat(size);
  const first = Number(keep.first);
  const last = Number(keep.last);
  const points = size === text.length ? null : [...text];
  const head = points === null ? text.slice(0, first) : points.slice(0, first).join('');
  const tail = points === null ? text.slice(size - last) : points.slice(size - last).join('');
  return head + '*'.repeat(size - first - last) + tail;
}
