/** Which currency and country codes there are, as tables that kernels look into by their letters. */
import { countries } from '../reference-data/countries.ts';
import { currencyMinorUnits } from '../reference-data/currencies.ts';

/** Three upper-case letters among all such codes. */
export function tripleIndex(text: string): number {
  return pairIndex(text) * 26 + text.charCodeAt(2) - 0x41;
}

function pairIndex(text: string): number {
  return (text.charCodeAt(0) - 0x41) * 26 + text.charCodeAt(1) - 0x41;
}

export const tripleCount = 26 * 26 * 26;

export function tripleText(index: number): string {
  const letters = [Math.floor(index / 676), Math.floor(index / 26) % 26, index % 26];
  return String.fromCharCode(...letters.map((letter) => 0x41 + letter));
}

/** 1 at the index of every ISO 4217 code. */
export function currencyTable(): Uint8Array {
  const table = new Uint8Array(tripleCount);
  for (const code of currencyMinorUnits.keys()) table[tripleIndex(code)] = 1;
  return table;
}

/** 1 at the index of every ISO 3166-1 alpha-2 code. */
export function countryTable(): Uint8Array {
  const table = new Uint8Array(26 * 26);
  for (const code of countries) table[pairIndex(code)] = 1;
  return table;
}
