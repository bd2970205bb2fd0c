/**
 * Memory of WebAssembly that kernels work in: their area with tables that all of them read, and behind it the window on
 * the input. The thread's runs use the same one after the other, like `thread-scratch.ts`: such memory is dear to make.
 */

import { pageBytes, type WebAssemblyMemory, webAssembly } from './assembly/web-assembly.ts';
import { countryTable, currencyTable } from './kernel/code-tables.ts';
import { ibanTables } from './kernel/iban-tables.ts';

/** Behind the window: texts of one record that stand otherwise in it, without what escapes them. */
export const textsBytes = 4_096;
/** What is loaded or stored may reach so far beyond a text. */
export const textSlackBytes = 64;

/** Larger memory is for one unusual record and not worth keeping. */
const keptBytesMax = 8 * 1024 * 1024;
/** Where the window's first byte is, behind the area. Only what a kernel touches of the area is real memory. */
export const windowAt = 4 * 1024 * 1024;

const tables = { iban: ibanTables(), currencies: currencyTable(), countries: countryTable() };

const aligned = (address: number): number => Math.ceil(address / 16) * 16;
export const ibanTablesAt = 16;
export const currenciesAt = aligned(ibanTablesAt + tables.iban.length);
export const countriesAt = aligned(currenciesAt + tables.currencies.length);
/** The first byte of the area that is a kernel's own. */
export const kernelAt = aligned(countriesAt + tables.countries.length);

let kept: WindowMemory | null = null;

export class WindowMemory {
  readonly memory: WebAssemblyMemory;
  /** The window and the texts behind it; others after `grow`. */
  bytes!: Buffer;
  /** Bytes of the window: where the texts begin. */
  length!: number;
  /** All of it, by address. */
  all!: Buffer;

  /** Windows have so many bytes, slack included. */
  constructor(length: number) {
    this.memory = new webAssembly.Memory({ initial: pagesFor(length) });
    this.#view(length);
    this.all.set(tables.iban, ibanTablesAt);
    this.all.set(tables.currencies, currenciesAt);
    this.all.set(tables.countries, countriesAt);
  }

  #view(length: number): void {
    this.all = Buffer.from(this.memory.buffer);
    this.bytes = this.all.subarray(windowAt, windowAt + length + textsBytes + textSlackBytes);
    this.length = length;
  }

  /** Keeps what is in it; everything that looked at it has to look again. */
  grow(length: number): void {
    if (kept === this && length > keptBytesMax) kept = null;
    this.memory.grow(Math.max(0, pagesFor(length) - this.memory.buffer.byteLength / pageBytes));
    this.#view(length);
  }
}

const pagesFor = (length: number): number => Math.ceil((windowAt + length + textsBytes + textSlackBytes) / pageBytes);

/** At least so many bytes, of any content. The next call gives the same memory. */
export function windowMemory(length: number): WindowMemory {
  if (kept !== null && kept.length >= length) return kept;
  const made = new WindowMemory(length);
  if (length <= keptBytesMax) kept = made;
  return made;
}
