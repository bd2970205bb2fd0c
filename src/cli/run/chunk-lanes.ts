/**
 * The lanes that run a file's chunks: worker threads, and the calling thread itself when they have enough to do. Results
 * are taken in chunk order, which fixes where each chunk's bytes go.
 */
import { Worker } from 'node:worker_threads';
import type { CompiledFlow } from '../../pipeline/engine/compile-flow.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import type { ChunkJob } from './chunk-job.ts';
import { ChunkLane, type ChunkResult, type LaneSetup } from './chunk-lane.ts';
import type { ThreadAnswer, ThreadRequest } from './chunk-thread.ts';

/** Takes the next chunk's result and says at which offset each output file goes on. */
export type ResultTaker = (result: ChunkResult) => readonly number[];

interface Lane {
  add(job: ChunkJob): void;
  place(offsets: readonly number[]): void;
  /** Chunks given to it and not written yet. */
  jobs: number;
}

interface Thread extends Lane {
  readonly worker: Worker;
}

/** One chunk is run, one waits for it, and one may wait for its place in the outputs. */
const jobsPerThread = 3;
/** Here one chunk is run while others wait for their place or are written. */
const jobsHere = 4;
/** Young objects live shortly here, and each thread has its own space for them. */
const resourceLimits = { maxYoungGenerationSizeMb: 8 };

export class ThreadPool {
  readonly #threads: readonly Thread[];
  readonly #sized = new Map<number, { readonly lane: Lane; readonly result: ChunkResult }>();
  #own: (Lane & { close(): void }) | null = null;
  #take: ResultTaker = () => [];
  #nextNumber = 0;
  #underWay = 0;
  #failure: Error | null = null;
  #wake: () => void = () => {};

  /** So many chunks are run at the same time, one of them by the calling thread. The other threads start at once and load their code. */
  constructor(lanes: number) {
    this.#threads = Array.from({ length: lanes - 1 }, () => this.#startThread());
  }

  #startThread(): Thread {
    const worker = new Worker(new URL('./chunk-thread.ts', import.meta.url), { resourceLimits });
    const send = (request: ThreadRequest) => worker.postMessage(request);
    const thread: Thread = {
      worker,
      jobs: 0,
      add: (job) => send({ kind: 'job', job }),
      place: (offsets) => send({ kind: 'place', offsets }),
    };
    worker.on('message', (answer: ThreadAnswer) => {
      if (answer.kind === 'sized') this.#takeSized(thread, answer.result);
      else if (answer.kind === 'written') this.#takeWritten(thread);
      else this.#fail(answer.code === null ? new Error(answer.message) : new HeadgateError(answer.code, answer.message));
    });
    worker.on('error', (error) => this.#fail(error as Error));
    return thread;
  }

  /** Begins a file; the one before must be drained. */
  begin(flow: CompiledFlow, setup: LaneSetup, take: ResultTaker): void {
    this.#take = take;
    this.#nextNumber = 0;
    for (const { worker } of this.#threads) worker.postMessage({ kind: 'setup', setup } satisfies ThreadRequest);
    this.#own?.close();
    const own = new ChunkLane(
      setup,
      {
        name: 'own',
        buffered: jobsHere,
        sized: (result) => this.#takeSized(lane, result),
        written: () => this.#takeWritten(lane),
        failed: (error) => this.#fail(error),
      },
      flow,
    );
    const lane: Lane & { close(): void } = {
      jobs: 0,
      add: (job) => own.add(job),
      place: (offsets) => own.place(offsets),
      close: () => own.close(),
    };
    this.#own = lane;
  }

  /** Resolves when the job is handed to a thread, or run here because all threads have enough. */
  async submit(job: ChunkJob): Promise<void> {
    await this.#until(() => this.#idlest() !== null);
    const lane = this.#idlest()!;
    lane.jobs++;
    this.#underWay++;
    lane.add(job);
  }

  /** Null where every lane has enough. */
  #idlest(): Lane | null {
    let best: Lane | null = null;
    for (const thread of this.#threads) if (thread.jobs < (best?.jobs ?? jobsPerThread)) best = thread;
    const own = this.#own!;
    return best ?? (own.jobs < jobsHere ? own : null);
  }

  /** Resolves when every submitted job is written. */
  async drain(): Promise<void> {
    await this.#until(() => this.#underWay === 0);
  }

  async close(): Promise<void> {
    this.#own?.close();
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }

  #takeSized(lane: Lane, result: ChunkResult): void {
    this.#sized.set(result.number, { lane, result });
    try {
      for (let next = this.#sized.get(this.#nextNumber); next !== undefined; next = this.#sized.get(this.#nextNumber)) {
        this.#sized.delete(this.#nextNumber++);
        next.lane.place(this.#take(next.result));
      }
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #takeWritten(lane: Lane): void {
    lane.jobs--;
    this.#underWay--;
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
