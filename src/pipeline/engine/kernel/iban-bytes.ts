/**
 * IBANs on bytes, for generated kernels: length and structure by country, mod 97 four digits at a time. Accepts exactly the
 * IBANs of countries with one structure; the rest are asked of the slow check.
 */
import { ibanStructures } from '../reference-data/iban-structures.ts';

/** `A` 10 … `Z` 35, digits themselves, anything else 99: outside every range. */
const characterValues = new Int32Array(256).fill(99);
for (let digit = 0; digit < 10; digit++) characterValues[0x30 + digit] = digit;
for (let letter = 0; letter < 26; letter++) characterValues[0x41 + letter] = 10 + letter;

/** Places per country in the range tables. */
const placesPerCountry = 36;
/** Country letters → number of its structure; -1: none, or several. */
const structureNumbers = new Int16Array(26 * 26).fill(-1);
const lengths: number[] = [];
const lowest: number[] = [];
const highest: number[] = [];
/** The country's two letters as four digits. */
const countryDigits: number[] = [];

for (const [country, structures] of Object.entries(ibanStructures)) {
  if (structures.length !== 1) continue;
  const kinds = `aann${[...structures[0]!.matchAll(/(\d+)([nac])/g)].map((part) => part[2]!.repeat(Number(part[1]))).join('')}`;
  const [first, second] = [country.charCodeAt(0) - 0x41, country.charCodeAt(1) - 0x41];
  structureNumbers[first * 26 + second] = lengths.length;
  lengths.push(kinds.length);
  countryDigits.push((first + 10) * 100 + second + 10);
  for (let place = 0; place < placesPerCountry; place++) {
    lowest.push(kinds[place] === 'a' ? 10 : 0);
    highest.push(kinds[place] === 'n' ? 9 : 35);
  }
}

const lengthTable = Uint8Array.from(lengths);
const lowTable = Int32Array.from(lowest);
const highTable = Int32Array.from(highest);
const countryTable = Int32Array.from(countryDigits);
/** 1 where four digits may stand from this place on. */
const digitsTable = Uint8Array.from(lowest, (_, at) => (lowest.slice(at, at + 4).every((low) => low === 0) ? 1 : 0));
/** 0xf0f0f0f0 as a signed number. */
const highNibbles = 0xf0f0f0f0 | 0;
/** Powers of ten mod 97; a BBAN has at most 30 places of two digits, and six digits follow it. */
const powers = new Int32Array(72);
for (let exponent = 0, power = 1; exponent < powers.length; exponent++, power = (power * 10) % 97) powers[exponent] = power;

/**
 * Length of the IBAN that starts at `start`, or 0. `view` is on the same bytes, which go on for 40 more. Goes from the last
 * place to the first, so that each part has its weight at once and one remainder is enough.
 */
export function ibanLength(bytes: Uint8Array, view: DataView, start: number): number {
  const first = bytes[start]! - 0x41;
  const second = bytes[start + 1]! - 0x41;
  const tens = bytes[start + 2]! - 0x30;
  const units = bytes[start + 3]! - 0x30;
  if (first >>> 0 > 25 || second >>> 0 > 25 || tens >>> 0 > 9 || units >>> 0 > 9) return 0;
  const number = structureNumbers[first * 26 + second]!;
  if (number < 0) return 0;
  // 00, 01 and 99 would pass the remainder but are never issued.
  const check = tens * 10 + units;
  if (check < 2 || check > 98) return 0;
  const length = lengthTable[number]!;
  const ranges = number * placesPerCountry;
  let sum = countryTable[number]! * 100 + check;
  let exponent = 6;
  let place = length;
  while (place > 4) {
    if (place >= 8 && digitsTable[ranges + place - 4] === 1) {
      const word = view.getInt32(start + place - 4, true);
      // All four bytes are 0x30 to 0x39. The first test keeps the sum of the second within 32 bits.
      if ((word & highNibbles) === 0x30303030 && ((word + 0x06060606) & highNibbles) === 0x30303030) {
        const pairs = (Math.imul(word & 0x0f0f0f0f, 2561) >>> 8) & 0x00ff00ff;
        sum += (Math.imul(pairs, 6_553_601) >>> 16) * powers[exponent]!;
        exponent += 4;
        place -= 4;
        continue;
      }
    }
    place--;
    const value = characterValues[bytes[start + place]!]!;
    if (value < lowTable[ranges + place]! || value > highTable[ranges + place]!) return 0;
    sum += value * powers[exponent]!;
    exponent += value > 9 ? 2 : 1;
  }
  return sum % 97 === 1 ? length : 0;
}
