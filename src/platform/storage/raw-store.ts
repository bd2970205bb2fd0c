/** Opens the raw store of a process, thread or child: in a folder of this machine, or in a bucket or container. */
import type { Rng } from '../base/ports.ts';
import { createLocalStore } from './local-store.ts';
import type { RawStore } from './object-store.ts';
import { createRemoteStore, type RemoteStorePlan } from './remote-store.ts';

/** Plain data. */
export interface RawStorePlace {
  /** Folder of a local store. */
  readonly root: string;
  /** Null or left out: the store is local. */
  readonly remote?: RemoteStorePlan | null;
}

export function openRawStore({ root, remote }: RawStorePlace, rng: Rng): RawStore {
  return remote ? createRemoteStore(remote) : createLocalStore({ root, rng });
}
