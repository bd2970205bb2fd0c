/**
 * A sender that drops files into a folder of this machine or of an SFTP server: written and synced beside, renamed in, the folder synced. The file counts as
 * taken once the product has moved it to its folder of taken files.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GeneratedFile } from './generated-files.ts';
import type { Journal } from './journal.ts';
import type { SenderEntry } from './upload-client.ts';

export interface FolderClient {
  /** Resolves with true when the file was taken, false when the client was told to give up. */
  drop(file: GeneratedFile, signal: AbortSignal): Promise<boolean>;
}

const lookMs = 50;

export interface FolderClientOptions {
  /** Where files are written before they are whole; on the same disk. */
  readonly staging: string;
  folderOf(file: GeneratedFile): string;
  readonly journal: Journal;
}

export function createFolderClient({ staging, folderOf, journal }: FolderClientOptions): FolderClient {
  return {
    async drop(file, signal) {
      const entry = { file: file.number, sha256: file.sha256 };
      await journal.append({ event: 'sending', ...entry } satisfies SenderEntry);
      const folder = folderOf(file);
      const partial = join(staging, file.name);
      mkdirSync(staging, { recursive: true });
      const handle = await open(partial, 'w');
      await handle.writeFile(file.content);
      await handle.sync();
      await handle.close();
      await rename(partial, join(folder, file.name));
      const opened = await open(folder, 'r');
      await opened.sync();
      await opened.close();
      const taken = join(folder, '.headgate-done', file.name);
      while (!existsSync(taken)) {
        if (signal.aborted) return false;
        await sleep(lookMs, undefined, { signal }).catch(() => {});
      }
      await journal.append({ event: 'acked', ...entry } satisfies SenderEntry);
      return true;
    },
  };
}
