/**
 * IBANs over bytes: structure of the country and check digits (ISO 13616), without a string per account. The registry has no lower
 * case letters, though the schemas take them.
 */
import { ibanStructures } from '../../../engine/reference-data/iban-structures.ts';
import { type ValueCheck, ValueProblem } from './value-problem.ts';

const digit = 1;
const letter = 2;

/** What a character of a structure may be: a sum of `digit` and `letter`. */
const kinds = { n: digit, a: letter, c: digit + letter } as const;

/** By the number of a country: what may be at each place after the check digits. */
const formsByCountry: (readonly Uint8Array[])[] = [];

for (const [country, structures] of Object.entries(ibanStructures)) {
  formsByCountry[(country.charCodeAt(0) - 0x41) * 26 + country.charCodeAt(1) - 0x41] = structures.map((structure) =>
    Uint8Array.from(
      [...structure.matchAll(/([0-9]+)([nac])/g)].flatMap(([, count, kind]) =>
        new Array(Number(count)).fill(kinds[kind as 'n' | 'a' | 'c']),
      ),
    ),
  );
}

const problemOf = (message: string) => new ValueProblem('business', 'iban', message);
const noCountry = problemOf('the country has no IBANs');
const otherLength = problemOf('the length is not that of IBANs of the country');
const otherCharacters = problemOf('a letter or digit is not where the country has one');
const wrongCheckDigits = problemOf('the check digits are wrong');

/** For texts of two upper-case letters, two digits and letters and digits. */
export const checkIban: ValueCheck = (bytes, from, to) => {
  const forms = formsByCountry[(bytes[from]! - 0x41) * 26 + bytes[from + 1]! - 0x41];
  if (forms === undefined) return noCountry;
  // No country has two structures of one length.
  let form: Uint8Array | undefined;
  for (const each of forms) if (each.length === to - from - 4) form = each;
  if (form === undefined) return otherLength;
  if (!isOfForm(form, bytes, from + 4)) return otherCharacters;
  const checkDigits = (bytes[from + 2]! - 0x30) * 10 + bytes[from + 3]! - 0x30;
  // 00, 01 and 99 would pass the remainder alone.
  return checkDigits >= 2 && checkDigits <= 98 && remainder(bytes, from, to) === 1 ? null : wrongCheckDigits;
};

function isOfForm(form: Uint8Array, bytes: Buffer, from: number): boolean {
  for (let index = 0; index < form.length; index++) {
    const byte = bytes[from + index]!;
    const kind = byte <= 0x39 ? digit : byte <= 0x5a ? letter : 0;
    if ((form[index]! & kind) === 0) return false;
  }
  return true;
}

/** Remainder by 97 with the first four characters at the end, letters as 10 to 35 (ISO 7064). */
function remainder(bytes: Buffer, from: number, to: number): number {
  let value = 0;
  const length = to - from;
  for (let index = 4; index < length + 4; index++) {
    const byte = bytes[from + (index < length ? index : index - length)]!;
    value = byte <= 0x39 ? value * 10 + byte - 0x30 : value * 100 + byte - 0x37;
    // Below this, the next step stays a small integer.
    if (value > 1_000_000) value %= 97;
  }
  return value % 97;
}
