import { constants } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pack, zstdOfWindow, zstdStream } from '../../../test/support/packed.ts';
import { type Packing, packingNames } from './packings.ts';
import { Unpacker, type UnpackerOptions } from './unpacker.ts';

const skippable = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);

interface Outcome {
  readonly problem: string | undefined;
  readonly kind: string | undefined;
  readonly bytes: Buffer;
}

async function unpack(
  packing: Packing,
  bytes: Uint8Array,
  pieces: Iterable<number>,
  limits: Partial<UnpackerOptions> = {},
): Promise<Outcome> {
  const parts: Buffer[] = [];
  const unpacker = new Unpacker(packing, {
    unpackedBytesMax: 1 << 20,
    ratioMax: 1000,
    onBytes: (piece) => void parts.push(Buffer.from(piece)),
    ...limits,
  });
  let at = 0;
  for (const piece of pieces) {
    await unpacker.push(bytes.subarray(at, at + piece));
    at += piece;
    if (at >= bytes.length) break;
  }
  if (at < bytes.length) await unpacker.push(bytes.subarray(at));
  const problem = await unpacker.end();
  return { problem: problem?.message, kind: problem?.kind, bytes: Buffer.concat(parts) };
}

function* pieces(bytes: number): Generator<number> {
  for (;;) yield bytes;
}

const content = Buffer.from('id,amount\nr1,1.50\n');

