/** How a file may be packed by itself: each packing's name, how it begins, and what undoes it. */
import type { Transform } from 'node:stream';
import { constants, createGunzip, createInflateRaw, createZstdDecompress, type Zlib } from 'node:zlib';

export const packingNames = ['gzip', 'zstd'] as const;
export type Packing = (typeof packingNames)[number];
/** Archives hold members, each a file of its own. */
export const archiveNames = ['zip', 'tar'] as const;
/** `pgp`: an OpenPGP message, encrypted and signed. */
export const unpackStepNames = [...packingNames, ...archiveNames, 'pgp'] as const;
export type UnpackStep = (typeof unpackStepNames)[number];
/** How a source's files come: what is to be undone, in this order; nothing, where they come as they are. */
export type Unpack = readonly UnpackStep[];
/** Nothing that is packed deeper is unpacked. */
export const unpackStepsMax = 4;

/** What comes out are files of their own, not the file under another hash: all but one packing by itself. */
export function givesMembers(unpack: Unpack): boolean {
  return unpack.length > 0 && !(unpack.length === 1 && packingNames.some((name) => name === unpack[0]));
}

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
export function mayBegin(packing: Packing | 'deflate', head: readonly number[]): boolean {
  if (packing === 'deflate') return true;
  if (packing === 'gzip') return isBegun(gzipMagic, head);
  return isBegun(zstdMagic, head) || ((head[0]! & 0xf0) === 0x50 && isBegun(skippableMagic, head.slice(1)));
}

/** How a file that begins so is packed for certain. No text begins so: the second byte is none that UTF-8 has there. */
export function packingOf(head: readonly number[]): Packing | null {
  if (isThere(gzipMagic, head)) return 'gzip';
  return isThere(zstdMagic, head) ? 'zstd' : null;
}

/** `deflate` is how members of zip archives are packed (RFC 1951), with nothing around it. */
export function createDecoder(packing: Packing | 'deflate'): Transform & Zlib {
  if (packing === 'deflate') return createInflateRaw({ chunkSize: outputBytes });
  if (packing === 'gzip') return createGunzip({ chunkSize: outputBytes });
  return createZstdDecompress({ chunkSize: outputBytes, params: { [constants.ZSTD_d_windowLogMax]: zstdWindowLogMax } });
}
