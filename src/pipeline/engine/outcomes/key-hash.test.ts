import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileFlow } from '../compile-flow.ts';
import { KernelLayout } from '../kernel/kernel-layout.ts';
import { KernelState } from '../kernel/kernel-state.ts';
import { paymentsPlan } from '../plans.fixture.ts';
import { WindowMemory } from '../window-memory.ts';
import { KeyBatch } from './key-batch.ts';
import { KeyHash } from './key-hash.ts';
import { entryBytes, entryKeyAt, entryKeyMax } from './siphash-module.ts';

const layout = KernelLayout.of(compileFlow(paymentsPlan('delimited')), { bodies: 1, constants: [] })!;
const state = new KernelState(layout, new WindowMemory(128));
const entries = new DataView(state.window.memory.buffer, layout.entriesAt);

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
          const hash = new KeyHash(secret);
          const taken = 3;
          const column = new Uint32Array((taken + keys.length) * 2);
          for (const [index, value] of keys.entries()) {
            for (let at = 0; at < entryBytes; at++) entries.setUint8(index * entryBytes + at, 0xa5);
            entries.setUint32(index * entryBytes, value.length, true);
            for (const [at, byte] of value.entries()) entries.setUint8(index * entryBytes + entryKeyAt + at, byte);
            state.keyPlaces[index] = index * 2;
          }
          new KeyBatch(state, secret).finish(keys.length, [column], taken);
          for (const [index, value] of keys.entries()) {
            hash.hash(value, 0, value.length);
            const at = (taken + index) * 2;
            expect([column[at], column[at + 1]]).toEqual([hash.low, hash.high]);
          }
        },
      ),
    );
  });
});
