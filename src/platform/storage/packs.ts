/**
 * Packs: many small objects of one tenant in one stored object, with one fsync and one link instead of one each. Every
 * member is sealed as it would be alone, under its own data key, so each is read and erased by itself.
 */
import { createHash } from 'node:crypto';
import { freeBytes } from '../base/freed-bytes.ts';
import { dataKeyBytes, type ObjectKeyIdentity, wrapDataKey } from './data-keys.ts';
import { objectName } from './object-name.ts';
import type { ObjectIdentity, PackMember, SealedObject, SealedReader } from './object-store.ts';
import { createPackReads, type PackReads } from './pack-reads.ts';
import { createFrameCipher, frameBytes, sealedBytes } from './sealed-frames.ts';
import type { SealedStoreParts } from './sealed-store-parts.ts';
import { readBack, sealWhole } from './sealed-writer.ts';

/** A member is one frame at most; arrivals pack files below 64 KiB. */
export const packMemberBytesMax = frameBytes;
/** Sealed in memory before it is written. */
export const packBytesMax = 64 * 1024 * 1024;

/** Fails as a writer's `commit` does; then no member exists. */
export function createPack(
  parts: SealedStoreParts,
  pack: ObjectIdentity,
  members: readonly PackMember[],
  reopen: (object: SealedObject, packs: PackReads) => SealedReader,
): SealedObject[] {
  const packBytes = members.reduce((sum, member) => sum + sealedBytes(member.bytes.length), 0);
  if (members.length === 0 || packBytes > packBytesMax || members.some((member) => member.bytes.length > packMemberBytesMax)) {
    throw new Error('a pack holds at least one object, each of at most 256 KiB, 64 MiB together');
  }
  const name = objectName(parts.cell, pack);
  const sealed = Buffer.allocUnsafeSlow(packBytes);
  const objects: SealedObject[] = [];
  let offset = 0;
  for (const member of members) {
    const object = sealMember({
      parts,
      name,
      identity: { tenantId: pack.tenantId, objectId: member.objectId },
      bytes: member.bytes,
      sealed,
      offset,
    });
    objects.push(object);
    offset += object.storedBytes;
  }
  const writer = parts.raw.create(name);
  writer.write(sealed);
  writer.commit((open) => {
    const packs = createPackReads({ open });
    try {
      for (const object of objects) readBack(object.objectId, () => reopen(object, packs), object);
    } finally {
      packs.close();
    }
  });
  freeBytes(sealed);
  return objects;
}

function sealMember(work: {
  readonly parts: SealedStoreParts;
  readonly name: string;
  readonly identity: ObjectKeyIdentity;
  readonly bytes: Uint8Array;
  readonly sealed: Buffer;
  readonly offset: number;
}): SealedObject {
  const { parts, name, identity, bytes, sealed, offset } = work;
  const dataKey = parts.rng.bytes(dataKeyBytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const storedBytes = sealWhole(createFrameCipher(identity, dataKey), bytes, sha256, sealed.subarray(offset));
  const wrappedKey = wrapDataKey(parts.keyRing, parts.rng, identity, dataKey, { offset, bytes: storedBytes, packBytes: sealed.length });
  return { objectId: identity.objectId, name, bytes: bytes.length, sha256, storedBytes, wrappedKey };
}
