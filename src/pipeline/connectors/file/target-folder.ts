/**
 * The folder of a file target: made where it is missing, found anew by each attempt, judged by where it really is, and held open
 * while the attempt lasts, so that a link put in its place meanwhile leads nowhere. Attempts that find the same folder share the
 * descriptor and the fsyncs.
 */
import { lstat, mkdir, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { isBelowOrEqual } from '../../../platform/base/folder-fence.ts';
import { type HeldFolder, holdChecked, holdFolder } from '../../../platform/base/held-folder.ts';
import { createSharedRun } from '../../../platform/base/shared-run.ts';
import { connectorErrors } from '../connector-errors.ts';
import { fsyncFolder } from './durable-writes.ts';
import { isNotThere } from './file-failure.ts';

/** At once, before more share one: file systems join them too, and the thread pool has other work. */
const fsyncsMax = 2;

export interface UsedFolder extends Pick<HeldFolder, 'path'> {
  pathOf(name: string): string;
  /** Resolves when the names that it has now are durable. */
  sync(): Promise<void>;
}

export interface TargetFolder {
  /** The root must be there; folders below it are made, durably. */
  make(): Promise<void>;
  /** When `work` ends nothing of it may be under way any more. */
  use<T>(work: (folder: UsedFolder) => Promise<T>): Promise<T>;
  /** Null where the folder is not there. */
  useIfThere<T>(work: (folder: UsedFolder) => Promise<T>): Promise<T | null>;
}

export interface TargetFolderOptions {
  readonly root: string;
  /** The root, or below it as the path reads. */
  readonly folder: string;
  /** Fails with E_FOLDER_NOT_ALLOWED. */
  readonly assertAllowed: (path: string) => void;
}

/** All reject with the system's error, with E_FOLDER_NOT_ALLOWED, and with E_TARGET where a link leads out of the root. */
export function createTargetFolder({ root, folder, assertAllowed }: TargetFolderOptions): TargetFolder {
  let shared: SharedFolder | null = null;

  /** Of where it really is, and of the root as it is now. */
  async function placeCheck(): Promise<(place: string) => void> {
    assertAllowed(root);
    const realRoot = folder === root ? null : await realpath(root);
    return (place) => {
      if (realRoot !== null && !isBelowOrEqual(realRoot, place)) {
        throw new HeadgateError(connectorErrors.E_TARGET, 'a link in the folder of the target leads out of its root');
      }
      assertAllowed(place);
    };
  }

  async function makeMissing(): Promise<void> {
    const missing: string[] = [];
    let there = folder;
    for (let at = folder; at !== root; at = dirname(at)) {
      if ((await lstat(at).catch(() => null)) !== null) continue;
      missing.unshift(basename(at));
      there = dirname(at);
    }
    if (missing.length === 0) return;
    const check = await placeCheck();
    let held = holdChecked(there, ({ place }) => check(join(place, ...missing)));
    try {
      for (const name of missing) {
        await mkdir(held.pathOf(name), { mode: 0o750 }).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'EEXIST') throw error;
        });
        await fsyncFolder(held.path);
        const made = holdFolder(held.pathOf(name), { isFollowed: false });
        held.close();
        held = made;
      }
    } finally {
      held.close();
    }
  }

  async function take(): Promise<SharedFolder> {
    const check = await placeCheck();
    const held = holdChecked(folder, ({ place }) => check(place));
    if (shared?.isSame(held)) held.close();
    else shared = new SharedFolder(held);
    return shared.join();
  }

  async function useTaken<T>(used: SharedFolder, work: (folder: UsedFolder) => Promise<T>): Promise<T> {
    try {
      return await work(used);
    } finally {
      used.leave();
    }
  }

  return {
    // One at a time: who finds a folder that another made may rely on its being durable.
    make: createSharedRun(makeMissing),
    use: async (work) => await useTaken(await take(), work),
    async useIfThere(work) {
      const used = await take().catch((error: unknown) => {
        if (isNotThere(error)) return null;
        throw error;
      });
      return used && (await useTaken(used, work));
    },
  };
}

/** Closed when its last user has left. */
class SharedFolder implements UsedFolder {
  readonly #held: HeldFolder;
  readonly #sync: () => Promise<void>;
  #users = 0;

  constructor(held: HeldFolder) {
    this.#held = held;
    // By a descriptor of its own: a failed fsync is told once for each.
    this.#sync = createSharedRun(() => fsyncFolder(held.path), { atOnce: fsyncsMax });
  }

  get path(): string {
    return this.#held.path;
  }

  pathOf(name: string): string {
    return this.#held.pathOf(name);
  }

  isSame(other: HeldFolder): boolean {
    return this.#users > 0 && this.#held.identity === other.identity;
  }

  join(): SharedFolder {
    this.#users += 1;
    return this;
  }

  leave(): void {
    this.#users -= 1;
    if (this.#users === 0) this.#held.close();
  }

  async sync(): Promise<void> {
    this.join();
    try {
      await this.#sync();
    } finally {
      this.leave();
    }
  }
}
