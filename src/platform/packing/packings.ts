/** How a file may be packed by itself: each packing's name, how it begins, and what undoes it. */
import type { Transform } from 'node:stream';
import { constants, createGunzip, createZstdDecompress, type Zlib } from 'node:zlib';

export const packingNames = ['gzip', 'zstd'] as const;
export type Packing = (typeof packingNames)[number];
/** How a source's files come. */
export type Unpack = 'none' | Packing;

/** log2 of the most bytes that a zstd frame may have a decoder keep: 8 MiB, what every decoder should give (RFC 8878, 3.1.1.1.2). */
export const zstdWindowLogMax = 23;

const outputBytes = 64 * 1024;

const gzipMagic = [0x1f, 0x8b];
const zstdMagic = [0x28, 0xb5, 0x2f, 0xfd];
/** Behind its first byte, of which the last four bits are free. */
const skippableMagic = [0x2a, 0x4d, 0x18];

/** As many first bytes as tell whether a file is packed. */
export const headBytes = 4;

/** Bytes of `magic` are all that is there of it. */
const isBegun = (magic: readonly number[], head: readonly number[]) => head.every((byte, at) => at >= magic.length || byte === magic[at]);
const isThere = (magic: readonly number[], head: readonly number[]) => head.length >= magic.length && isBegun(magic, head);

/** Whether a file that begins so may be packed this way; `head` may be shorter than what tells it. */
export function mayBegin(packing: Packing, head: readonly number[]): boolean {
  if (packing === 'gzip') return isBegun(gzipMagic, head);
  return isBegun(zstdMagic, head) || ((head[0]! & 0xf0) === 0x50 && isBegun(skippableMagic, head.slice(1)));
}

/** How a file that begins so is packed for certain. No text begins so: the second byte is none that UTF-8 has there. */
export function packingOf(head: readonly number[]): Packing | null {
  if (isThere(gzipMagic, head)) return 'gzip';
  return isThere(zstdMagic, head) ? 'zstd' : null;
}

export function createDecoder(packing: Packing): Transform & Zlib {
  if (packing === 'gzip') return createGunzip({ chunkSize: outputBytes });
  return createZstdDecompress({ chunkSize: outputBytes, params: { [constants.ZSTD_d_windowLogMax]: zstdWindowLogMax } });
}
