/**
 * What `iban-function.ts` knows of countries, as bytes: which character is forbidden at which place, and with which weight it
 * counts in the remainder mod 97. Countries with several structures are left out: they are asked of the slow check.
 */
import { ibanStructures } from '../reference-data/iban-structures.ts';

/** Kinds of characters; a place forbids some of them. */
export const kind = { digit: 1, letter: 2, other: 4, freeLetter: 8 } as const;
/** Places of a row; no IBAN is longer than 34. */
const places = 40;

/** Offsets in the tables: row of each pair of letters (u16, 0: none), powers of ten mod 97 (u8), then rows. */
export const powersAt = 26 * 26 * 2 + 8;
/** A BBAN has at most 30 places of two digits, and six digits follow it. */
const powersCount = 72;
const rowsAt = powersAt + powersCount + 8;
/** Offsets in a row: what each place forbids (u8), its weight (u16), the length (u8). */
export const row = { forbidden: 0, weights: 48, length: 48 + 2 * places } as const;
const rowBytes = 144;

const powers = [1];
while (powers.length < powersCount) powers.push((powers.at(-1)! * 10) % 97);
/** Of ten, mod 97. */
export const power = (exponent: number): number => powers[exponent]!;

export function ibanTables(): Uint8Array {
  const countries = Object.entries(ibanStructures).filter(([, structures]) => structures.length === 1);
  const tables = new DataView(new ArrayBuffer(rowsAt + countries.length * rowBytes));
  for (let exponent = 0; exponent < powersCount; exponent++) tables.setUint8(powersAt + exponent, power(exponent));
  for (const [index, [country, [structure]]] of countries.entries()) {
    const start = rowsAt + index * rowBytes;
    const [first, second] = [country.charCodeAt(0) - 0x41, country.charCodeAt(1) - 0x41];
    tables.setUint16((first * 26 + second) * 2, start, true);
    writeRow(tables, start, structure!);
  }
  return new Uint8Array(tables.buffer);
}

function writeRow(tables: DataView, start: number, structure: string): void {
  const kinds = `aann${[...structure.matchAll(/(\d+)([nac])/g)].map((part) => part[2]!.repeat(Number(part[1]))).join('')}`;
  tables.setUint8(start + row.length, kinds.length);
  // The number is read from the BBAN on, with country and check digits behind it.
  const order = [...kinds.slice(4), ...kinds.slice(0, 4)].map((of, at) => ({
    of,
    place: at < kinds.length - 4 ? at + 4 : at - kinds.length + 4,
  }));
  let exponent = 0;
  for (const { of, place } of order.reverse()) {
    tables.setUint8(start + row.forbidden + place, forbidden(of));
    tables.setUint16(start + row.weights + 2 * place, power(exponent), true);
    exponent += of === 'a' ? 2 : 1;
  }
}

/** `freeLetter` forbids nothing: it marks the places whose letters move the weights of those before them. */
function forbidden(of: string): number {
  if (of === 'n') return kind.letter | kind.other;
  return of === 'a' ? kind.digit | kind.other : kind.other | kind.freeLetter;
}
