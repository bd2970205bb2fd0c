/** Emulators of blob services, all alike: what a test shows for one it shows for the others. */
import { startAzurite } from './azurite.ts';
import type { BlobServer } from './blob-server.ts';
import { startMoto } from './moto.ts';

/** Each by the name of its component. */
export const blobServers = { azurite: startAzurite, moto: startMoto } as const satisfies Record<string, () => Promise<BlobServer>>;
