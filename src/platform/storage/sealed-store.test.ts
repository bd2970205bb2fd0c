import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { temporaryStore } from '../../../test/support/temporary-store.ts';
import { createKeyRing } from './data-keys.ts';
import type { RawStore, SealedObject } from './object-store.ts';
import { frameBytes, sealedBytes } from './sealed-frames.ts';
import { createSealedStore } from './sealed-store.ts';
import { storageFailure } from './storage-failure.ts';

type Fixture = ReturnType<typeof temporaryStore>;

/** Bytes that differ from frame to frame. */
function content(length: number): Buffer {
  const bytes = Buffer.alloc(length, 'x');
  for (let at = 0; at + 4 <= length; at += 4096) bytes.writeUInt32LE(at ^ 0x5bd1e995, at);
  return bytes;
}

function seal(fixture: Fixture, bytes: Uint8Array, pieceBytes = 100_000): SealedObject {
  const writer = fixture.store.create({ tenantId: fixture.tenantId, objectId: fixture.ids.next(), kind: 'raw' });
  for (let at = 0; at < bytes.length; at += pieceBytes) writer.write(bytes.subarray(at, at + pieceBytes));
  return writer.commit();
}

function readAll(fixture: Fixture, object: SealedObject, tenantId = fixture.tenantId): Buffer {
  const reader = fixture.store.open(tenantId, object);
  try {
    const bytes = Buffer.alloc(reader.size);
    expect(reader.read(bytes, 0, bytes.length, 0)).toBe(reader.size);
    return bytes;
  } finally {
    reader.close();
  }
}

/** Changes the stored bytes behind the store's back. */
function tamper(fixture: Fixture, object: SealedObject, change: (stored: Buffer) => Buffer): void {
  const path = join(fixture.root, object.name);
  const stored = readFileSync(path);
  chmodSync(path, 0o600);
  writeFileSync(path, change(stored));
}

const damaged = expect.objectContaining({ code: 'E_OBJECT_DAMAGED' });

