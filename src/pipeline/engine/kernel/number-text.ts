/** Reads and writes integers that a double holds exactly as decimal text. Called by generated kernels. */

const pairs = new Uint16Array(100);
for (let value = 0; value < 100; value++) pairs[value] = (0x30 + Math.floor(value / 10)) | ((0x30 + (value % 10)) << 8);

/** Digits of `value` (0 to 99,999,999) without leading zeros, before position `end`; returns where they start. */
function writeSmall(into: Uint8Array, end: number, value: number): number {
  let at = end;
  let rest = value | 0;
  while (rest >= 100) {
    const next = (rest / 100) | 0;
    const pair = pairs[rest - next * 100]!;
    into[--at] = pair >> 8;
    into[--at] = pair & 0xff;
    rest = next;
  }
  if (rest >= 10) {
    const pair = pairs[rest]!;
    into[--at] = pair >> 8;
    into[--at] = pair & 0xff;
  } else into[--at] = 0x30 + rest;
  return at;
}

const digits = new Uint8Array(40);
const hundredMillion = 100_000_000;

/** Fills `digits` up to its end with at least `least` digits; returns where they start. `value` is not negative and below 10^16. */
function fillDigits(value: number, least: number): number {
  const end = digits.length;
  let at: number;
  if (value < hundredMillion) at = writeSmall(digits, end, value);
  else {
    const high = Math.floor(value / hundredMillion);
    at = writeSmall(digits, end, value - high * hundredMillion);
    while (at > end - 8) digits[--at] = 0x30;
    at = writeSmall(digits, at, high);
  }
  while (at > end - least) digits[--at] = 0x30;
  return at;
}

export function writeInteger(into: Uint8Array, position: number, value: number): number {
  let at = position;
  if (value < 0) into[at++] = 0x2d;
  for (let from = fillDigits(Math.abs(value), 1); from < digits.length; from++) into[at++] = digits[from]!;
  return at;
}

/** `value` is unscaled; exactly `scale` (1 to 14) digits follow the point. */
export function writeDecimal(into: Uint8Array, position: number, value: number, scale: number): number {
  let at = position;
  if (value < 0) into[at++] = 0x2d;
  const point = digits.length - scale;
  for (let from = fillDigits(Math.abs(value), scale + 1); from < digits.length; from++) {
    if (from === point) into[at++] = 0x2e;
    into[at++] = digits[from]!;
  }
  return at;
}

/** The unscaled value at `scale` of a checked decimal text of at most 15 digits, the scale's zeros included. */
export function readWide(bytes: Uint8Array, start: number, end: number, scale: number): number {
  const isNegative = bytes[start] === 0x2d;
  let value = 0;
  let missing = scale;
  let isFraction = false;
  for (let at = isNegative ? start + 1 : start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === 0x2e) {
      isFraction = true;
      continue;
    }
    value = value * 10 + (byte - 0x30);
    if (isFraction) missing--;
  }
  for (; missing > 0; missing--) value *= 10;
  return isNegative ? 0 - value : value;
}
