/**
 * The lanes that run a file's chunks: threads of their own, and the calling thread as well where those have enough to do and the
 * file is big. Results are taken in chunk order, which fixes where each chunk's bytes go.
 */
import type { MadeModule } from '../../pipeline/engine/kernel/kernel-module.ts';
import type { ChunkJob } from './chunk-job.ts';
import type { ChunkResult, LaneSetup } from './chunk-lane.ts';
import { type LaneEvents, type RunningLane, startLaneThread } from './running-lane.ts';

/** Takes the next chunk's result and says at which offset each output file goes on. */
export type ResultTaker = (result: ChunkResult) => readonly number[];

interface Lane {
  readonly running: RunningLane;
  /** Chunks given to it and not run yet … */
  waiting: number;
  /** … and not written yet. */
  unwritten: number;
}

/** One is run, and so many more wait that no lane waits for the reader. */
const waitingPerThread = 3;
/** Chunks that are read and given to nobody yet. */
const queuedMax = 8;
/** As many as the threads take while this one runs a chunk, and some. */
const queuedEnough = 3;
/** In this thread: each waits for its place until those before it have theirs. */
const unwrittenHere = 3;
/** Kernels of other lanes that are kept for this thread: a file of JSON lines may have many shapes. */
const modulesKept = 16;
/** This thread loads the engine and compiles the kernel for itself, which costs what a hundred thousand records cost. */
const bytesForHereMin = 128 * 1024 * 1024;

export class ChunkLanes {
  readonly #threads: readonly Lane[];
  readonly #queue: ChunkJob[] = [];
  readonly #sized = new Map<number, { readonly lane: Lane; readonly result: ChunkResult }>();
  /** Null until it is first needed. */
  #here: Lane | null = null;
  #opening: Promise<void> | null = null;
  #setup: LaneSetup | null = null;
  /** Until this thread needs them. */
  readonly #modules: MadeModule[] = [];
  #take: ResultTaker = () => [];
  #nextNumber = 0;
  /** No more chunks come, so this thread has nothing else to do. */
  #isEnding = false;
  #unwritten = 0;
  #failure: Error | null = null;
  #wake: () => void = () => {};

  /** So many threads, which start at once and load their code. */
  constructor(threads: number) {
    this.#threads = Array.from({ length: threads }, () => this.#open(startLaneThread));
  }

  #open(start: (events: LaneEvents) => RunningLane): Lane {
    const events: LaneEvents = {
      compiled: (modules) => {
        if (this.#here === null && this.#modules.length < modulesKept) this.#modules.push(...modules);
      },
      sized: (result) => this.#takeSized(lane, result),
      written: () => this.#takeWritten(lane),
      failed: (error) => this.#fail(error),
    };
    const lane: Lane = { running: start(events), waiting: 0, unwritten: 0 };
    return lane;
  }

  async #openHere(): Promise<void> {
    const { openLaneHere } = await import('./lane-here.ts');
    const here = this.#open((events) => openLaneHere(events, unwrittenHere, this.#modules));
    here.running.begin(this.#setup!);
    this.#here = here;
  }

  /** Begins a file; the one before must be drained. */
  begin(setup: LaneSetup, take: ResultTaker): void {
    this.#take = take;
    this.#nextNumber = 0;
    this.#setup = setup;
    for (const { running } of this.#threads) running.begin(setup);
    this.#here?.running.begin(setup);
  }

  /** Resolves when there is room for another one. */
  async submit(job: ChunkJob): Promise<void> {
    this.#isEnding = false;
    this.#unwritten++;
    this.#queue.push(job);
    this.#handOut();
    const isBusy = this.#queue.length > queuedEnough && this.#setup!.inputBytes >= bytesForHereMin;
    if (isBusy && this.#here === null) await (this.#opening ??= this.#openHere());
    await this.#until(() => this.#queue.length < queuedMax);
  }

  #handOut(): void {
    for (;;) {
      const thread = this.#threads.reduce((best, lane) => (lane.waiting < best.waiting ? lane : best));
      const lane = thread.waiting < waitingPerThread ? thread : this.#isHereFree() ? this.#here : null;
      const job = lane === null ? undefined : this.#queue.shift();
      if (lane === null || job === undefined) return;
      lane.waiting++;
      lane.unwritten++;
      lane.running.run(job);
    }
  }

  #isHereFree(): boolean {
    const isFree = this.#here !== null && this.#here.waiting === 0 && this.#here.unwritten < unwrittenHere;
    return isFree && (this.#isEnding || this.#queue.length > queuedEnough);
  }

  /** Resolves when every submitted job is written. */
  async drain(): Promise<void> {
    this.#isEnding = true;
    this.#handOut();
    await this.#until(() => this.#unwritten === 0);
  }

  async close(): Promise<void> {
    await this.#opening?.catch(() => {});
    const lanes = this.#here === null ? this.#threads : [...this.#threads, this.#here];
    await Promise.all(lanes.map(({ running }) => running.close()));
  }

  #takeSized(lane: Lane, result: ChunkResult): void {
    lane.waiting--;
    this.#sized.set(result.number, { lane, result });
    try {
      for (let next = this.#sized.get(this.#nextNumber); next !== undefined; next = this.#sized.get(this.#nextNumber)) {
        this.#sized.delete(this.#nextNumber++);
        next.lane.running.place(this.#take(next.result));
      }
      this.#handOut();
    } catch (error) {
      this.#fail(error as Error);
    }
    this.#wake();
  }

  #takeWritten(lane: Lane): void {
    lane.unwritten--;
    this.#unwritten--;
    this.#handOut();
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
