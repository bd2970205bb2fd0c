/**
 * Memory for windows on the input that WebAssembly sees too, with the function that finds IBANs in it. The thread's runs use
 * the same one after the other, like `thread-scratch.ts`: memory of WebAssembly is dear to make.
 */
import { pageBytes, type WebAssemblyMemory, webAssembly } from './assembly/web-assembly.ts';
import { type FindIban, ibanFunction } from './kernel/iban-module.ts';
import { ibanTables } from './kernel/iban-tables.ts';

/** Larger memory is for one unusual record and not worth keeping. */
const keptBytesMax = 8 * 1024 * 1024;
const tables = ibanTables();
let kept: WindowMemory | null = null;

export class WindowMemory {
  readonly bytes: Buffer;
  readonly view: DataView;
  readonly iban: FindIban;
  readonly ibanTablesAt: number;

  /** Windows have so many bytes, slack included. */
  constructor(length: number) {
    this.ibanTablesAt = Math.ceil(length / 16) * 16;
    const memory: WebAssemblyMemory = new webAssembly.Memory({ initial: Math.ceil((this.ibanTablesAt + tables.length) / pageBytes) });
    new Uint8Array(memory.buffer).set(tables, this.ibanTablesAt);
    this.iban = ibanFunction(memory);
    this.bytes = Buffer.from(memory.buffer, 0, length);
    this.view = new DataView(memory.buffer);
  }
}

/** At least so many bytes, of any content. The next call gives the same memory. */
export function windowMemory(length: number): WindowMemory {
  if (kept !== null && kept.bytes.length >= length) return kept;
  const made = new WindowMemory(length);
  if (length <= keptBytesMax) kept = made;
  return made;
}