describe('a sealed object', () => {
  test('has a secret of its own for each purpose, as long as its key can be read', () => {
    const fixture = temporaryStore();
    const [object, other] = [seal(fixture, content(10)), seal(fixture, content(10))];
    const derive = (from: SealedObject, purpose: string, tenantId = fixture.tenantId) =>
      Buffer.from(fixture.store.deriveKey(tenantId, from, purpose)).toString('hex');
    expect(derive(object, 'a')).toMatch(/^[0-9a-f]{64}$/);
    expect(derive(object, 'a')).toBe(derive(object, 'a'));
    expect(new Set([derive(object, 'a'), derive(object, 'b'), derive(other, 'a')]).size).toBe(3);
    expect(() => derive(object, 'a', fixture.ids.next())).toThrowError(expect.objectContaining({ code: 'E_KEY' }));
    expect(() => derive({ ...object, wrappedKey: '' }, 'a')).toThrowError(expect.objectContaining({ code: 'E_KEY_ERASED' }));
  });

  test.each([0, 1, frameBytes - 1, frameBytes, frameBytes + 1, 3 * frameBytes, 3 * frameBytes + 7])(
    'of %i bytes reads back equal',
    (length) => {
      const fixture = temporaryStore();
      const bytes = content(length);
      const object = seal(fixture, bytes);
      expect(readAll(fixture, object).equals(bytes)).toBe(true);
      expect(object.bytes).toBe(length);
      expect(object.storedBytes).toBe(readFileSync(join(fixture.root, object.name)).length);
      expect(object.storedBytes).toBe(sealedBytes(length));
      const reader = fixture.store.open(fixture.tenantId, object);
      expect(reader.sha256).toBe(object.sha256);
      reader.close();
    },
  );

  test('does not show its content on disk, and the same content twice is stored differently', () => {
    const fixture = temporaryStore();
    const bytes = Buffer.alloc(1000, 'IBAN ZA12');
    const [first, second] = [seal(fixture, bytes), seal(fixture, bytes)];
    const stored = readFileSync(join(fixture.root, first.name));
    expect(stored.includes('IBAN')).toBe(false);
    expect(stored.equals(readFileSync(join(fixture.root, second.name)))).toBe(false);
    expect(first.sha256).toBe(second.sha256);
  });

  test('gives any range as the slice of its plaintext, however it was written', () => {
    const fixture = temporaryStore();
    const bytes = content(6 * frameBytes + 12_345);
    const range = fc.tuple(fc.nat(bytes.length + 10), fc.nat(2 * frameBytes + 10));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 * frameBytes }), fc.array(range, { minLength: 1, maxLength: 30 }), (pieceBytes, ranges) => {
        const object = seal(fixture, bytes, pieceBytes);
        const reader = fixture.store.open(fixture.tenantId, object);
        for (const [position, length] of ranges) {
          const into = Buffer.alloc(length + 5);
          const count = reader.read(into, 5, length, position);
          expect(into.subarray(5, 5 + count).equals(bytes.subarray(position, position + length))).toBe(true);
        }
        reader.close();
      }),
      { numRuns: 25 },
    );
  });

  test('gives out nothing of a frame that is damaged, also where it is wanted whole', () => {
    const fixture = temporaryStore();
    const bytes = content(3 * frameBytes);
    const object = seal(fixture, bytes);
    tamper(fixture, object, (stored) => {
      stored[8 + frameBytes + 16 + 100]! ^= 1;
      return stored;
    });
    const reader = fixture.store.open(fixture.tenantId, object);
    const into = Buffer.alloc(3 * frameBytes, 'v');
    expect(() => reader.read(into, 0, into.length, 0)).toThrow(damaged);
    expect(into.subarray(0, frameBytes).equals(bytes.subarray(0, frameBytes))).toBe(true);
    expect(into.subarray(frameBytes, 2 * frameBytes).every((byte) => byte === 0)).toBe(true);
    expect(into.subarray(2 * frameBytes).every((byte) => byte === 0x76)).toBe(true);
    reader.close();
  });

  test('with any single bit flipped anywhere is caught', () => {
    const fixture = temporaryStore();
    const object = seal(fixture, content(700));
    const path = join(fixture.root, object.name);
    const stored = readFileSync(path);
    chmodSync(path, 0o600);
    for (let at = 0; at < stored.length; at++) {
      const flipped = Buffer.from(stored);
      flipped[at]! ^= 1 << (at & 7);
      writeFileSync(path, flipped);
      expect(() => readAll(fixture, object), `byte ${at}`).toThrow(damaged);
    }
    writeFileSync(path, stored);
    expect(readAll(fixture, object).length).toBe(700);
  });

  test.each<[string, (stored: Buffer) => Buffer]>([
    ['truncated by a byte', (stored) => stored.subarray(0, -1)],
    [
      'truncated by a frame',
      (stored) => Buffer.concat([stored.subarray(0, 8 + frameBytes + 16), stored.subarray(8 + 2 * (frameBytes + 16))]),
    ],
    ['truncated to nothing', () => Buffer.alloc(0)],
    ['appended to', (stored) => Buffer.concat([stored, Buffer.from('x')])],
    ['with its footer again at the end', (stored) => Buffer.concat([stored, stored.subarray(-64)])],
    [
      'with two frames exchanged',
      (stored) => {
        const [first, second] = [8, 8 + frameBytes + 16];
        const third = second + frameBytes + 16;
        return Buffer.concat([
          stored.subarray(0, first),
          stored.subarray(second, third),
          stored.subarray(first, second),
          stored.subarray(third),
        ]);
      },
    ],
    ['zeroed in the middle', (stored) => Buffer.concat([stored.subarray(0, 1000), Buffer.alloc(4096), stored.subarray(5096)])],
  ])('%s is caught', (_what, change) => {
    const fixture = temporaryStore();
    const object = seal(fixture, content(3 * frameBytes + 5));
    tamper(fixture, object, change);
    expect(() => readAll(fixture, object)).toThrow(damaged);
  });

  test('exchanged with another object of the same tenant, or with another tenant’s, is caught', () => {
    const fixture = temporaryStore();
    const [first, second] = [seal(fixture, content(500)), seal(fixture, content(500))];
    renameSync(join(fixture.root, second.name), join(fixture.root, first.name));
    expect(() => readAll(fixture, first)).toThrow(damaged);
    expect(() => readAll(fixture, { ...first, objectId: second.objectId, wrappedKey: first.wrappedKey })).toThrow(
      expect.objectContaining({ code: 'E_KEY' }),
    );
    expect(() => readAll(fixture, first, fixture.ids.next())).toThrow(expect.objectContaining({ code: 'E_KEY' }));
  });

  test('a frame of a shorter version of the object does not pass for its last one', () => {
    const fixture = temporaryStore();
    const object = seal(fixture, content(2 * frameBytes));
    tamper(fixture, object, (stored) => Buffer.concat([stored.subarray(0, 8 + frameBytes + 16), stored.subarray(-64)]));
    expect(() => readAll(fixture, object)).toThrow(damaged);
  });

  test('whose frame is damaged still gives the other frames', () => {
    const fixture = temporaryStore();
    const bytes = content(3 * frameBytes);
    const object = seal(fixture, bytes);
    tamper(fixture, object, (stored) => {
      stored[8 + frameBytes + 16 + 5]! ^= 1;
      return stored;
    });
    const reader = fixture.store.open(fixture.tenantId, object);
    const into = Buffer.alloc(10);
    expect(reader.read(into, 0, 10, 2 * frameBytes)).toBe(10);
    expect(into.equals(bytes.subarray(2 * frameBytes, 2 * frameBytes + 10))).toBe(true);
    expect(() => reader.read(into, 0, 10, frameBytes)).toThrow(damaged);
    expect(() => reader.read(into, 0, 10, frameBytes)).toThrow(damaged);
    reader.close();
  });

  test('that does not read back as written is gone and fails with E_READ_BACK', () => {
    const fixture = temporaryStore();
    const flipped = (bytes: Uint8Array) => {
      const changed = Buffer.from(bytes);
      changed[10]! ^= 1;
      return changed;
    };
    const flipping: RawStore = {
      ...fixture.raw,
      create(name) {
        const writer = fixture.raw.create(name);
        return { ...writer, write: (bytes) => writer.write(bytes.length === 1016 ? flipped(bytes) : bytes) };
      },
    };
    const store = createSealedStore({ raw: flipping, cell: 'local', keyRing: fixture.keyRing, rng: fixture.rng });
    const writer = store.create({ tenantId: fixture.tenantId, objectId: fixture.ids.next(), kind: 'raw' });
    writer.write(Buffer.alloc(1000, 1));
    expect(() => writer.commit()).toThrow(expect.objectContaining({ code: 'E_READ_BACK' }));
    expect([...fixture.raw.list('')]).toEqual([]);
    const members = [{ objectId: fixture.ids.next(), bytes: Buffer.alloc(1016 - 88, 1) }];
    expect(() => store.createPack({ tenantId: fixture.tenantId, objectId: fixture.ids.next(), kind: 'pack' }, members)).toThrow(
      expect.objectContaining({ code: 'E_READ_BACK' }),
    );
    expect([...fixture.raw.list('')]).toEqual([]);
  });

  test('that can not be read back for want of a file descriptor is gone, and said to be nothing but that', () => {
    const fixture = temporaryStore();
    const failing: RawStore = {
      ...fixture.raw,
      create(name) {
        const writer = fixture.raw.create(name);
        const open = () => {
          throw storageFailure(Object.assign(new Error('too many open files'), { code: 'EMFILE' }), 'open an object');
        };
        return { ...writer, commit: (check) => writer.commit(check && (() => check(open))) };
      },
    };
    const store = createSealedStore({ raw: failing, cell: 'local', keyRing: fixture.keyRing, rng: fixture.rng });
    const told = expect.objectContaining({ code: 'E_STORAGE_IO', retryable: true, message: expect.stringContaining('ulimit -n') });
    const writer = store.create({ tenantId: fixture.tenantId, objectId: fixture.ids.next(), kind: 'raw' });
    writer.write(Buffer.alloc(1000, 1));
    expect(() => writer.commit()).toThrow(told);
    const members = [{ objectId: fixture.ids.next(), bytes: Buffer.alloc(1000, 1) }];
    expect(() => store.createPack({ tenantId: fixture.tenantId, objectId: fixture.ids.next(), kind: 'pack' }, members)).toThrow(told);
    expect([...fixture.raw.list('')]).toEqual([]);
  });

  test('is unreadable once its key is erased, and missing once it is removed', () => {
    const fixture = temporaryStore();
    const object = seal(fixture, content(10));
    expect(() => readAll(fixture, { ...object, wrappedKey: '' })).toThrow(expect.objectContaining({ code: 'E_KEY_ERASED' }));
    fixture.store.remove(object.name);
    expect(existsSync(join(fixture.root, object.name))).toBe(false);
    expect(() => readAll(fixture, object)).toThrow(expect.objectContaining({ code: 'E_OBJECT_MISSING' }));
  });

  test('carries its label and its owner in its name', () => {
    const fixture = temporaryStore();
    const objectId = fixture.ids.next();
    const writer = fixture.store.create({ tenantId: fixture.tenantId, objectId, kind: 'output', label: 'job-3-fence-2' });
    expect(writer.commit().name).toBe(
      `local/${fixture.tenantId}/output/${objectId.replace('-', '').slice(0, 7)}/${objectId}_job-3-fence-2`,
    );
    expect(() => fixture.store.create({ tenantId: '../x', objectId, kind: 'raw' })).toThrow(
      expect.objectContaining({ code: 'E_OBJECT_NAME' }),
    );
    expect(() => fixture.store.create({ tenantId: fixture.tenantId, objectId, kind: 'raw', label: 'a/b' })).toThrow(
      expect.objectContaining({ code: 'E_OBJECT_NAME' }),
    );
  });

  test('sealed before a master key rotation opens after it', () => {
    const fixture = temporaryStore();
    const object = seal(fixture, content(100));
    const keyRing = createKeyRing([
      { version: 1, bytes: new Uint8Array(32).fill(7) },
      { version: 2, bytes: new Uint8Array(32).fill(8) },
    ]);
    const rotated = { ...fixture, store: createSealedStore({ raw: fixture.raw, cell: 'local', keyRing, rng: fixture.rng }) };
    expect(readAll(rotated, object).length).toBe(100);
    expect(readAll(rotated, seal(rotated, content(100))).length).toBe(100);
  });
});

