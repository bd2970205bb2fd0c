/**
 * Worker threads over the chunks of one file. Answers come back in chunk order; at most two jobs a thread are under way,
 * so memory does not grow with the file.
 */
import { Worker } from 'node:worker_threads';
import type { Plan } from '../pipeline/engine/plan.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import type { ChunkJob } from './run-chunk-job.ts';
import type { ChunkAnswer, WorkerStart } from './run-chunk-worker.ts';

export type FinishedAnswer = Exclude<ChunkAnswer, { failure: unknown }>;

const jobsPerThread = 2;

export class ThreadPool {
  readonly #workers: { readonly worker: Worker; jobs: number }[];
  readonly #take: (answer: FinishedAnswer) => void;
  readonly #waiting = new Map<number, FinishedAnswer>();
  #nextNumber = 0;
  #underWay = 0;
  #failure: Error | null = null;
  #wake: () => void = () => {};

  /** `take` gets the answers in chunk order. */
  constructor(start: { plan: Plan; path: string; threads: number }, take: (answer: FinishedAnswer) => void) {
    this.#take = take;
    const data: WorkerStart = { plan: start.plan, path: start.path };
    this.#workers = Array.from({ length: start.threads }, () => ({
      worker: new Worker(new URL('./run-chunk-worker.ts', import.meta.url), { workerData: data }),
      jobs: 0,
    }));
    for (const entry of this.#workers) {
      entry.worker.on('message', (answer: ChunkAnswer) => this.#receive(entry, answer));
      entry.worker.on('error', (error) => this.#fail(error as Error));
    }
  }

  /** Resolves when the job is handed to a thread. */
  async submit(job: ChunkJob): Promise<void> {
    await this.#until(() => this.#underWay < this.#workers.length * jobsPerThread);
    const idlest = this.#workers.reduce((best, entry) => (entry.jobs < best.jobs ? entry : best));
    idlest.jobs++;
    this.#underWay++;
    idlest.worker.postMessage(job);
  }

  /** Resolves when every submitted job is taken. */
  async drain(): Promise<void> {
    await this.#until(() => this.#underWay === 0);
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map(({ worker }) => worker.terminate()));
  }

  #receive(entry: { jobs: number }, answer: ChunkAnswer): void {
    entry.jobs--;
    if ('failure' in answer) {
      const { code, message } = answer.failure;
      this.#fail(code === null ? new Error(message) : new HeadgateError(code, message));
      return;
    }
    this.#waiting.set(answer.number, answer);
    try {
      for (let next = this.#waiting.get(this.#nextNumber); next !== undefined; next = this.#waiting.get(this.#nextNumber)) {
        this.#waiting.delete(this.#nextNumber++);
        this.#take(next);
        this.#underWay--;
      }
    } catch (error) {
      this.#fail(error as Error);
    }
    this.#wake();
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
