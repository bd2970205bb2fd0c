/** Emulators of blob services and a fake, all alike: what a test shows for one it shows for the others. */
import { startAzurite } from './azurite.ts';
import type { BlobServer } from './blob-server.ts';
import { type Component, hasComponent, itWith } from './components.ts';
import { startFakeGcs } from './fake-gcs.ts';
import { startMoto } from './moto.ts';

/** The emulators by the names of their components; the fake is here everywhere. */
export const blobServers = {
  azurite: startAzurite,
  moto: startMoto,
  'fake-gcs': startFakeGcs,
} as const satisfies Record<string, () => Promise<BlobServer>>;

export type BlobServerName = keyof typeof blobServers;

export const blobServerEntries = Object.entries(blobServers) as [BlobServerName, () => Promise<BlobServer>][];

const componentsOf = (name: BlobServerName): readonly Component[] => (name === 'fake-gcs' ? [] : [name]);

export function hasBlobServer(name: BlobServerName): boolean {
  return componentsOf(name).every(hasComponent);
}

/** `itWith` of what the server needs. */
export function itWithBlobServer(name: BlobServerName, ...more: Component[]): ReturnType<typeof itWith> {
  return itWith(...componentsOf(name), ...more);
}

/** As the service tells of new objects: what emulators do not do. Google's can't be told of; there S3's stand in. */
export function notificationOf({ connectionType }: Pick<BlobServer, 'connectionType'>, container: string, keys: readonly string[]) {
  if (connectionType === 'azure-blob')
    return keys.map((key) => ({
      topic: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/bank',
      subject: `/blobServices/default/containers/${container}/blobs/${key}`,
      eventType: 'Microsoft.Storage.BlobCreated',
      data: { api: 'PutBlob' },
    }));
  return {
    Records: keys.map((key) => ({
      eventName: 'ObjectCreated:Put',
      s3: { bucket: { name: container }, object: { key: encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+') } },
    })),
  };
}