describe('a pack', () => {
  test('holds many objects in one file, each read and erased by itself', () => {
    const fixture = temporaryStore();
    const members = Array.from({ length: 300 }, (_, at) => ({ objectId: fixture.ids.next(), bytes: content(at * 7) }));
    const objects = fixture.store.createPack({ tenantId: fixture.tenantId, objectId: fixture.ids.next(), kind: 'pack' }, members);
    expect([...fixture.raw.list('')].length).toBe(1);
    expect(new Set(objects.map((object) => object.name)).size).toBe(1);
    objects.forEach((object, at) => {
      expect(object.objectId).toBe(members[at]!.objectId);
      expect(readAll(fixture, object).equals(members[at]!.bytes)).toBe(true);
    });
    expect(() => readAll(fixture, { ...objects[5]!, wrappedKey: '' })).toThrow(expect.objectContaining({ code: 'E_KEY_ERASED' }));
    expect(readAll(fixture, objects[6]!).equals(members[6]!.bytes)).toBe(true);
  });

  test('whose members are exchanged, damaged, or that is appended to, is caught', () => {
    const fixture = temporaryStore();
    const members = [1, 2, 3].map((fill) => ({ objectId: fixture.ids.next(), bytes: Buffer.alloc(100, fill) }));
    const [first, second, third] = fixture.store.createPack(
      { tenantId: fixture.tenantId, objectId: fixture.ids.next(), kind: 'pack' },
      members,
    );
    const size = first!.storedBytes;
    tamper(fixture, first!, (stored) =>
      Buffer.concat([stored.subarray(size, 2 * size), stored.subarray(0, size), stored.subarray(2 * size)]),
    );
    expect(() => readAll(fixture, first!)).toThrow(damaged);
    expect(() => readAll(fixture, second!)).toThrow(damaged);
    expect(readAll(fixture, third!).equals(members[2]!.bytes)).toBe(true);
    expect(() => readAll(fixture, { ...first!, wrappedKey: third!.wrappedKey })).toThrow(expect.objectContaining({ code: 'E_KEY' }));
    tamper(fixture, first!, (stored) => Buffer.concat([stored, Buffer.from('x')]));
    expect(() => readAll(fixture, third!)).toThrow(damaged);
  });

  test('refuses what does not fit', () => {
    const fixture = temporaryStore();
    const pack = { tenantId: fixture.tenantId, objectId: fixture.ids.next(), kind: 'pack' } as const;
    expect(() => fixture.store.createPack(pack, [])).toThrow('at least one');
    expect(() => fixture.store.createPack(pack, [{ objectId: fixture.ids.next(), bytes: Buffer.alloc(frameBytes + 1) }])).toThrow(
      '256 KiB',
    );
  });
});
