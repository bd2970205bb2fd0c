import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyBatchFor } from './key-batch.ts';
import { KeyHash } from './key-hash.ts';
import { entryBytes, entryKeyAt, entryKeyMax } from './siphash-module.ts';

const key = Uint8Array.from({ length: 16 }, (_, index) => index);
const message = Uint8Array.from({ length: 64 }, (_, index) => index);

function hashText(hash: KeyHash, length: number): string {
  hash.hash(message, 0, length);
  return hash.high.toString(16).padStart(8, '0') + hash.low.toString(16).padStart(8, '0');
}

describe('key hashes', () => {
  it('are those of the published test vectors of SipHash-2-4', () => {
    const hash = new KeyHash(key);
    expect(hashText(hash, 0)).toBe('726fdb47dd0e0e31');
    expect(hashText(hash, 1)).toBe('74f839c593dc67fd');
    expect(hashText(hash, 8)).toBe('93f5f5799a932462');
    expect(hashText(hash, 15)).toBe('a129ca6149be45e5');
    expect(hashText(hash, 63)).toBe('958a324ceb064572');
  });

  it('are the same for a batch, for any keys, whatever bytes lie behind them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: entryKeyMax }), { minLength: 1, maxLength: 20 }),
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        (keys, secret) => {
          const batch = keyBatchFor(secret, 20);
          const hash = new KeyHash(secret);
          const column = new Uint32Array(keys.length * 2);
          for (const [index, value] of keys.entries()) {
            for (let at = 0; at < entryBytes; at++) batch.view.setUint8(index * entryBytes + at, 0xa5);
            batch.view.setUint32(index * entryBytes, value.length, true);
            for (const [at, byte] of value.entries()) batch.view.setUint8(index * entryBytes + entryKeyAt + at, byte);
            batch.places[index] = index * 2;
          }
          batch.count = keys.length;
          batch.finish([column]);
          for (const [index, value] of keys.entries()) {
            hash.hash(value, 0, value.length);
            expect([column[index * 2], column[index * 2 + 1]]).toEqual([hash.low, hash.high]);
          }
        },
      ),
    );
  });
});
