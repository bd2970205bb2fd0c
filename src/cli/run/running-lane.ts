/** A lane as whoever fills it sees it, wherever it runs, and the one that is a thread of its own. */
import { Worker } from 'node:worker_threads';
import type { MadeModule } from '../../pipeline/engine/kernel/kernel-module.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import type { ChunkJob } from './chunk-job.ts';
import type { ChunkResult, LaneSetup } from './chunk-lane.ts';
import type { ThreadAnswer, ThreadRequest } from './chunk-thread.ts';

export interface LaneEvents {
  compiled(modules: readonly MadeModule[]): void;
  sized(result: ChunkResult): void;
  written(): void;
  failed(error: Error): void;
}

export interface RunningLane {
  /** A file; nothing of the one before is under way. */
  begin(setup: LaneSetup): void;
  run(job: ChunkJob): void;
  /** Offsets by output path, for the oldest chunk that was sized. */
  place(offsets: readonly number[]): void;
  close(): Promise<void>;
}

/** Young objects live shortly here, and each thread has its own space for them. */
const resourceLimits = { maxYoungGenerationSizeMb: 8 };

/** It starts at once and loads its code. */
export function startLaneThread(events: LaneEvents): RunningLane {
  const worker = new Worker(new URL('./chunk-thread.ts', import.meta.url), { resourceLimits });
  const send = (request: ThreadRequest) => worker.postMessage(request);
  worker.on('message', (answer: ThreadAnswer) => {
    if (answer.kind === 'sized') events.sized(answer.result);
    else if (answer.kind === 'compiled') events.compiled(answer.modules);
    else if (answer.kind === 'written') events.written();
    else events.failed(answer.code === null ? new Error(answer.message) : new HeadgateError(answer.code, answer.message));
  });
  worker.on('error', (error) => events.failed(error as Error));
  return {
    begin: (setup) => send({ kind: 'setup', setup }),
    run: (job) => send({ kind: 'job', job }),
    place: (offsets) => send({ kind: 'place', offsets }),
    async close() {
      await worker.terminate();
    },
  };
}
