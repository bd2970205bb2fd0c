/**
 * Finds the record that ends whoever works on it, and runs the rest of its group without it. The group is run in child
 * processes, which say before each piece of a file that they are about to run it: of a child that dies the last piece is
 * run again record by record. The one it dies at is rejected unread; the run starts over without it.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import type { GroupResult, GroupRun, Piece, PoisonRecord } from '../groups/group-run.ts';
import { runTimeoutMsDefault } from '../groups/thread-pool.ts';
import type { ThreadStorageSettings } from '../groups/thread-storage.ts';
import { jobErrors } from '../job-errors.ts';
import type { ChildAnswer, ChildMessage, ChildRequest, ChildSaid } from './poison-child.ts';

export interface PoisonHunt {
  /** `runOf` makes the run without the records found so far. Fails with the passing errors of the run, and with E_NO_THREAD. */
  run(runOf: (poison: readonly PoisonRecord[]) => GroupRun): Promise<GroupResult>;
  /** Ends the children at once; what they run fails with E_NO_THREAD. */
  stop(): void;
}

export interface PoisonHuntSettings {
  readonly storage: ThreadStorageSettings;
  readonly logger: Logger;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Records that one group may lose this way; beyond, something else is wrong. */
  readonly poisonMax?: number;
  /** Of a child's JavaScript heap. */
  readonly memoryMb?: number;
  /** A child that takes longer is ended, and what it was at is taken for the cause. */
  readonly timeoutMs?: number;
}

/** Of the pieces of the first probe; of the one that it dies at, the second takes each record by itself. */
const pieceBytes = 64 * 1024;
/** Of the child: behind input, output, errors and the channel. */
const progressDescriptor = 4;

/** Sent to all processes of a terminal or service that is ended, not by what a child works on. */
const endingSignals: ReadonlySet<unknown> = new Set(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']);

/** What became of a child: an answer, or the piece that it was at when it died (null: it had begun none). */
type ChildEnd = { readonly answer: ChildAnswer } | { readonly diedAt: Piece | null };

export function createPoisonHunt(settings: PoisonHuntSettings): PoisonHunt {
  const { logger, poisonMax = 100 } = settings;
  const children = new Set<() => void>();

  async function findPoison(run: GroupRun): Promise<(PoisonRecord & { readonly recordId: string }) | null> {
    const piece = await deathOf({ kind: 'probe', run, only: null, pieceBytes });
    const record = piece === null || piece.records === 1 ? piece : await deathOf({ kind: 'probe', run, only: piece, pieceBytes: 0 });
    if (record?.records !== 1) return null;
    const { jobId, start: offset, contentEnd, firstRecord } = record;
    return { jobId, offset, length: contentEnd - offset, recordId: `${jobId}/${firstRecord}` };
  }
  /** The piece that a probe died at; null when it did not die. */
  async function deathOf(request: ChildRequest): Promise<Piece | null> {
    const end = await runChild(settings, request, children);
    return 'diedAt' in end ? end.diedAt : null;
  }
  return {
    async run(runOf) {
      const poison: PoisonRecord[] = [];
      // That the whole group ends whoever runs it is known already: the first look is for the record.
      for (let isKnownToDie = true; poison.length <= poisonMax; isKnownToDie = false) {
        const run = runOf(poison);
        if (!isKnownToDie) {
          const end = await runChild(settings, { kind: 'run', run }, children);
          if ('answer' in end) {
            const { answer } = end;
            if ('result' in answer) return answer.result;
            if ('error' in answer && answer.error.retryable)
              throw new HeadgateError(answer.error.code, answer.error.message, { retryable: true });
            break;
          }
        }
        const found = await findPoison(run);
        if (found === null) {
          if (isKnownToDie) continue;
          break;
        }
        // Leaving it out did not help: it is not the record that is to blame.
        if (poison.some((record) => record.jobId === found.jobId && record.offset === found.offset)) break;
        const { recordId, ...record } = found;
        const { jobId, offset } = record;
        logger.warn('a record ended the process that worked on it, and is rejected', { jobId, recordId, offset });
        poison.push(record);
      }
      return failedResult(runOf([]));
    },
    stop() {
      for (const end of children) end();
    },
  };
}

function failedResult(run: GroupRun): GroupResult {
  const failure = { code: jobErrors.E_CHUNK_FAILED, message: 'a part of the file could not be processed' };
  const failed = run.chunks.map(({ jobId, spec }) => ({ jobId, number: spec.number, failure }));
  return { chunks: [], failed, segments: [], seconds: 0 };
}

/** Fails with E_NO_THREAD where the end of the child says nothing about what it was given. */
async function runChild(settings: PoisonHuntSettings, request: ChildRequest, children: Set<() => void>): Promise<ChildEnd> {
  const child = await startChild(settings);
  const lastNote = readLastNote(child.stdio[progressDescriptor] as Readable);
  let isStopped = false;
  const end = () => {
    isStopped = true;
    child.kill('SIGKILL');
  };
  children.add(end);
  let answer: ChildAnswer | null = null;
  let isReady = false;
  child.on('message', (said) => {
    if ('isReady' in (said as ChildSaid)) isReady = true;
    else answer = said as ChildAnswer;
  });
  const ended = once(child, 'close') as Promise<[code: number | null, signal: NodeJS.Signals | null]>;
  child.send({ storage: settings.storage, progressDescriptor, request } satisfies ChildMessage);
  const [, signal] = await ended;
  children.delete(end);
  if (answer !== null) return { answer };
  if (isStopped || !isReady || endingSignals.has(signal))
    throw new HeadgateError(jobErrors.E_NO_THREAD, `a process that looks for a record was ended from outside (${signal ?? 'no signal'})`);
  return { diedAt: lastNote() };
}

async function startChild({
  memoryMb = 512,
  timeoutMs = runTimeoutMsDefault,
  env = process.env,
}: PoisonHuntSettings): Promise<ChildProcess> {
  let child: ChildProcess;
  try {
    child = fork(new URL('./poison-child.ts', import.meta.url), [], {
      env: env as NodeJS.ProcessEnv,
      execArgv: [`--max-old-space-size=${memoryMb}`],
      serialization: 'advanced',
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      stdio: ['pipe', 'ignore', 'ignore', 'ipc', 'pipe'],
    });
  } catch (cause) {
    throw noChild(cause);
  }
  // Told as the end of the child, where there is one.
  child.on('error', () => undefined);
  if (child.pid !== undefined) return child;
  const [cause] = await once(child, 'error');
  if (child.connected) child.disconnect();
  throw noChild(cause);
}

function noChild(cause: unknown): HeadgateError {
  return new HeadgateError(jobErrors.E_NO_THREAD, 'no process could be started to look for a record', { cause });
}

/** Notes come through a pipe and stay in memory: nothing is left on a disk when this process ends in the middle. */
function readLastNote(notes: Readable): () => Piece | null {
  let unread = '';
  let last: string | undefined;
  notes.setEncoding('utf8').on('data', (text: string) => {
    const lines = (unread + text).split('\n');
    // What has no line end yet was cut by the end of the child.
    unread = lines.pop()!;
    last = lines.at(-1) ?? last;
  });
  return () => (last === undefined ? null : (JSON.parse(last) as Piece));
}
