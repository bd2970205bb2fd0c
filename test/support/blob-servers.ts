/** Emulators of blob services, all alike: what a test shows for one it shows for the others. */
import { startAzurite } from './azurite.ts';
import type { BlobServer } from './blob-server.ts';
import { startMoto } from './moto.ts';

/** Each by the name of its component. */
export const blobServers = { azurite: startAzurite, moto: startMoto } as const satisfies Record<string, () => Promise<BlobServer>>;

/** As the service tells of new objects: what emulators do not do. */
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
