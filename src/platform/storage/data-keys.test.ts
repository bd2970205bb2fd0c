import { describe, expect, test } from 'vitest';
import { systemRng } from '../base/system-ports.ts';
import { createKeyRing, unwrapDataKey, wrapDataKey } from './data-keys.ts';

const master = (version: number, fill: number) => ({ version, bytes: new Uint8Array(32).fill(fill) });
const identity = { tenantId: 'tenant-a', objectId: 'object-1' };
const dataKey = new Uint8Array(32).fill(9);

describe('data keys', () => {
  test('a wrapped key unwraps for its tenant and object, with its position', () => {
    const ring = createKeyRing([master(1, 1)]);
    const position = { offset: 2 ** 33, bytes: 100, packBytes: 2 ** 34 };
    expect(unwrapDataKey(ring, identity, wrapDataKey(ring, systemRng, identity, dataKey, null))).toEqual({
      dataKey: Buffer.from(dataKey),
      position: null,
    });
    expect(unwrapDataKey(ring, identity, wrapDataKey(ring, systemRng, identity, dataKey, position)).position).toEqual(position);
  });

  test('it does not unwrap for another tenant, object or master key', () => {
    const ring = createKeyRing([master(1, 1)]);
    const wrapped = wrapDataKey(ring, systemRng, identity, dataKey, null);
    const failure = expect.objectContaining({ code: 'E_KEY' });
    expect(() => unwrapDataKey(ring, { ...identity, tenantId: 'tenant-b' }, wrapped)).toThrow(failure);
    expect(() => unwrapDataKey(ring, { ...identity, objectId: 'object-2' }, wrapped)).toThrow(failure);
    expect(() => unwrapDataKey(createKeyRing([master(1, 2)]), identity, wrapped)).toThrow(failure);
  });

  test('every flipped bit of a wrapped key is noticed', () => {
    const ring = createKeyRing([master(1, 1)]);
    const bytes = Buffer.from(wrapDataKey(ring, systemRng, identity, dataKey, { offset: 8, bytes: 9, packBytes: 99 }), 'base64');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => unwrapDataKey(ring, identity, flipped.toString('base64'))).toThrow(/./);
    }
  });

  test('an erased key stays erased, and a missing key version is named', () => {
    const old = createKeyRing([master(1, 1)]);
    const wrapped = wrapDataKey(old, systemRng, identity, dataKey, null);
    expect(() => unwrapDataKey(old, identity, '')).toThrow(expect.objectContaining({ code: 'E_KEY_ERASED' }));
    expect(() => unwrapDataKey(createKeyRing([master(2, 2)]), identity, wrapped)).toThrow(
      expect.objectContaining({ code: 'E_KEY_VERSION' }),
    );
  });

  test('after a new master key version, old objects still open and new ones use the new version', () => {
    const wrapped = wrapDataKey(createKeyRing([master(1, 1)]), systemRng, identity, dataKey, null);
    const both = createKeyRing([master(1, 1), master(2, 2)]);
    expect(both.currentVersion).toBe(2);
    expect(unwrapDataKey(both, identity, wrapped).dataKey).toEqual(Buffer.from(dataKey));
    const fresh = wrapDataKey(both, systemRng, identity, dataKey, null);
    expect(unwrapDataKey(createKeyRing([master(2, 2)]), identity, fresh).dataKey).toEqual(Buffer.from(dataKey));
  });

  test('tenants have different keys', () => {
    const ring = createKeyRing([master(1, 1)]);
    expect(ring.tenantKey('a', 1)).not.toEqual(ring.tenantKey('b', 1));
  });

  test.each([[[]], [[master(1, 1), master(1, 2)]], [[{ version: 1, bytes: new Uint8Array(31) }]], [[master(0, 1)]], [[master(1.5, 1)]]])(
    'keys of the wrong shape are refused (%#)',
    (keys) => {
      expect(() => createKeyRing(keys)).toThrow(expect.objectContaining({ code: 'E_KEY_FORMAT' }));
    },
  );
});
