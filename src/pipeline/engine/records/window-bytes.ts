/**
 * The bytes of a file as the engine's window holds them. EBCDIC pages are put through a table once, byte by byte: lengths
 * and offsets stay, and everything behind it meets ISO 8859-1. Bytes of other encodings stay as they are.
 *
 * In a file of lines both NL (0x15) and LF (0x25) become LF, because systems write either. Without line ends the table is a
 * permutation, so that bytes which are no text can be had back.
 */
import type { ByteSource } from '../../../platform/base/byte-source.ts';
import type { FormatPlan } from '../plan.ts';
import { codePages } from '../reference-data/code-pages.ts';

const lineFeed = 0x0a;
const ebcdicNewLine = 0x15;
const ebcdicLineFeed = 0x25;

/** By the byte received; null where every byte is its own. */
export function windowTable(format: FormatPlan): Uint8Array | null {
  const latin1 = format.type === 'json-lines' || format.encoding === undefined ? null : codePages[format.encoding].latin1;
  if (latin1 === null) return null;
  const table = Uint8Array.from(Buffer.from(latin1, 'hex'));
  if (!isWithoutLineEnds(format)) table[ebcdicNewLine] = table[ebcdicLineFeed] = lineFeed;
  return table;
}

/** The other way round; a line feed of the window becomes the NL that z/OS writes. */
export function receivedTable(format: FormatPlan): Uint8Array | null {
  const table = windowTable(format);
  if (table === null) return null;
  const inverse = new Uint8Array(256);
  for (let byte = 255; byte >= 0; byte--) inverse[table[byte]!] = byte;
  return inverse;
}

/** Records of `recordLength` bytes that follow each other with nothing between them. */
export function isWithoutLineEnds(format: FormatPlan): boolean {
  return format.type === 'fixed-width' && format.lineEnds === false;
}

/** In place. */
export function translateBytes(bytes: Uint8Array, start: number, end: number, table: Uint8Array): void {
  for (let index = start; index < end; index++) bytes[index] = table[bytes[index]!]!;
}

/** A copy, where there is a table. */
export function translated(bytes: Buffer, table: Uint8Array | null): Buffer {
  if (table === null) return bytes;
  const copy = Buffer.from(bytes);
  translateBytes(copy, 0, copy.length, table);
  return copy;
}

/** The source as the window sees it. */
export function windowSource(source: ByteSource, format: FormatPlan): ByteSource {
  const table = windowTable(format);
  if (table === null) return source;
  return {
    size: source.size,
    read(into, at, length, position) {
      const count = source.read(into, at, length, position);
      translateBytes(into, at, at + count, table);
      return count;
    },
  };
}
