/** The other side of `run-split-thread.ts`: a file's chunks as they are found, then its hash and what the splitter says. */
import { Worker } from 'node:worker_threads';
import type { ChunkSpec } from '../../pipeline/engine/chunk.ts';
import type { SplitResult } from '../../pipeline/formats/format.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import type { SplitAnswer, SplitRequest, SplitThreadData } from './split-thread.ts';

export interface SplitFile {
  readonly split: SplitResult;
  readonly sha256: string;
}

/** Its heap holds little: bytes are outside it. */
const resourceLimits = { maxYoungGenerationSizeMb: 4 };

export class SplitReader {
  readonly #worker: Worker;
  readonly #taken = new Int32Array(new SharedArrayBuffer(4));
  #found: ChunkSpec[] = [];
  #ended: SplitFile | null = null;
  #failure: Error | null = null;
  #wake: () => void = () => {};

  /** The thread starts at once and loads its code. */
  constructor(formatsUrl: string) {
    const workerData: SplitThreadData = { formatsUrl, taken: this.#taken };
    this.#worker = new Worker(new URL('./split-thread.ts', import.meta.url), { resourceLimits, workerData });
    this.#worker.on('message', (answer: SplitAnswer) => this.#receive(answer));
    this.#worker.on('error', (error) => this.#fail(error as Error));
  }

  /** Gives each chunk to `take`, one after the other. One file at a time. */
  async split(request: SplitRequest, take: (spec: ChunkSpec) => Promise<void>): Promise<SplitFile> {
    this.#ended = null;
    this.#found = [];
    Atomics.store(this.#taken, 0, 0);
    this.#worker.postMessage(request);
    for (;;) {
      for (let spec = this.#found.shift(); spec !== undefined; spec = this.#found.shift()) {
        Atomics.add(this.#taken, 0, 1);
        Atomics.notify(this.#taken, 0);
        await take(spec);
      }
      if (this.#failure !== null) throw this.#failure;
      if (this.#ended !== null) return this.#ended;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #receive(answer: SplitAnswer): void {
    if (answer.kind === 'chunks') this.#found.push(...answer.specs);
    else if (answer.kind === 'end') this.#ended = { split: answer.split, sha256: answer.sha256 };
    else this.#failure = answer.code === null ? new Error(answer.message) : new HeadgateError(answer.code, answer.message);
    this.#wake();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }
}
