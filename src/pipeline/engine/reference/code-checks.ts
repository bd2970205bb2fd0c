/**
 * Field types whose values are codes, checked by the book: structure by regular expression, check digits with BigInt.
 * Each names its standard. Separate from the engine's checks, with which it shares only the tables.
 */
import { bicCountries, countries, isinPrefixes } from '../reference-data/countries.ts';
import { currencyMinorUnits } from '../reference-data/currencies.ts';
import { ibanStructures } from '../reference-data/iban-structures.ts';

const characterClasses: Readonly<Record<string, string>> = { n: '[0-9]', a: '[A-Z]', c: '[A-Z0-9]' };
const structurePatterns = new Map<string, RegExp>();

/** ISO 13616: country, its length and structure, check digits 02 to 98, ISO 7064 mod 97-10. What is wrong, or null. */
export function ibanMistake(text: string): string | null {
  const [country, digits, rest] = [text.slice(0, 2), text.slice(2, 4), text.slice(4)];
  const structures = Object.hasOwn(ibanStructures, country) ? ibanStructures[country]! : [];
  if (structures.length === 0) return 'it begins with no country that has them';
  if (!structures.some((structure) => structureLength(structure) === rest.length)) return 'it is not as long as those of its country';
  if (!/^[0-9]{2}$/.test(digits) || !structures.some((structure) => structurePattern(structure).test(rest)))
    return 'its country has letters and digits in other places';
  const isRight = Number(digits) >= 2 && Number(digits) <= 98 && BigInt(lettersToNumbers(rest + country + digits)) % 97n === 1n;
  return isRight ? null : 'its check digits are wrong';
}

/** Of `4a16n`: 20. */
function structureLength(structure: string): number {
  return structure
    .split(/[nac]/)
    .slice(0, -1)
    .reduce((sum, count) => sum + Number(count), 0);
}

function structurePattern(structure: string): RegExp {
  let pattern = structurePatterns.get(structure);
  if (pattern === undefined) {
    const source = structure.replace(/([0-9]+)([nac])/g, (_, count: string, kind: string) => `${characterClasses[kind]}{${count}}`);
    pattern = new RegExp(`^${source}$`);
    structurePatterns.set(structure, pattern);
  }
  return pattern;
}

/** A is 10, B is 11 … Z is 35. */
function lettersToNumbers(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55));
}

/** ISO 9362:2014. */
export function isBicText(text: string): boolean {
  return /^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$/.test(text) && bicCountries.has(text.slice(4, 6));
}

/** ABA routing number: weights 3, 7, 1. */
export function isRoutingText(text: string): boolean {
  if (!/^[0-9]{9}$/.test(text)) return false;
  const sum = [...text].reduce((total, digit, index) => total + Number(digit) * [3, 7, 1][index % 3]!, 0);
  return sum % 10 === 0;
}

/** ISO 17442: mod 97-10 over the 20 characters. */
export function isLeiText(text: string): boolean {
  return /^[A-Z0-9]{18}[0-9]{2}$/.test(text) && BigInt(lettersToNumbers(text)) % 97n === 1n;
}

/** ISO 6166: Luhn over the characters with letters as two digits. */
export function isIsinText(text: string): boolean {
  return /^[A-Z]{2}[A-Z0-9]{9}[0-9]$/.test(text) && isinPrefixes.has(text.slice(0, 2)) && hasLuhnDigit(lettersToNumbers(text));
}

/** ISO/IEC 7812: every second digit from the right is doubled. */
export function isLuhnText(text: string): boolean {
  return /^[0-9]{2,}$/.test(text) && hasLuhnDigit(text);
}

function hasLuhnDigit(digits: string): boolean {
  const values = [...digits].reverse().map((digit, index) => {
    const doubled = Number(digit) * (index % 2 === 1 ? 2 : 1);
    return doubled > 9 ? doubled - 9 : doubled;
  });
  return values.reduce((sum, value) => sum + value, 0) % 10 === 0;
}

export function isCurrencyText(text: string): boolean {
  return currencyMinorUnits.has(text);
}

export function isCountryText(text: string): boolean {
  return countries.has(text);
}
