/** A tenant that puts a link to another tenant's folder in the place of its own, while that is used. */
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, realpathSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { onTestFinished } from 'vitest';

export interface SwappedFolder {
  /** Of both tenants. */
  readonly roots: string;
  /** Of the tenant that swaps. */
  readonly own: string;
  /** In it: what is swapped. */
  readonly folder: string;
  /** Of the other tenant. */
  readonly other: string;
  /** Where the folder lies while the link is in its place. */
  readonly away: string;
  /** Once; later calls change nothing. */
  swap(): void;
  /** Again and again, until the test ends. */
  startSwapping(): Promise<void>;
  /** Of descriptors of this process: where those lead that are open below the roots. */
  openPlaces(): string[];
}

export function makeSwappedFolder(name: string): SwappedFolder {
  const roots = realpathSync(mkdtempSync(join(tmpdir(), 'headgate-swapped-')));
  onTestFinished(() => rmSync(roots, { recursive: true, force: true }));
  const own = join(roots, 'bank-c');
  const [folder, away, other] = [join(own, name), join(own, `${name}-away`), join(roots, 'bank-b')];
  mkdirSync(folder, { recursive: true });
  mkdirSync(other);
  let isSwapped = false;
  return {
    ...{ roots, own, folder, other, away },
    swap() {
      if (isSwapped) return;
      isSwapped = true;
      renameSync(folder, away);
      symlinkSync(other, folder);
    },
    async startSwapping() {
      const worker = new Worker(swapper, { eval: true, workerData: { folder, away, other, link: join(own, 'link') } });
      onTestFinished(async () => void (await worker.terminate()));
      await new Promise((resolve) => worker.once('message', resolve));
    },
    openPlaces: () =>
      readdirSync('/proc/self/fd').flatMap((descriptor) => {
        try {
          const place = readlinkSync(`/proc/self/fd/${descriptor}`);
          return place.startsWith(roots) ? [place] : [];
        } catch {
          return [];
        }
      }),
  };
}

/** While neither is there the folder may be made anew: such a one is put aside. */
const swapper = `
  const { renameSync, symlinkSync } = require('node:fs');
  const { parentPort, workerData: { folder, away, other, link } } = require('node:worker_threads');
  let made = 0;
  const move = (from, to) => {
    for (;;) {
      try {
        return renameSync(from, to);
      } catch {
        renameSync(to, away + ++made);
      }
    }
  };
  symlinkSync(other, link);
  parentPort.postMessage('begun');
  for (;;) {
    renameSync(folder, away);
    move(link, folder);
    renameSync(folder, link);
    move(away, folder);
  }`;
