/**
 * The thread of `headgate run` for big files. It runs a chunk into buffers that it keeps, says how many bytes came out,
 * and writes them where the main thread, which knows the order, tells it to. So no bytes move between threads.
 */
import { parentPort, threadId } from 'node:worker_threads';
import type { ChunkSummary } from '../pipeline/engine/chunk.ts';
import { type CompiledFlow, compileFlow } from '../pipeline/engine/compile-flow.ts';
import type { Plan } from '../pipeline/engine/plan.ts';
import { type ChunkJob, runChunkJob } from './run-chunk-job.ts';
import { ChunkOutput } from './run-chunk-output.ts';
import { FileSource } from './run-files.ts';

/** What a file's run needs in each thread; the output files exist already. */
export interface ThreadSetup {
  readonly plan: Plan;
  readonly inputPath: string;
  /** Target files in order, then outcomes, then rejections. */
  readonly outputPaths: readonly string[];
}

export type ThreadRequest =
  | { readonly kind: 'setup'; readonly setup: ThreadSetup }
  | { readonly kind: 'job'; readonly job: ChunkJob }
  /** Offsets by output path, for the chunk that was sized last. */
  | { readonly kind: 'place'; readonly offsets: readonly number[] };

export type ThreadAnswer =
  | {
      readonly kind: 'sized';
      readonly number: number;
      readonly summary: ChunkSummary;
      /** Bytes by output path. */
      readonly sizes: readonly number[];
    }
  | { readonly kind: 'written' }
  | { readonly kind: 'failed'; readonly code: string | null; readonly message: string };

const port = parentPort!;

class ChunkThread {
  readonly #flow: CompiledFlow;
  readonly #source: FileSource;
  readonly #outputs: readonly ChunkOutput[];
  readonly #jobs: ChunkJob[] = [];
  #isPlacing = false;

  constructor({ plan, inputPath, outputPaths }: ThreadSetup) {
    this.#flow = compileFlow(plan);
    this.#source = new FileSource(inputPath);
    this.#outputs = outputPaths.map((path) => new ChunkOutput(path, `${path}.${threadId}`));
  }

  add(job: ChunkJob): void {
    this.#jobs.push(job);
    this.#runNext();
  }

  place(offsets: readonly number[]): void {
    for (const [index, output] of this.#outputs.entries()) output.writeAt(offsets[index]!);
    this.#isPlacing = false;
    answer({ kind: 'written' });
    this.#runNext();
  }

  #runNext(): void {
    if (this.#isPlacing) return;
    const job = this.#jobs.shift();
    if (job === undefined) return;
    this.#isPlacing = true;
    const outputs = this.#outputs;
    const summary = runChunkJob(this.#flow, this.#source, job, {
      target: (index, bytes) => outputs[index]!.add(bytes),
      outcomes: (bytes) => outputs.at(-2)!.add(bytes),
      rejections: (text) => outputs.at(-1)!.add(Buffer.from(text, 'utf8')),
      warnings: null,
    });
    answer({ kind: 'sized', number: job.spec.number, summary, sizes: outputs.map((output) => output.length) });
  }
}

function answer(message: ThreadAnswer): void {
  port.postMessage(message);
}

let thread: ChunkThread | null = null;

port.on('message', (request: ThreadRequest) => {
  try {
    if (request.kind === 'setup') thread = new ChunkThread(request.setup);
    else if (request.kind === 'job') thread!.add(request.job);
    else thread!.place(request.offsets);
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    answer({
      kind: 'failed',
      code: typeof code === 'string' ? code : null,
      message: error instanceof Error ? error.message : String(error),
    });
  }
});
