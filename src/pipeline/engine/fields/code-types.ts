/**
 * The types whose text is a code with a standard behind it: IBAN, BIC, ABA routing number, LEI, ISIN, ISO 4217, ISO 3166,
 * Luhn. Upper case, no spaces, nothing coerced. Tables come from `reference-data`.
 */
import { bicCountries, countries, isinPrefixes } from '../reference-data/countries.ts';
import { currencyMinorUnits } from '../reference-data/currencies.ts';
import { ibanStructures } from '../reference-data/iban-structures.ts';
import { expandLetters, passesLuhn, passesRoutingChecksum, remainder97 } from './check-digits.ts';

const bicForm = /^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?$/;
const leiForm = /^[A-Z0-9]{18}[0-9]{2}$/;
const isinForm = /^[A-Z]{2}[A-Z0-9]{9}[0-9]$/;
const routingForm = /^[0-9]{9}$/;
const digitsForm = /^[0-9]{2,}$/;
/** 00, 01 and 99 would pass the remainder alone. */
const checkDigits = /^..(?:0[2-9]|[1-8][0-9]|9[0-8])/;

const characterClasses = { n: '[0-9]', a: '[A-Z]', c: '[A-Z0-9]' } as const;

interface IbanForm {
  readonly characters: RegExp;
  readonly length: number;
}

const ibanForms = new Map<string, readonly IbanForm[]>();

/** A country's whole IBANs as regular expressions, made at first use. */
function formsOf(country: string): readonly IbanForm[] {
  const known = ibanForms.get(country);
  if (known !== undefined) return known;
  const listed = Object.hasOwn(ibanStructures, country) ? ibanStructures[country]! : [];
  const forms = listed.map((structure) => {
    const rest = structure.replaceAll(/(\d+)([nac])/g, (_, count: string, kind: 'n' | 'a' | 'c') => `${characterClasses[kind]}{${count}}`);
    const length = [...structure.matchAll(/\d+/g)].reduce((sum, [count]) => sum + Number(count), 4);
    return { characters: new RegExp(`^${country}[0-9]{2}${rest}$`), length };
  });
  // Two letters, so that hostile texts can't fill the table.
  if (/^[A-Z]{2}$/.test(country)) ibanForms.set(country, forms);
  return forms;
}

/** What of an IBAN is wrong, the first of these that is. */
export type IbanFault = 'country' | 'length' | 'characters' | 'check digits';

/** ISO 13616 with the country's registered structure; null where nothing is wrong. */
export function ibanFault(text: string): IbanFault | null {
  const forms = formsOf(text.slice(0, 2));
  if (forms.length === 0) return 'country';
  if (!forms.some(({ length }) => length === text.length)) return 'length';
  if (!forms.some(({ characters }) => characters.test(text))) return 'characters';
  return checkDigits.test(text) && remainder97(text.slice(4) + text.slice(0, 4)) === 1 ? null : 'check digits';
}

/** ISO 9362:2014. */
export function isBic(text: string): boolean {
  return bicForm.test(text) && bicCountries.has(text.slice(4, 6));
}

export function isRoutingNumber(text: string): boolean {
  return routingForm.test(text) && passesRoutingChecksum(text);
}

/** ISO 17442. */
export function isLei(text: string): boolean {
  return leiForm.test(text) && remainder97(text) === 1;
}

/** ISO 6166. */
export function isIsin(text: string): boolean {
  return isinForm.test(text) && isinPrefixes.has(text.slice(0, 2)) && passesLuhn(expandLetters(text));
}

export function isCurrency(text: string): boolean {
  return currencyMinorUnits.has(text);
}

export function isCountry(text: string): boolean {
  return countries.has(text);
}

export function isLuhn(text: string): boolean {
  return digitsForm.test(text) && passesLuhn(text);
}
