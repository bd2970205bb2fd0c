/**
 * How a format's records are walked in generated code. Between the parts the position is in `p`; a part that meets what it
 * does not know leaves the record to the slow path with `break row`. Names: `b` bytes, `I` a DataView on them, `rs` the record's
 * start, `have` the number of bytes in the window, followed by line feeds.
 */
import type { TextLayout } from './field-code.ts';
import type { SourceContext } from './source-context.ts';

export interface RecordLayout extends TextLayout {
  /** Walks the record from `rs`; `fieldSource(i)` is the code that accepts field i at `s<i>`. Leaves the index of the line feed, or of the record's end without one, in `lf`. */
  walk(fieldSource: (index: number) => string): string;
  /** Bytes from `lf` to the next record. */
  readonly endBytes: 0 | 1;
  /**
   * Walks a record of plain ASCII from `start` to `end` by its places alone: sets `s<i>` and `z<i>` of each field before
   * `check(i)`, and returns 0 where columns are not as expected. Null where places are not known without the values.
   */
  readonly cells: ((check: (index: number) => string) => string) | null;
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

/** The scan whose table this is, as code calls it. */
export function scanOf(context: SourceContext, stops: readonly number[]): string {
  return context.scan(scanTable(stops));
}

/** Code that sets `end` and `flags` for the text at `start`; `scanned` calls a scan on it. */
export function scanCode(scanned: string, text: { readonly end: string; readonly flags: string }): string {
  return `x=${scanned};${text.end}=x>>2;${text.flags}=x&3;`;
}

/** Code after the last byte of a record at `p` that no line end follows. `lf` is where the next one starts. */
export const noLineEndCode = 'lf=p;if(lf>have)break row;';

/** Code after the last byte of content at `p`: LF, or CR LF. Sets `lf`. The last line of a window is left to the slow path. */
export const lineEndCode = `lf=p;if(b[p]!==10){if(b[p]!==13||b[p+1]!==10)break row;lf=p+1;}if(lf>=have)break row;`;
