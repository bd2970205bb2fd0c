/**
 * A sender that uploads files to whichever server answers, and sends the same file again until it has a positive answer. It
 * journals what it is about to send and, once it has been told so, that the file was taken; a file without that entry is
 * not claimed to be anywhere.
 */
import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GeneratedFile } from './generated-files.ts';
import type { Journal } from './journal.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Tenant } from './soak-flows.ts';

export interface SenderEntry {
  readonly event: 'sending' | 'acked' | 'refused';
  readonly file: number;
  readonly sha256: string;
}

export interface UploadClient {
  /** Resolves with true when it was acknowledged, false when the client was told to give up. */
  upload(file: GeneratedFile, choices: UploadChoices, signal: AbortSignal): Promise<boolean>;
  /** Requests without an answer at this moment. */
  readonly inFlight: number;
}

export interface UploadChoices {
  readonly hasKey: boolean;
  /** Only one try: what is not acknowledged then stays open. */
  readonly isOnce?: boolean;
}

export interface UploadClientOptions {
  readonly ports: readonly number[];
  readonly keys: Readonly<Partial<Record<Tenant, string>>>;
  readonly journal: Journal;
  readonly random: SeededRandom;
}

const answerMsMax = 10_000;

export function createUploadClient({ ports, keys, journal, random }: UploadClientOptions): UploadClient {
  let inFlight = 0;
  return {
    get inFlight() {
      return inFlight;
    },
    async upload(file, { hasKey, isOnce = false }, signal) {
      const entry = { file: file.number, sha256: file.sha256 };
      const idempotencyKey = hasKey ? randomUUID() : undefined;
      await journal.append({ event: 'sending', ...entry } satisfies SenderEntry);
      while (!signal.aborted) {
        inFlight += 1;
        const status = await send(random.pick(ports), file, keys[file.tenant]!, idempotencyKey).finally(() => (inFlight -= 1));
        if (status === 201 || status === 200) {
          await journal.append({ event: 'acked', ...entry } satisfies SenderEntry);
          return true;
        }
        if (status !== undefined && status < 500 && status !== 429 && status !== 408 && status !== 409) {
          throw new Error(`an upload of ${file.name} was answered with ${status}`);
        }
        if (isOnce) return false;
        await sleep(random.between(20, 150), undefined, { signal }).catch(() => {});
      }
      return false;
    },
  };
}

/** Undefined: no whole answer came. */
function send(port: number, file: GeneratedFile, key: string, idempotencyKey: string | undefined): Promise<number | undefined> {
  return new Promise((resolve) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        method: 'POST',
        path: `/v1/files?flow=${file.flow}&name=${encodeURIComponent(file.name)}`,
        agent: false,
        timeout: answerMsMax,
        headers: {
          authorization: `Bearer ${key}`,
          'content-type': 'application/octet-stream',
          'content-length': file.content.length,
          'repr-digest': `sha-256=:${Buffer.from(file.sha256, 'hex').toString('base64')}:`,
          ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
        },
      },
      (answer) => {
        answer.on('error', () => resolve(undefined));
        answer.on('end', () => resolve(answer.complete ? answer.statusCode : undefined));
        answer.on('close', () => resolve(undefined));
        answer.resume();
      },
    );
    outgoing.on('error', () => resolve(undefined));
    outgoing.on('timeout', () => outgoing.destroy());
    outgoing.end(file.content);
  });
}