describe.each(packingNames)('%s', (packing) => {
  const packed = pack[packing](content);

  it('gives the same bytes however what came is cut, in one part or several', async () => {
    const text = fc.oneof(
      fc.uint8Array({ maxLength: 500 }),
      fc.integer({ min: 0, max: 200_000 }).map((length) => Buffer.alloc(length, 'id,1.00\n')),
    );
    const cuts = fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 4 }), cuts, async (parts, lengths) => {
        const whole = Buffer.concat(parts);
        const outcome = await unpack(packing, Buffer.concat(parts.map(pack[packing])), lengths);
        expect(outcome.problem).toBeUndefined();
        expect(outcome.bytes.equals(whole)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it.each([1, 2, 1000])('that is none is told from a damaged one, in pieces of %d bytes', async (pieceBytes) => {
    const problemOf = async (bytes: Uint8Array) => (await unpack(packing, bytes, pieces(pieceBytes))).problem;
    expect(await problemOf(packed)).toBeUndefined();
    expect(await problemOf(content)).toMatch(new RegExp(`^the file is not packed with ${packing}`));
    expect(await problemOf(packed.subarray(0, -3))).toBe('the packed file is damaged or incomplete');
    const damaged = Buffer.from(packed);
    damaged.writeUInt8(damaged[packing === 'gzip' ? 14 : 6]! ^ 0xff, packing === 'gzip' ? 14 : 6);
    expect(await problemOf(damaged)).toBe('the packed file is damaged or incomplete');
  });

  it.each([1, 5, 1000])('that is cut anywhere but between two parts is refused, in pieces of %d bytes', async (pieceBytes) => {
    const two = Buffer.concat([packed, packed]);
    for (let length = 0; length < two.length; length++) {
      const { problem } = await unpack(packing, two.subarray(0, length), pieces(pieceBytes));
      expect([length, problem]).toEqual([length, length === packed.length ? undefined : 'the packed file is damaged or incomplete']);
    }
  });

  it.each([1, 1000])('with anything behind its end is refused, in pieces of %d bytes', async (pieceBytes) => {
    for (const surplus of ['\0', '\n', 'more', '(', 'P*M', '\x1f'])
      expect((await unpack(packing, Buffer.concat([packed, Buffer.from(surplus)]), pieces(pieceBytes))).kind).toBe('packing');
  });

  it('that is a bomb ends at the limits, and gives no more than they allow', async () => {
    const bomb = pack[packing](Buffer.alloc(50 << 20));
    const dense = await unpack(packing, bomb, pieces(1000), { unpackedBytesMax: 1 << 30, ratioMax: 20 });
    expect(dense).toMatchObject({ kind: 'limits', problem: 'the file unpacks to more than 20 bytes for each received one' });
    expect(dense.bytes.length).toBeLessThanOrEqual(1 << 20);
    const large = await unpack(packing, Buffer.concat([packed, bomb]), pieces(256 * 1024), {
      ratioMax: 1_000_000,
      unpackedBytesMax: 3 << 20,
    });
    expect(large).toMatchObject({ kind: 'limits', problem: `the file unpacks to more than ${3 << 20} bytes` });
    expect(large.bytes.length).toBeLessThanOrEqual(3 << 20);
  });

  it('costs the same memory whatever it unpacks to', async () => {
    const partBytes = 64 << 20;
    const part = pack[packing](Buffer.alloc(partBytes));
    const before = process.memoryUsage().external;
    let bytes = 0;
    let mostBytes = 0;
    const unpacker = new Unpacker(packing, {
      unpackedBytesMax: 1 << 30,
      ratioMax: 1_000_000,
      onBytes(piece) {
        bytes += piece.length;
        mostBytes = Math.max(mostBytes, process.memoryUsage().external - before);
      },
    });
    for (let at = 0; at < 8; at++) expect(await unpacker.push(part)).toBeUndefined();
    expect(await unpacker.end()).toBeUndefined();
    expect(bytes).toBe(8 * partBytes);
    expect(mostBytes).toBeLessThan(partBytes * 2);
  });

  it('fails with what the receiver of its bytes fails with', async () => {
    const failing = () => {
      throw new Error('the disk is full');
    };
    await expect(unpack(packing, packed, pieces(10), { onBytes: failing })).rejects.toThrow('the disk is full');
  });
});

describe('zstd', () => {
  it.each([1, 4, 1000])('frames to be skipped are skipped, whole ones only, in pieces of %d bytes', async (pieceBytes) => {
    const frame = pack.zstd(content);
    const skipped = Buffer.concat([skippable, frame, skippable, frame, skippable]);
    expect(await unpack('zstd', skipped, pieces(pieceBytes))).toMatchObject({
      problem: undefined,
      bytes: Buffer.concat([content, content]),
    });
    for (let missing = 1; missing < skippable.length; missing++)
      expect((await unpack('zstd', skipped.subarray(0, -missing), pieces(pieceBytes))).problem).toMatch(/damaged or incomplete/);
  });

  it.each([
    ['with a checksum', { [constants.ZSTD_c_checksumFlag]: 1 }],
    ['at a high level', { [constants.ZSTD_c_compressionLevel]: 19 }],
    ['that is stored', { [constants.ZSTD_c_compressionLevel]: -50 }],
    ['of many blocks', { [constants.ZSTD_c_windowLog]: 10 }],
  ])('a frame %s, of a size that is not said, is followed to its end', async (_what, params) => {
    const bytes = Buffer.from(Array.from({ length: 60_000 }, (_, index) => `line ${index * 7919}\n`).join(''));
    const packed = await zstdStream(bytes, params);
    expect((await unpack('zstd', packed, pieces(777))).bytes.equals(bytes)).toBe(true);
    expect((await unpack('zstd', Buffer.concat([packed, packed.subarray(0, 2)]), pieces(777))).problem).toMatch(/damaged or incomplete/);
  });

  it('a checksum that is not that of the content is damage', async () => {
    const packed = await zstdStream(content, { [constants.ZSTD_c_checksumFlag]: 1 });
    packed.writeUInt8(packed.at(-1)! ^ 1, packed.length - 1);
    expect((await unpack('zstd', packed, pieces(1000))).problem).toBe('the packed file is damaged or incomplete');
  });

  it.each([24, 27, 31, 41])('a window of 2^%d bytes is refused, in a later frame too; one of 2^23 is not', async (log) => {
    expect((await unpack('zstd', await zstdOfWindow(content, 23), pieces(1000))).bytes.equals(content)).toBe(true);
    const wide = await zstdOfWindow(content, log);
    const message = 'the file can be unpacked only with a window of more than 8 MiB';
    for (const bytes of [wide, Buffer.concat([pack.zstd(content), wide])])
      for (const pieceBytes of [1, 1000])
        expect(await unpack('zstd', bytes, pieces(pieceBytes))).toMatchObject({ kind: 'window', problem: message });
  });

  it('a frame that needs a dictionary is refused', async () => {
    const wanting = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x21, 7, 4, 0x21, 0, 0, 1, 1, 1, 1]);
    expect((await unpack('zstd', wanting, pieces(3))).problem).toMatch(/packed with a dictionary/);
  });
});
