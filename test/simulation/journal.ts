/**
 * What an outside party knows for certain: lines of JSON that are on the disk before `append` resolves. Entries that come
 * while a sync runs share the next one. It lies where the product has no path to.
 */
import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';

export interface Journal {
  /** Resolves when the entry is durable. */
  append(entry: object): Promise<void>;
  close(): Promise<void>;
}

export async function openJournal(path: string): Promise<Journal> {
  const file = await open(path, 'a');
  let waiting: { readonly line: string; readonly done: () => void; readonly failed: (error: unknown) => void }[] = [];
  let writing: Promise<void> | undefined;
  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const entries = waiting;
      waiting = [];
      try {
        await file.appendFile(entries.map(({ line }) => line).join(''));
        await file.datasync();
        for (const { done } of entries) done();
      } catch (error) {
        for (const { failed } of entries) failed(error);
      }
    }
    writing = undefined;
  }
  return {
    append(entry) {
      return new Promise((done, failed) => {
        waiting.push({ line: `${JSON.stringify(entry)}\n`, done, failed });
        writing ??= writeAll();
      });
    },
    async close() {
      await writing;
      await file.close();
    },
  };
}

/** A last line that was cut off was never durable, so nobody was told of it. */
export function readJournal<T>(path: string): T[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  lines.pop();
  return lines.map((line) => JSON.parse(line) as T);
}
