/**
 * A small pool of engine threads. A thread has one run at a time; one that dies takes only its own run with it and is
 * replaced at the next. Memory and time of a run are limited, so that one that wants too much ends itself and nothing else.
 */
import { Worker } from 'node:worker_threads';
import type { BigBodies } from '../../../pipeline/deliveries/cutting/cut-input.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { systemPorts } from '../../../platform/base/system-ports.ts';
import { jobErrors } from '../job-errors.ts';
import type { ThreadAnswer, ThreadResult } from './engine-thread.ts';
import type { BodyRun, FileResult, FileRun, GroupResult, GroupRun } from './group-run.ts';
import type { ThreadStorageSettings } from './thread-storage.ts';

type Run = GroupRun | FileRun | BodyRun;

export interface EngineThreads extends BigBodies {
  /** Runs that can go on at once. */
  readonly size: number;
  /** Fails with E_THREAD_DIED, E_NO_THREAD where none could be started, and with the HeadgateError of the run. Waits while all threads are busy. */
  runGroup(run: GroupRun): Promise<GroupResult>;
  checkFile(run: FileRun): Promise<FileResult>;
  /** Ends the threads at once; what they run fails. */
  stop(): Promise<void>;
}

export interface EngineThreadsSettings {
  readonly storage: ThreadStorageSettings;
  readonly threads: number;
  /** Of the JavaScript heap of one thread. */
  readonly memoryMb?: number;
  /** A run that takes longer is ended. */
  readonly runTimeoutMs?: number;
  /** For tests; the process's own otherwise. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const memoryMbDefault = 512;
/**
 * The engine works in buffers: a bigger young generation takes memory and saves no time with big files. It does with many small ones, so a
 * server with all roles starts its threads with more, whatever is asked for here (`bin/headgate`).
 */
const youngMbMax = 4;
export const runTimeoutMsDefault = 600_000;

export function createEngineThreads(settings: EngineThreadsSettings): EngineThreads {
  const threads = Array.from({ length: settings.threads }, () => new EngineThread(settings));
  const waiting: ((thread: EngineThread) => void)[] = [];
  const free = [...threads];

  async function run(work: Run): Promise<ThreadResult> {
    const thread = free.pop() ?? (await new Promise<EngineThread>((resolve) => waiting.push(resolve)));
    try {
      return await thread.run(work);
    } finally {
      const next = waiting.shift();
      if (next === undefined) free.push(thread);
      else next(thread);
    }
  }
  return {
    size: settings.threads,
    runGroup: (work) => run(work) as Promise<GroupResult>,
    checkFile: (work) => run(work) as Promise<FileResult>,
    hashBody: (body) => run({ ...body, kind: 'body' }) as Promise<string>,
    async stop() {
      await Promise.all(threads.map((thread) => thread.stop()));
    },
  };
}

interface Pending {
  resolve(result: ThreadResult): void;
  reject(error: HeadgateError): void;
}

class EngineThread {
  readonly #settings: EngineThreadsSettings;
  #worker: Worker | null = null;
  #pending: Pending | null = null;

  constructor(settings: EngineThreadsSettings) {
    this.#settings = settings;
  }

  async run(work: Run): Promise<ThreadResult> {
    const ended = new AbortController();
    try {
      return await new Promise((resolve, reject) => {
        this.#pending = { resolve, reject };
        this.#worker ??= this.#start();
        this.#worker.postMessage(work);
        void this.#endLate(this.#worker, ended.signal);
      });
    } finally {
      ended.abort();
    }
  }

  async #endLate(worker: Worker, ended: AbortSignal): Promise<void> {
    await systemPorts.sleep.sleep(this.#settings.runTimeoutMs ?? runTimeoutMsDefault, ended);
    if (!ended.aborted) await worker.terminate();
  }

  async stop(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const { storage, memoryMb = memoryMbDefault, env } = this.#settings;
    let worker: Worker;
    try {
      worker = new Worker(new URL('./engine-thread.ts', import.meta.url), {
        workerData: storage,
        resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: youngMbMax },
        execArgv: [],
        ...(env === undefined ? {} : { env }),
      });
    } catch (cause) {
      this.#pending = null;
      throw new HeadgateError(jobErrors.E_NO_THREAD, 'an engine thread could not be started', { cause });
    }
    let cause: unknown;
    let isReady = false;
    worker.on('message', (answer: ThreadAnswer) => {
      if ('isReady' in answer) isReady = true;
      else this.#settle(answer);
    });
    worker.on('error', (error) => {
      cause = error;
    });
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = null;
      const pending = this.#pending;
      this.#pending = null;
      pending?.reject(
        isReady || !isOfMachine(cause)
          ? new HeadgateError(jobErrors.E_THREAD_DIED, 'an engine thread ended while it worked', { cause })
          : new HeadgateError(jobErrors.E_NO_THREAD, 'an engine thread ended before it worked', { cause }),
      );
    });
    return worker;
  }

  #settle(answer: Exclude<ThreadAnswer, { readonly isReady: true }>): void {
    const pending = this.#pending;
    this.#pending = null;
    if ('result' in answer) {
      pending?.resolve(answer.result);
      return;
    }
    const { code, message, retryable } = answer.error;
    pending?.reject(new HeadgateError(code ?? jobErrors.E_THREAD_DIED, message, { retryable }));
  }
}

/** What a thread failed with before it took a run up. It may be ended for its time then, too, or have less memory than it needs for itself: that is counted. */
function isOfMachine(cause: unknown): boolean {
  return cause !== undefined && (cause as NodeJS.ErrnoException | null)?.code !== 'ERR_WORKER_OUT_OF_MEMORY';
}
