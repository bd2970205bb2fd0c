/**
 * The traffic of a soak: several senders at once, by upload, by folder and to an SFTP server, never more than so many files whose jobs are
 * still open. Every file that was begun is sent until it is acknowledged, also after the last kill.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFolderClient } from './folder-client.ts';
import { type GeneratedFile, generateFile, type Traffic } from './generated-files.ts';
import type { SeededRandom } from './seeded-random.ts';
import { dropFolder, serverFolder, type WayIn } from './soak-flows.ts';
import type { Surroundings } from './surroundings.ts';
import { createUploadClient } from './upload-client.ts';

export interface SendersOptions {
  readonly surroundings: Pick<Surroundings, 'exchangeRoot' | 'senderJournal' | 'keys'>;
  readonly ports: readonly number[];
  readonly random: SeededRandom;
  readonly traffic?: Traffic;
  readonly uploadersCount: number;
  readonly droppersCount: number;
  /** Senders of transfers, who bring their files to the SFTP server. */
  readonly partnersCount: number;
  readonly openJobsMax: number;
  /** Jobs that are open at this moment, as last seen. */
  openJobs(): number;
}

export interface Senders {
  /** Every file that was begun, by its number. */
  readonly files: ReadonlyMap<number, GeneratedFile>;
  readonly acked: number;
  readonly acknowledgedBy: Readonly<Partial<Record<WayIn, number>>>;
  /** Uploads and dropped files that nobody has acknowledged yet. */
  readonly inFlight: number;
  /** Begins no more files; resolves when every begun one is acknowledged. */
  finish(): Promise<void>;
  /** Gives up at once. */
  abort(): void;
}

interface Way {
  readonly way: WayIn;
  readonly traffic: Traffic | undefined;
  makeSend(own: SeededRandom): (file: GeneratedFile) => Promise<boolean>;
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
  const acknowledgedBy: Partial<Record<WayIn, number>> = {};
  let inFlight = 0;
  let failure: unknown;

  const journal = surroundings.senderJournal;
  const uploads = createUploadClient({ ports: options.ports, keys: surroundings.keys, journal, random: random.fork() });
  const root = surroundings.exchangeRoot;
  const folders = createFolderClient({ staging: join(root, 'staging'), folderOf: ({ flow }) => dropFolder(root, flow), journal });
  const server = serverFolder(root);
  const partners = createFolderClient({ staging: join(server, 'staging'), folderOf: () => join(server, 'in'), journal });

  async function sendAll(own: SeededRandom, { way, traffic, makeSend }: Way): Promise<void> {
    acknowledgedBy[way] = 0;
    const send = makeSend(own);
    while (!isFinishing && !signal.aborted) {
      if (options.openJobs() + inFlight >= openJobsMax) {
        await sleep(pauseMs);
        continue;
      }
      const file = generateFile(files.size + 1, own, traffic);
      files.set(file.number, file);
      inFlight += 1;
      const wasAcked = await send(file).finally(() => (inFlight -= 1));
      if (wasAcked) {
        acked += 1;
        acknowledgedBy[way]! += 1;
      }
      await sleep(own.between(0, 10));
    }
  }

  const upload = (own: SeededRandom) => async (file: GeneratedFile) => {
    const wasAcked = await uploads.upload(file, { hasKey: !own.isTrue(withoutKeyShare) }, signal);
    if (wasAcked && own.isTrue(againShare)) await uploads.upload(file, { hasKey: own.isTrue(0.5) }, signal);
    return wasAcked;
  };
  const running: Promise<void>[] = [];
  const begin = (count: number, way: Way) => {
    for (let at = 0; at < count; at++) {
      running.push(
        sendAll(random.fork(), way).catch((error: unknown) => {
          failure ??= error;
          aborted.abort();
        }),
      );
    }
  };
  const { traffic } = options;
  begin(options.uploadersCount, { way: 'upload', traffic, makeSend: upload });
  begin(options.droppersCount, { way: 'folder', traffic, makeSend: () => (file) => folders.drop(file, signal) });
  begin(options.partnersCount, {
    way: 'sftp',
    traffic: { ...traffic, flows: ['transfers'] },
    makeSend: () => (file) => partners.drop(file, signal),
  });

  return {
    files,
    get acked() {
      return acked;
    },
    acknowledgedBy,
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
