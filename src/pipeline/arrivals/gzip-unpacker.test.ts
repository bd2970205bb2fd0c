import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { GzipUnpacker } from './gzip-unpacker.ts';

async function problemOf(bytes: Uint8Array, pieceBytes: number): Promise<string | undefined> {
  const unpacker = new GzipUnpacker({ unpackedBytesMax: 1 << 20, ratioMax: 1000, onBytes: () => undefined });
  for (let at = 0; at < bytes.length; at += pieceBytes) await unpacker.push(bytes.subarray(at, at + pieceBytes));
  return (await unpacker.end())?.message;
}

const packed = gzipSync('id,amount\nr1,1.50\n');

it.each([1, 2, 1000])('a file that is no gzip is told from a damaged one, in pieces of %d bytes', async (pieceBytes) => {
  expect(await problemOf(packed, pieceBytes)).toBeUndefined();
  expect(await problemOf(Buffer.from('id,amount\nr1,1.50\n'), pieceBytes)).toMatch(/^the file is not packed with gzip/);
  expect(await problemOf(packed.subarray(0, -3), pieceBytes)).toBe('the packed file is damaged or incomplete');
  const damaged = Buffer.from(packed);
  damaged.writeUInt8(damaged[14]! ^ 0xff, 14);
  expect(await problemOf(damaged, pieceBytes)).toBe('the packed file is damaged or incomplete');
});
