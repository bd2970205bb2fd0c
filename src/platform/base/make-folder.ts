/**
 * Makes a folder and those above it that are missing. The runtime's own recursive way never ends where a file system answers
 * ENOENT to a folder below one that is there, as /proc does. Throws the system's error.
 */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

export function makeFolder(path: string, mode?: number): void {
  const missing: string[] = [];
  for (let at = resolve(path); !existsSync(at) || missing.length === 0; at = dirname(at)) missing.unshift(at);
  for (const at of missing) {
    try {
      mkdirSync(at, { mode });
    } catch (error) {
      const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST' && statSync(at).isDirectory();
      if (!isThere) throw error;
    }
  }
}
