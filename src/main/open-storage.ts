/**
 * Opens the object store, in the data folder or in a bucket or container, and its keys: from the settings' secret references, or, for the embedded
 * default, from key files that the first start generates with mode 0600. The parts are plain enough to be given to threads.
 */
import { join } from 'node:path';
import { loadEmbeddedSigningKey, readSigningKey, type SigningKey } from '../pipeline/ledger/signing-key.ts';
import type { Rng } from '../platform/base/ports.ts';
import type { Settings } from '../platform/base/settings.ts';
import { createSecretFiles } from '../platform/secrets/secret-files.ts';
import { createSecretResolver } from '../platform/secrets/secret-resolver.ts';
import { createKeyRing, type MasterKey } from '../platform/storage/data-keys.ts';
import { hasSealedObjects, loadEmbeddedMasterKey, loadMasterKeys, parseMasterKeyReferences } from '../platform/storage/master-key.ts';
import type { RawStore, SealedStore } from '../platform/storage/object-store.ts';
import { openRawStore } from '../platform/storage/raw-store.ts';
import type { RemoteStorePlan } from '../platform/storage/remote-store.ts';
import { createSealedStore } from '../platform/storage/sealed-store.ts';
import { readStoreSettings } from '../platform/storage/store-address.ts';

export interface OpenStorage {
  readonly root: string;
  /** Null: the store is the folder. */
  readonly remote: RemoteStorePlan | null;
  readonly raw: RawStore;
  readonly sealed: SealedStore;
  readonly masterKeys: readonly MasterKey[];
  readonly signingKey: SigningKey;
}

export function openStorage(settings: Settings, env: Readonly<Record<string, string | undefined>>, rng: Rng): OpenStorage {
  const root = join(settings.dataDir, 'objects');
  const files = createSecretFiles({ mountedFolders: settings.mountedSecretFolders });
  const secrets = createSecretResolver({ env, files, limits: null });
  const remote = readStoreSettings(settings, (reference) => secrets.resolve(reference).reveal());
  const raw = openRawStore({ root, remote }, rng);
  const masterKeys = settings.masterKey
    ? loadMasterKeys(parseMasterKeyReferences(settings.masterKey), secrets)
    : [loadEmbeddedMasterKey({ path: join(settings.dataDir, 'master.key'), hasObjects: hasSealedObjects(root, settings.cell), rng })];
  const signingKey = settings.signingKey
    ? readSigningKey(secrets.resolve(settings.signingKey))
    : loadEmbeddedSigningKey(join(settings.dataDir, 'signing.pem'), rng);
  const sealed = createSealedStore({ raw, cell: settings.cell, keyRing: createKeyRing(masterKeys), rng });
  return { root, remote, raw, sealed, masterKeys, signingKey };
}
