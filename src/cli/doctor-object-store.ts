/**
 * What `headgate doctor` finds of a remote object store, by using it: a small object is created, read, not overwritten, and removed.
 * A service that overwrites although it is asked not to is none for objects that must never change.
 */
import { Buffer } from 'node:buffer';
import { HeadgateError } from '../platform/base/errors.ts';
import type { Settings } from '../platform/base/settings-catalogue.ts';
import { systemPorts } from '../platform/base/system-ports.ts';
import { letPastGate } from '../platform/blob/opendal-client.ts';
import { createSecretFiles } from '../platform/secrets/secret-files.ts';
import { createSecretResolver } from '../platform/secrets/secret-resolver.ts';
import type { RawStore } from '../platform/storage/object-store.ts';
import { createRemoteStore, hostsOfStore } from '../platform/storage/remote-store.ts';
import { storageErrors } from '../platform/storage/storage-errors.ts';
import { readStoreSettings } from '../platform/storage/store-address.ts';
import { type Finding, failed, failedBy, ok } from './doctor-checks.ts';

const check = 'object store';

/** Nothing for a store in the data folder, which is looked at as a folder. */
export async function checkObjectStore(settings: Settings, env: Readonly<Record<string, string | undefined>>): Promise<Finding[]> {
  try {
    const files = createSecretFiles({ mountedFolders: settings.mountedSecretFolders });
    const secrets = createSecretResolver({ env, files, limits: null });
    const plan = readStoreSettings(settings, (reference) => secrets.resolve(reference).reveal());
    if (plan === null) return [];
    await letPastGate(systemPorts.rng, hostsOfStore(plan));
    return [useStore(createRemoteStore(plan), `${settings.cell}/doctor/${systemPorts.ids.next()}`)];
  } catch (error) {
    return [failedBy(check, error)];
  }
}

function useStore(store: RawStore, name: string): Finding {
  const write = (content: string): void => {
    const writer = store.create(name);
    writer.write(Buffer.from(content));
    writer.commit();
  };
  write('first');
  try {
    const reader = store.open(name);
    const bytes = Buffer.alloc(5);
    if (reader.read(bytes, 0, 5, 0) !== 5 || bytes.toString() !== 'first')
      return failed(check, 'what was read is not what was written', 'Use another service: this one does not keep what it took.');
    if (!isRefused(() => write('other')))
      return failed(
        check,
        'the service overwrites an object although it was asked not to',
        'Use a service, or a version of it, that knows conditional writes (If-None-Match).',
      );
    return ok(check, 'takes an object, gives it back, does not overwrite it, and removes it');
  } finally {
    store.remove(name);
  }
}

function isRefused(write: () => void): boolean {
  try {
    write();
    return false;
  } catch (error) {
    if (error instanceof HeadgateError && error.code === storageErrors.E_OBJECT_EXISTS) return true;
    throw error;
  }
}
