/**
 * The traffic of a soak: several senders at once, by upload and by folder, never more than so many files whose jobs are
 * still open. Every file that was begun is sent until it is acknowledged, also after the last kill.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createFolderClient } from './folder-client.ts';
import { type GeneratedFile, generateFile, type Traffic } from './generated-files.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Surroundings } from './surroundings.ts';
import { createUploadClient } from './upload-client.ts';

export interface SendersOptions {
  readonly surroundings: Pick<Surroundings, 'exchangeRoot' | 'senderJournal' | 'keys'>;
  readonly ports: readonly number[];
  readonly random: SeededRandom;
  readonly traffic?: Traffic;
  readonly uploadersCount: number;
  readonly droppersCount: number;
  readonly openJobsMax: number;
  /** Jobs that are open at this moment, as last seen. */
  openJobs(): number;
}

export interface Senders {
  /** Every file that was begun, by its number. */
  readonly files: ReadonlyMap<number, GeneratedFile>;
  readonly acked: number;
  /** Uploads and dropped files that nobody has acknowledged yet. */
  readonly inFlight: number;
  /** Begins no more files; resolves when every begun one is acknowledged. */
  finish(): Promise<void>;
  /** Gives up at once. */
  abort(): void;
}

/** Share of uploads that carry no Idempotency-Key: the flow's own rule for duplicates must do. */
const withoutKeyShare = 0.3;
/** Share of acknowledged uploads that are sent once more, as a new request. */
const againShare = 0.04;
const pauseMs = 40;

export function startSenders(options: SendersOptions): Senders {
  const { surroundings, random, openJobsMax } = options;
  const files = new Map<number, GeneratedFile>();
  const aborted = new AbortController();
  const { signal } = aborted;
  let isFinishing = false;
  let acked = 0;
  let inFlight = 0;
  let failure: unknown;

  const journal = surroundings.senderJournal;
  const uploads = createUploadClient({ ports: options.ports, keys: surroundings.keys, journal, random: random.fork() });
  const folders = createFolderClient(surroundings.exchangeRoot, journal);

  async function sendAll(own: SeededRandom, send: (file: GeneratedFile) => Promise<boolean>): Promise<void> {
    while (!isFinishing && !signal.aborted) {
      if (options.openJobs() + inFlight >= openJobsMax) {
        await sleep(pauseMs);
        continue;
      }
      const file = generateFile(files.size + 1, own, options.traffic);
      files.set(file.number, file);
      inFlight += 1;
      const wasAcked = await send(file).finally(() => (inFlight -= 1));
      if (wasAcked) acked += 1;
      await sleep(own.between(0, 10));
    }
  }

  const upload = (own: SeededRandom) => async (file: GeneratedFile) => {
    const wasAcked = await uploads.upload(file, { hasKey: !own.isTrue(withoutKeyShare) }, signal);
    if (wasAcked && own.isTrue(againShare)) await uploads.upload(file, { hasKey: own.isTrue(0.5) }, signal);
    return wasAcked;
  };
  const running: Promise<void>[] = [];
  const begin = (count: number, makeSend: (own: SeededRandom) => (file: GeneratedFile) => Promise<boolean>) => {
    for (let at = 0; at < count; at++) {
      const own = random.fork();
      running.push(
        sendAll(own, makeSend(own)).catch((error: unknown) => {
          failure ??= error;
          aborted.abort();
        }),
      );
    }
  };
  begin(options.uploadersCount, upload);
  begin(options.droppersCount, () => (file) => folders.drop(file, signal));

  return {
    files,
    get acked() {
      return acked;
    },
    get inFlight() {
      return inFlight;
    },
    async finish() {
      isFinishing = true;
      await Promise.all(running);
      if (failure !== undefined) throw failure;
    },
    abort() {
      aborted.abort();
    },
  };
}
