/**
 * Folders that survive a power cut: a new folder is durable only when its parent was fsynced, and so on up to the root.
 * A folder below the root that another process made is not trusted until this process has fsynced its parent too.
 */
import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

/** Bounds the memory of the folders known to be durable; forgetting one costs an fsync. */
const knownFoldersMax = 4096;

export interface DurableFolders {
  /** Makes a folder below the root, and its missing parents, durable. */
  ensure(folder: string): void;
}

/** Makes the root too, when it is missing. */
export function createDurableFolders(root: string): DurableFolders {
  const known = new Set<string>();
  makeRoot(root);

  function ensure(folder: string): void {
    if (folder === root || known.has(folder)) return;
    const parent = dirname(folder);
    ensure(parent);
    try {
      makeFolder(folder);
    } catch (error) {
      known.clear();
      throw error;
    }
    fsyncFolder(parent);
    if (known.size >= knownFoldersMax) known.clear();
    known.add(folder);
  }
  return { ensure };
}

function makeRoot(root: string): void {
  const parent = dirname(root);
  if (parent === root) return;
  try {
    if (makeFolder(root)) fsyncFolder(parent);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    makeRoot(parent);
    if (makeFolder(root)) fsyncFolder(parent);
  }
}

/** False when it was there already. */
function makeFolder(folder: string): boolean {
  try {
    mkdirSync(folder, { mode: 0o700 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Makes the names in a folder durable. A failed fsync is never repeated on the same descriptor. */
export function fsyncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
