/**
 * How a format's records are walked in generated code. Between the parts the position is in `p`; a part that meets what it
 * does not know leaves the record to the slow path with `break row`. Names: `b` bytes, `I` a DataView on them, `rs` the record's
 * start, `have` the number of bytes in the window, followed by line feeds.
 */
import type { TextLayout } from './field-code.ts';
import type { SourceContext } from './source-context.ts';

export interface RecordLayout extends TextLayout {
  /** Walks the record from `rs`; `fieldSource(i)` is the code that accepts field i at `s<i>`. Leaves the line feed's index in `lf`. */
  walk(fieldSource: (index: number) => string): string;
  /** Bytes that may follow `rs` without being a data record: handled outside. */
  readonly startsElsewhere: readonly number[];
}

/** Bits of the byte classes that text scans collect; `stops` and above end the scan. */
export const byteBits = { escape: 1, notAscii: 2, stops: 16 } as const;

/** A class table for scans that stop at these bytes; NUL always stops, because no record may hold it. */
export function scanTable(stops: readonly number[]): Uint8Array {
  const table = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte++) {
    if (byte < 0x20 || byte === 0x22 || byte === 0x5c) table[byte]! |= byteBits.escape;
    if (byte >= 0x80) table[byte]! |= byteBits.notAscii;
  }
  for (const byte of [0, ...stops]) table[byte]! |= byteBits.stops;
  return table;
}

/** For two bytes at once, little-endian: 0 where neither ends a scan nor sets a flag. */
function pairTable(single: Uint8Array): Uint8Array {
  const table = new Uint8Array(65_536);
  const rows = new Map<number, Uint8Array>();
  for (let high = 0; high < 256; high++) {
    const flags = single[high]!;
    let row = rows.get(flags);
    if (row === undefined) {
      row = single.map((found) => found | flags);
      rows.set(flags, row);
    }
    table.set(row, high << 8);
  }
  return table;
}

/** Names of constants. */
export interface ScanTables {
  readonly single: string;
  readonly pair: string;
}

export function scanTables(context: SourceContext, stops: readonly number[]): ScanTables {
  const single = scanTable(stops);
  return { single: context.constant(single), pair: context.constant(pairTable(single)) };
}

/**
 * End of a text times four, plus its flags: plain bytes two by two, then the rest one by one. A function of its own, not code in
 * every kernel: all texts share what the runtime learns about it.
 */
export function scanText(bytes: Uint8Array, view: DataView, start: number, single: Uint8Array, pair: Uint8Array): number {
  let at = start;
  while (pair[view.getUint16(at, true)] === 0) at += 2;
  let flags = 0;
  let found = single[bytes[at]!]!;
  while (found < byteBits.stops) {
    flags |= found;
    found = single[bytes[++at]!]!;
  }
  return at * 4 + flags;
}

/** Code that sets `end` and `flags` for the text at `start`. */
export function scanCode(tables: ScanTables, text: { readonly start: string; readonly end: string; readonly flags: string }): string {
  return `x=scanText(b,I,${text.start},${tables.single},${tables.pair});${text.end}=x>>>2;${text.flags}=x&3;`;
}

/** Code after the last byte of content at `p`: LF, or CR LF. Sets `lf`. The last line of a window is left to the slow path. */
export const lineEndCode = `lf=p;if(b[p]!==10){if(b[p]!==13||b[p+1]!==10)break row;lf=p+1;}if(lf>=have)break row;`;
