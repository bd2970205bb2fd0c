/** What a sealed store is made of. Its own file, because the store and its packs both stand on it. */
import type { Rng } from '../base/ports.ts';
import type { KeyRing } from './data-keys.ts';
import type { RawStore } from './object-store.ts';

export interface SealedStoreParts {
  readonly raw: RawStore;
  /** The cell's name, the first part of every object's name. */
  readonly cell: string;
  readonly keyRing: KeyRing;
  readonly rng: Rng;
}
