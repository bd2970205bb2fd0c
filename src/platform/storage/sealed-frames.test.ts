import { describe, expect, test } from 'vitest';
import { createFrameCipher, frameBytes, frameCount, isSealedHeader, sealedBytes, sealedHeader } from './sealed-frames.ts';

const identity = { tenantId: 'tenant', objectId: 'object' };
const key = new Uint8Array(32).fill(3);
const plaintext = Buffer.alloc(100, 'a');

function seal(frame: number, isLast: boolean, owner = identity, text = plaintext): Buffer {
  const into = Buffer.alloc(text.length + 16);
  expect(createFrameCipher(owner, key).seal(frame, isLast, text, into)).toBe(into.length);
  return into;
}

function opens(frame: number, isLast: boolean, sealed: Buffer, owner = identity): boolean {
  return createFrameCipher(owner, key).open(frame, isLast, sealed, Buffer.alloc(sealed.length));
}

describe('frames', () => {
  test('open only under their own number, role, object and tenant', () => {
    const sealed = seal(3, false);
    expect(opens(3, false, sealed)).toBe(true);
    expect(opens(3, true, sealed)).toBe(false);
    expect(opens(4, false, sealed)).toBe(false);
    expect(opens(3 + 2 ** 32, false, sealed)).toBe(false);
    expect(opens(3, false, sealed, { ...identity, objectId: 'objecu' })).toBe(false);
    expect(opens(3, false, sealed, { ...identity, tenantId: 'tenanu' })).toBe(false);
    expect(opens(3, false, sealed, { tenantId: 'tenan', objectId: 'tobject' })).toBe(false);
    expect(opens(3, false, sealed.subarray(0, 10))).toBe(false);
  });

  test('of one object never share a nonce', () => {
    const zeros = Buffer.alloc(64);
    const streams = new Set<string>();
    for (let frame = 0; frame < 20_000; frame++) streams.add(seal(frame, false, identity, zeros).toString('latin1', 0, 64));
    streams.add(seal(2 ** 32, false, identity, zeros).toString('latin1', 0, 64));
    const footer = createFrameCipher(identity, key).sealFooter({ bytes: 0, sha256: '0'.repeat(64) });
    const footerStream = Buffer.from(footer.subarray(0, 48));
    footerStream[15]! ^= 1;
    expect(streams.size).toBe(20_001);
    expect([...streams].some((stream) => stream.startsWith(footerStream.toString('latin1')))).toBe(false);
  });

  test('the footer holds size and hash, and neither passes for a frame', () => {
    const cipher = createFrameCipher(identity, key);
    const index = { bytes: 5 * frameBytes + 1, sha256: 'ab'.repeat(32) };
    const sealed = Buffer.from(cipher.sealFooter(index));
    expect(cipher.openFooter(sealed)).toEqual(index);
    expect(opens(0, true, sealed)).toBe(false);
    expect(cipher.openFooter(seal(0, true, identity, Buffer.alloc(48)))).toBe(null);
    expect(cipher.openFooter(sealed.subarray(1))).toBe(null);
  });

  test('sizes are arithmetic', () => {
    expect([0, 1, frameBytes, frameBytes + 1].map(frameCount)).toEqual([1, 1, 1, 2]);
    expect(sealedBytes(0)).toBe(8 + 16 + 64);
    expect(isSealedHeader(sealedHeader())).toBe(true);
    expect(isSealedHeader(Buffer.from('HGSEAL\u0002\u0012'))).toBe(false);
  });
});
