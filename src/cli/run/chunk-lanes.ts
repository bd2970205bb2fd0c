/**
 * The lanes that run a file's chunks: threads of their own. Results are taken in chunk order, which fixes where each
 * chunk's bytes go.
 */
import { Worker } from 'node:worker_threads';
import { HeadgateError } from '../../platform/base/errors.ts';
import type { ChunkJob } from './chunk-job.ts';
import type { ChunkResult, LaneSetup } from './chunk-lane.ts';
import type { ThreadAnswer, ThreadRequest } from './chunk-thread.ts';

/** Takes the next chunk's result and says at which offset each output file goes on. */
export type ResultTaker = (result: ChunkResult) => readonly number[];

interface Lane {
  readonly worker: Worker;
  /** Chunks given to it and not written yet. */
  jobs: number;
}

/** Some wait for their place in the outputs or are written, one is run, and as many wait that no lane waits for the reader. */
const jobsPerLane = 8;
/** Young objects live shortly here, and each thread has its own space for them. */
const resourceLimits = { maxYoungGenerationSizeMb: 8 };

export class ChunkLanes {
  readonly #lanes: readonly Lane[];
  readonly #sized = new Map<number, { readonly lane: Lane; readonly result: ChunkResult }>();
  #take: ResultTaker = () => [];
  #nextNumber = 0;
  #underWay = 0;
  #failure: Error | null = null;
  #wake: () => void = () => {};

  /** So many chunks are run at the same time. The threads start at once and load their code. */
  constructor(lanes: number) {
    this.#lanes = Array.from({ length: lanes }, () => this.#startLane());
  }

  #startLane(): Lane {
    const worker = new Worker(new URL('./chunk-thread.ts', import.meta.url), { resourceLimits });
    const lane: Lane = { worker, jobs: 0 };
    worker.on('message', (answer: ThreadAnswer) => {
      if (answer.kind === 'sized') this.#takeSized(lane, answer.result);
      else if (answer.kind === 'written') this.#takeWritten(lane);
      else this.#fail(answer.code === null ? new Error(answer.message) : new HeadgateError(answer.code, answer.message));
    });
    worker.on('error', (error) => this.#fail(error as Error));
    return lane;
  }

  /** Begins a file; the one before must be drained. */
  begin(setup: LaneSetup, take: ResultTaker): void {
    this.#take = take;
    this.#nextNumber = 0;
    for (const { worker } of this.#lanes) send(worker, { kind: 'setup', setup });
  }

  /** Resolves when the job is handed to the lane that has least to do. */
  async submit(job: ChunkJob): Promise<void> {
    await this.#until(() => this.#idlest().jobs < jobsPerLane);
    const lane = this.#idlest();
    lane.jobs++;
    this.#underWay++;
    send(lane.worker, { kind: 'job', job });
  }

  #idlest(): Lane {
    return this.#lanes.reduce((best, lane) => (lane.jobs < best.jobs ? lane : best));
  }

  /** Resolves when every submitted job is written. */
  async drain(): Promise<void> {
    await this.#until(() => this.#underWay === 0);
  }

  async close(): Promise<void> {
    await Promise.all(this.#lanes.map(({ worker }) => worker.terminate()));
  }

  #takeSized(lane: Lane, result: ChunkResult): void {
    this.#sized.set(result.number, { lane, result });
    try {
      for (let next = this.#sized.get(this.#nextNumber); next !== undefined; next = this.#sized.get(this.#nextNumber)) {
        this.#sized.delete(this.#nextNumber++);
        send(next.lane.worker, { kind: 'place', offsets: this.#take(next.result) });
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

function send(worker: Worker, request: ThreadRequest): void {
  worker.postMessage(request);
}
