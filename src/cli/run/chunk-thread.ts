/** A thread of `headgate run` for big files: a lane of chunks behind messages. */
import { parentPort, threadId } from 'node:worker_threads';
import { type MadeModule, prepareKernels, takeModules } from '../../pipeline/engine/kernel/kernel-module.ts';
import { codeKeeper, hasKeptKernels } from '../../platform/base/kept-code.ts';
import type { ChunkJob } from './chunk-job.ts';
import { ChunkLane, type ChunkResult, type LaneSetup } from './chunk-lane.ts';

export type ThreadRequest =
  | { readonly kind: 'setup'; readonly setup: LaneSetup }
  | { readonly kind: 'job'; readonly job: ChunkJob }
  /** Offsets by output path, for the oldest chunk that was sized. */
  | { readonly kind: 'place'; readonly offsets: readonly number[] };

export type ThreadAnswer =
  /** Kernels that were compiled for the next chunk to be sized. */
  | { readonly kind: 'compiled'; readonly modules: readonly MadeModule[] }
  | { readonly kind: 'sized'; readonly result: ChunkResult }
  | { readonly kind: 'written' }
  | { readonly kind: 'failed'; readonly code: string | null; readonly message: string };

/** Chunks that the thread holds: it runs one while others wait for their place or are written. */
const buffered = 4;

const port = parentPort!;
/** Chunks until most of its code has run. */
const keepCode = codeKeeper(8);

function answer(message: ThreadAnswer): void {
  port.postMessage(message);
}

let lane: ChunkLane | null = null;

function begin(setup: LaneSetup): ChunkLane {
  lane?.close();
  return new ChunkLane(setup, {
    name: String(threadId),
    buffered,
    sized: (result) => {
      const modules = takeModules();
      if (modules.length > 0) answer({ kind: 'compiled', modules });
      answer({ kind: 'sized', result });
      keepCode();
    },
    written: () => answer({ kind: 'written' }),
    failed: answerFailure,
  });
}

function answerFailure(error: unknown): void {
  const code = (error as { code?: unknown }).code;
  answer({
    kind: 'failed',
    code: typeof code === 'string' ? code : null,
    message: error instanceof Error ? error.message : String(error),
  });
}

port.on('message', (request: ThreadRequest) => {
  try {
    if (request.kind === 'setup') lane = begin(request.setup);
    else if (request.kind === 'job') lane!.add(request.job);
    else lane!.place(request.offsets);
  } catch (error) {
    answerFailure(error);
  }
});

// While the flow is read.
if (!hasKeptKernels()) prepareKernels();
