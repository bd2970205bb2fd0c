/**
 * The sealed store: what the rest of the product reads and writes. Every object has a fresh data key, wrapped for its
 * tenant; the caller keeps the wrapped key in the row that owns the object. Synchronous; one instance per thread.
 */
import { hkdfSync } from 'node:crypto';
import { HeadgateError } from '../base/errors.ts';
import { dataKeyBytes, type ObjectKeyIdentity, unwrapDataKey, wrapDataKey } from './data-keys.ts';
import { objectName } from './object-name.ts';
import type { SealedObject, SealedReader, SealedStore } from './object-store.ts';
import { createPackReads, type PackReads } from './pack-reads.ts';
import { createPack } from './packs.ts';
import { createFrameCipher } from './sealed-frames.ts';
import { openSealedReader } from './sealed-reader.ts';
import type { SealedStoreParts } from './sealed-store-parts.ts';
import { createSealedWriter } from './sealed-writer.ts';
import { storageErrors } from './storage-errors.ts';

export function createSealedStore(parts: SealedStoreParts): SealedStore {
  const { raw, cell, keyRing, rng } = parts;
  return {
    create(identity) {
      const name = objectName(cell, identity);
      const dataKey = rng.bytes(dataKeyBytes);
      const wrappedKey = wrapDataKey(keyRing, rng, identity, dataKey, null);
      const object = { objectId: identity.objectId, name, wrappedKey };
      return createSealedWriter({
        raw,
        name,
        objectId: identity.objectId,
        wrappedKey,
        cipher: createFrameCipher(identity, dataKey),
        reopen: (open) => openObject({ keyRing, raw: { open } }, identity.tenantId, object),
      });
    },
    createPack: (pack, members) => createPack(parts, pack, members, (object, packs) => openObject(parts, pack.tenantId, object, packs)),
    open: (tenantId, object) => openObject(parts, tenantId, object),
    deriveKey: (tenantId, object, purpose) => derivedKey(parts, { tenantId, objectId: object.objectId }, object.wrappedKey, purpose),
    openReads() {
      const packs = createPackReads(raw);
      return { open: (tenantId, object) => openObject(parts, tenantId, object, packs), close: () => packs.close() };
    },
    exists: (name) => raw.exists(name),
    remove: (name) => raw.remove(name),
  };
}

/** Of a purpose, from the data key, which encrypts frames and is used for nothing else itself. */
function derivedKey({ keyRing }: SealedStoreParts, identity: ObjectKeyIdentity, wrappedKey: string, purpose: string): Uint8Array {
  const { dataKey } = unwrapDataKey(keyRing, identity, wrappedKey);
  return new Uint8Array(hkdfSync('sha256', dataKey, 'headgate derived key v1', `${identity.objectId} ${purpose}`, dataKeyBytes));
}

function openObject(
  parts: Pick<SealedStoreParts, 'keyRing'> & { readonly raw: Pick<SealedStoreParts['raw'], 'open'> },
  tenantId: string,
  object: Pick<SealedObject, 'objectId' | 'name' | 'wrappedKey'>,
  packs: Pick<PackReads, 'open'> = parts.raw,
): SealedReader {
  const identity: ObjectKeyIdentity = { tenantId, objectId: object.objectId };
  const { dataKey, position } = unwrapDataKey(parts.keyRing, identity, object.wrappedKey);
  const raw = (position === null ? parts.raw : packs).open(object.name);
  if (position !== null && raw.size !== position.packBytes) {
    raw.close();
    throw new HeadgateError(storageErrors.E_OBJECT_DAMAGED, `object ${object.objectId} is damaged: the length of its pack`);
  }
  const window = position === null ? { offset: 0, bytes: raw.size } : { offset: position.offset, bytes: position.bytes };
  return openSealedReader({ raw, cipher: createFrameCipher(identity, dataKey), objectId: object.objectId, window });
}
