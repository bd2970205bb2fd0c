/**
 * Checks that generated kernels call on bytes: UTF-8, code points, IBANs, codes from tables. They accept exactly what the
 * slow path's checks accept; what they don't accept goes there to be named.
 */
import { countries } from '../reference-data/countries.ts';
import { currencyMinorUnits } from '../reference-data/currencies.ts';
import { ibanStructures } from '../reference-data/iban-structures.ts';

/** Unicode table 3-7, over `bytes[start, end)`. */
export function isUtf8Range(bytes: Uint8Array, start: number, end: number): boolean {
  let index = start;
  while (index < end) {
    const lead = bytes[index]!;
    if (lead < 0x80) {
      index++;
      continue;
    }
    if (lead < 0xc2 || lead > 0xf4) return false;
    const second = bytes[index + 1]!;
    if (lead < 0xe0) {
      if (index + 2 > end || (second & 0xc0) !== 0x80) return false;
      index += 2;
    } else if (lead < 0xf0) {
      if (index + 3 > end || (second & 0xc0) !== 0x80 || (bytes[index + 2]! & 0xc0) !== 0x80) return false;
      if ((lead === 0xe0 && second < 0xa0) || (lead === 0xed && second > 0x9f)) return false;
      index += 3;
    } else {
      if (index + 4 > end || (second & 0xc0) !== 0x80 || (bytes[index + 2]! & 0xc0) !== 0x80 || (bytes[index + 3]! & 0xc0) !== 0x80)
        return false;
      if ((lead === 0xf0 && second < 0x90) || (lead === 0xf4 && second > 0x8f)) return false;
      index += 4;
    }
  }
  return true;
}

/** Code points of valid UTF-8. */
export function countCodePoints(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let index = start; index < end; index++) if ((bytes[index]! & 0xc0) !== 0x80) count++;
  return count;
}

export function equalBytes(bytes: Uint8Array, start: number, end: number, other: Uint8Array): boolean {
  if (end - start !== other.length) return false;
  for (let index = 0; index < other.length; index++) if (bytes[start + index] !== other[index]) return false;
  return true;
}

/** `A` 10 … `Z` 35, digits themselves, anything else a number that no check survives. */
const characterValues = new Int32Array(256).fill(1_000_000);
for (let digit = 0; digit < 10; digit++) characterValues[0x30 + digit] = digit;
for (let letter = 0; letter < 26; letter++) characterValues[0x41 + letter] = 10 + letter;

const letterPairs = 26 * 26;
const slotLength = 36;
/** Country pair → slot; -1: not one structure, left to the slow check. */
const countrySlots = new Int16Array(letterPairs).fill(-1);
const ibanLengths: number[] = [];
/** 1: digits and letters at fixed places, so one weighted sum decides; 0: alphanumeric places, digit by digit. */
const isWeighted: number[] = [];
const weights: number[] = [];
const lowest: number[] = [];
const highest: number[] = [];

function pairIndex(text: string): number {
  return (text.charCodeAt(0) - 0x41) * 26 + text.charCodeAt(1) - 0x41;
}

for (const [country, structures] of Object.entries(ibanStructures)) {
  if (structures.length !== 1) continue;
  const kinds = `aann${[...structures[0]!.matchAll(/(\d+)([nac])/g)].map((part) => part[2]!.repeat(Number(part[1]))).join('')}`;
  countrySlots[pairIndex(country)] = ibanLengths.length;
  ibanLengths.push(kinds.length);
  isWeighted.push(kinds.includes('c') ? 0 : 1);
  const order = [...Array(kinds.length - 4).keys()].map((index) => index + 4).concat([0, 1, 2, 3]);
  const placeWeights = new Array<number>(slotLength).fill(0);
  let weight = 1;
  for (const place of order.reverse()) {
    placeWeights[place] = weight;
    weight = (weight * (kinds[place] === 'n' ? 10 : 100)) % 97;
  }
  weights.push(...placeWeights);
  for (let place = 0; place < slotLength; place++) {
    lowest.push(kinds[place] === 'a' ? 10 : 0);
    highest.push(kinds[place] === 'n' ? 9 : 35);
  }
}

const lengthBySlot = Uint8Array.from(ibanLengths);
const weightedBySlot = Uint8Array.from(isWeighted);
const weightTable = Int32Array.from(weights);
const lowTable = Int32Array.from(lowest);
const highTable = Int32Array.from(highest);

/** Length of the IBAN that starts at `start`, or 0 when it is none or its country has several structures. */
export function ibanLength(bytes: Uint8Array, start: number): number {
  const first = (bytes[start]! - 0x41) >>> 0;
  const second = (bytes[start + 1]! - 0x41) >>> 0;
  if (first > 25 || second > 25) return 0;
  const slot = countrySlots[first * 26 + second]!;
  if (slot < 0) return 0;
  const length = lengthBySlot[slot]!;
  return (
    weightedBySlot[slot] === 1
      ? isWeightedIban(bytes, start, length, slot * slotLength)
      : isMixedIban(bytes, start, length, slot * slotLength)
  )
    ? length
    : 0;
}

/** Check digits 00, 01 and 99 pass the remainder but are never issued. */
function hasCheckDigits(bytes: Uint8Array, start: number): boolean {
  const tens = bytes[start + 2]!;
  const units = bytes[start + 3]!;
  return !(tens === 0x30 && units < 0x32) && !(tens === 0x39 && units === 0x39);
}

function isWeightedIban(bytes: Uint8Array, start: number, length: number, slot: number): boolean {
  let sum = 0;
  let isOut = 0;
  for (let place = 0; place < length; place++) {
    const value = characterValues[bytes[start + place]!]!;
    sum += value * weightTable[slot + place]!;
    isOut |= (value - lowTable[slot + place]!) | (highTable[slot + place]! - value);
  }
  return isOut >= 0 && sum % 97 === 1 && hasCheckDigits(bytes, start);
}

function isMixedIban(bytes: Uint8Array, start: number, length: number, slot: number): boolean {
  let remainder = 0;
  let isOut = 0;
  for (let step = 0; step < length; step++) {
    const place = step + 4 < length ? step + 4 : step + 4 - length;
    const value = characterValues[bytes[start + place]!]!;
    isOut |= (value - lowTable[slot + place]!) | (highTable[slot + place]! - value);
    if (isOut < 0) return false;
    remainder = (value > 9 ? remainder * 100 + value : remainder * 10 + value) % 97;
  }
  return remainder === 1 && hasCheckDigits(bytes, start);
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
  const first = (bytes[start]! - 0x41) >>> 0;
  const second = (bytes[start + 1]! - 0x41) >>> 0;
  const third = (bytes[start + 2]! - 0x41) >>> 0;
  return first > 25 || second > 25 || third > 25 ? -1 : (first * 26 + second) * 26 + third;
}

export function isCurrencyAt(bytes: Uint8Array, start: number): boolean {
  const triple = tripleAt(bytes, start);
  return triple >= 0 && currencyTable[triple] === 1;
}

export function isCountryAt(bytes: Uint8Array, start: number): boolean {
  const first = (bytes[start]! - 0x41) >>> 0;
  const second = (bytes[start + 1]! - 0x41) >>> 0;
  return first <= 25 && second <= 25 && countryTable[first * 26 + second] === 1;
}
