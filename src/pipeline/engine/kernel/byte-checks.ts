/**
 * Checks that generated kernels call on bytes: code points, codes from tables. They accept exactly what the
 * slow path's checks accept; what they don't accept goes there to be named.
 */
import { countries } from '../reference-data/countries.ts';
import { currencyMinorUnits } from '../reference-data/currencies.ts';

/** Code points of valid UTF-8. */
export function countCodePoints(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let index = start; index < end; index++) if ((bytes[index]! & 0xc0) !== 0x80) count++;
  return count;
}

const letterPairs = 26 * 26;

function pairIndex(text: string): number {
  return (text.charCodeAt(0) - 0x41) * 26 + text.charCodeAt(1) - 0x41;
}

const currencyTable = new Uint8Array(26 * letterPairs);
for (const code of currencyMinorUnits.keys()) currencyTable[tripleIndex(code)] = 1;
const countryTable = new Uint8Array(letterPairs);
for (const code of countries) countryTable[pairIndex(code)] = 1;

function tripleIndex(text: string): number {
  return pairIndex(text) * 26 + text.charCodeAt(2) - 0x41;
}

/** Index of three upper-case letters among all such codes, or -1. */
export function tripleAt(bytes: Uint8Array, start: number): number {
  const first = bytes[start]! - 0x41;
  const second = bytes[start + 1]! - 0x41;
  const third = bytes[start + 2]! - 0x41;
  return first >>> 0 > 25 || second >>> 0 > 25 || third >>> 0 > 25 ? -1 : (first * 26 + second) * 26 + third;
}

export function isCurrencyAt(bytes: Uint8Array, start: number): boolean {
  const triple = tripleAt(bytes, start);
  return triple >= 0 && currencyTable[triple] === 1;
}

export function isCountryAt(bytes: Uint8Array, start: number): boolean {
  const first = bytes[start]! - 0x41;
  const second = bytes[start + 1]! - 0x41;
  return first >>> 0 <= 25 && second >>> 0 <= 25 && countryTable[first * 26 + second] === 1;
}
