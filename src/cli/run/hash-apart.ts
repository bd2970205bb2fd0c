/** The SHA-256 of a large file by a thread of its own, where the calling one has more to do than others. */
import { Worker } from 'node:worker_threads';
import type { FileSource } from './plain-files.ts';

/** Of smaller files it is done sooner than a thread has started. */
const bytesMin = 64 * 1024 * 1024;

export interface HashApart {
  readonly digest: Promise<string>;
  /** Of a hash that nobody waits for any more. */
  stop(): Promise<unknown>;
}

/** Null: the file is small. It must stay open until there is a digest or the thread is stopped. */
export function hashApart(source: FileSource, from = bytesMin): HashApart | null {
  if (source.size < from) return null;
  const worker = new Worker(new URL('./hash-thread.ts', import.meta.url), { workerData: source.share() });
  const digest = new Promise<string>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the thread that hashes the file has ended')));
  });
  // Whoever awaits it is told; before that a failure is nobody's unhandled rejection.
  digest.catch(() => {});
  return { digest, stop: () => worker.terminate() };
}
