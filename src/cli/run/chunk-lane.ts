/**
 * Runs chunks of one file into buffers that it keeps, says how many bytes came out, and writes them where whoever knows the
 * order tells it to; meanwhile it goes on with the next chunk. So no bytes move between threads, and no thread waits for
 * another's chunk. Memory is bounded by the sets of buffers, whatever the file's size.
 */

import type { ChunkSummary } from '../../pipeline/engine/chunk.ts';
import { type CompiledFlow, compileFlow } from '../../pipeline/engine/compile-flow.ts';
import type { Plan } from '../../pipeline/engine/plan.ts';
import { nextTurn } from '../../platform/base/system-ports.ts';
import { type ChunkJob, runChunkJob } from './chunk-job.ts';
import { ChunkOutput } from './chunk-output.ts';
import { FileSource, type SharedFile } from './plain-files.ts';

/** What a file's run needs in each lane; the output files exist already. */
export interface LaneSetup {
  readonly plan: Plan;
  readonly input: SharedFile;
  /** Of the file as it was given. */
  readonly inputBytes: number;
  /** Target files in order, then outcomes, then rejections. */
  readonly outputPaths: readonly string[];
}

export interface ChunkResult {
  readonly number: number;
  readonly summary: ChunkSummary;
  /** Bytes by output path. */
  readonly sizes: readonly number[];
}

export interface LaneOptions {
  /** No two lanes of a file have the same. */
  readonly name: string;
  /** Chunks that are run and wait for their place, are being written, or are under way. */
  readonly buffered: number;
  sized(result: ChunkResult): void;
  written(): void;
  failed(error: Error): void;
}

export class ChunkLane {
  readonly #flow: CompiledFlow;
  readonly #source: FileSource;
  readonly #options: LaneOptions;
  readonly #jobs: ChunkJob[] = [];
  readonly #free: ChunkOutput[][];
  /** In the order of their chunks. */
  readonly #sized: ChunkOutput[][] = [];
  #isAwake = false;

  constructor({ plan, input, outputPaths }: LaneSetup, options: LaneOptions) {
    this.#flow = compileFlow(plan);
    this.#source = new FileSource(input);
    this.#options = options;
    this.#free = Array.from({ length: options.buffered }, (_, set) =>
      outputPaths.map((path) => new ChunkOutput(path, `${path}.${options.name}-${set}`)),
    );
  }

  /** Jobs come in the order of their chunks. */
  add(job: ChunkJob): void {
    this.#jobs.push(job);
    this.#wake();
  }

  /** Offsets by output path, for the oldest chunk that waits for its place. */
  place(offsets: readonly number[]): void {
    const outputs = this.#sized.shift()!;
    this.#write(outputs, offsets).catch((error: Error) => this.#options.failed(error));
  }

  /** Beside the next chunk. */
  async #write(outputs: ChunkOutput[], offsets: readonly number[]): Promise<void> {
    await Promise.all(outputs.map((output, index) => output.writeAt(offsets[index]!)));
    this.#free.push(outputs);
    this.#options.written();
    this.#wake();
  }

  /** Nothing may be under way. */
  close(): void {
    this.#source.close();
    for (const output of this.#free.flat()) output.close();
  }

  #wake(): void {
    if (this.#isAwake) return;
    this.#isAwake = true;
    void this.#runAll();
  }

  /** One chunk a turn: between two of them places are learned and writes go on. */
  async #runAll(): Promise<void> {
    try {
      for (;;) {
        await nextTurn();
        if (this.#free.length === 0 || this.#jobs.length === 0) return;
        this.#runNext();
      }
    } catch (error) {
      this.#options.failed(error as Error);
    } finally {
      this.#isAwake = false;
    }
  }

  #runNext(): void {
    const job = this.#jobs.shift()!;
    const outputs = this.#free.pop()!;
    const summary = runChunkJob(this.#flow, this.#source, job, {
      targets: outputs.slice(0, -2),
      outcomes: outputs.at(-2)!,
      rejections: (text) => outputs.at(-1)!.write(Buffer.from(text, 'utf8')),
      warnings: null,
    });
    this.#sized.push(outputs);
    this.#options.sized({ number: job.spec.number, summary, sizes: outputs.map((output) => output.length) });
  }
}
