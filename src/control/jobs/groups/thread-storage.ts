/**
 * The storage that engine threads and child processes open for themselves from plain data, and the tenant's search key,
 * which keys the hashes of business keys in outcome segments.
 */
import { hkdfSync } from 'node:crypto';
import { systemPorts } from '../../../platform/base/system-ports.ts';
import { createKeyRing, type MasterKey } from '../../../platform/storage/data-keys.ts';
import type { SealedStore } from '../../../platform/storage/object-store.ts';
import { openRawStore, type RawStorePlace } from '../../../platform/storage/raw-store.ts';
import { createSealedStore } from '../../../platform/storage/sealed-store.ts';

export interface ThreadStorageSettings extends RawStorePlace {
  readonly cell: string;
  readonly masterKeys: readonly MasterKey[];
}

export interface SearchKey {
  /** 16 bytes. */
  readonly key: Uint8Array;
  /** The version of the master key that it was derived from. */
  readonly version: number;
}

export interface ThreadStorage {
  readonly store: SealedStore;
  searchKey(tenantId: string): SearchKey;
}

const searchKeyBytes = 16;

/** The search key comes from the oldest master key, so that adding a newer one does not part a tenant's hashes in two. */
export function openThreadStorage({ root, remote, cell, masterKeys }: ThreadStorageSettings): ThreadStorage {
  const { rng } = systemPorts;
  const keyRing = createKeyRing(masterKeys.map(({ version, bytes }) => ({ version, bytes: new Uint8Array(bytes) })));
  const version = Math.min(...masterKeys.map((key) => key.version));
  return {
    store: createSealedStore({ raw: openRawStore({ root, remote }, rng), cell, keyRing, rng }),
    searchKey: (tenantId) => ({
      version,
      key: new Uint8Array(hkdfSync('sha256', keyRing.tenantKey(tenantId, version), '', 'headgate search key v1', searchKeyBytes)),
    }),
  };
}
