/**
 * Worker threads over the chunks of files. Results are taken in chunk order, which fixes where each chunk's bytes go; a
 * thread keeps the bytes of one chunk at a time, so memory does not grow with the file.
 */
import { Worker } from 'node:worker_threads';
import { HeadgateError } from '../platform/base/errors.ts';
import type { ChunkJob } from './run-chunk-job.ts';
import type { ThreadAnswer, ThreadRequest, ThreadSetup } from './run-chunk-worker.ts';

export type ChunkResult = Extract<ThreadAnswer, { kind: 'sized' }>;

/** Takes the next chunk's result and says at which offset each output file goes on. */
export type ResultTaker = (result: ChunkResult) => readonly number[];

interface Thread {
  readonly worker: Worker;
  jobs: number;
}

/** One job is run while the next waits in the thread. */
const jobsPerThread = 2;
/** Young objects live shortly here, and each thread has its own space for them. */
const resourceLimits = { maxYoungGenerationSizeMb: 8 };

export class ThreadPool {
  readonly #threads: readonly Thread[];
  readonly #sized = new Map<number, { readonly thread: Thread; readonly result: ChunkResult }>();
  #take: ResultTaker = () => [];
  #nextNumber = 0;
  #underWay = 0;
  #failure: Error | null = null;
  #wake: () => void = () => {};

  /** Threads start at once and load their code while the caller still prepares. */
  constructor(threads: number) {
    this.#threads = Array.from({ length: threads }, () => ({
      worker: new Worker(new URL('./run-chunk-worker.ts', import.meta.url), { resourceLimits }),
      jobs: 0,
    }));
    for (const thread of this.#threads) {
      thread.worker.on('message', (answer: ThreadAnswer) => this.#receive(thread, answer));
      thread.worker.on('error', (error) => this.#fail(error as Error));
    }
  }

  /** Begins a file; the one before must be drained. */
  begin(setup: ThreadSetup, take: ResultTaker): void {
    this.#take = take;
    this.#nextNumber = 0;
    for (const thread of this.#threads) this.#send(thread, { kind: 'setup', setup });
  }

  /** Resolves when the job is handed to a thread. */
  async submit(job: ChunkJob): Promise<void> {
    await this.#until(() => this.#underWay < this.#threads.length * jobsPerThread);
    const idlest = this.#threads.reduce((best, thread) => (thread.jobs < best.jobs ? thread : best));
    idlest.jobs++;
    this.#underWay++;
    this.#send(idlest, { kind: 'job', job });
  }

  /** Resolves when every submitted job is written. */
  async drain(): Promise<void> {
    await this.#until(() => this.#underWay === 0);
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }

  #receive(thread: Thread, answer: ThreadAnswer): void {
    switch (answer.kind) {
      case 'sized':
        this.#sized.set(answer.number, { thread, result: answer });
        this.#placeNext();
        return;
      case 'written':
        thread.jobs--;
        this.#underWay--;
        this.#wake();
        return;
      case 'failed':
        this.#fail(answer.code === null ? new Error(answer.message) : new HeadgateError(answer.code, answer.message));
    }
  }

  #placeNext(): void {
    try {
      for (let next = this.#sized.get(this.#nextNumber); next !== undefined; next = this.#sized.get(this.#nextNumber)) {
        this.#sized.delete(this.#nextNumber++);
        this.#send(next.thread, { kind: 'place', offsets: this.#take(next.result) });
      }
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #send(thread: Thread, request: ThreadRequest): void {
    thread.worker.postMessage(request);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }

  async #until(isReached: () => boolean): Promise<void> {
    for (;;) {
      if (this.#failure !== null) throw this.#failure;
      if (isReached()) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
