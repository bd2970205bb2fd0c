/**
 * The thread of `headgate run` for big files: takes chunk jobs of one file and sends back what they made. Bytes are moved,
 * not copied, between threads.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { ChunkSummary } from '../pipeline/engine/chunk.ts';
import { compileFlow } from '../pipeline/engine/compile-flow.ts';
import type { Plan } from '../pipeline/engine/plan.ts';
import { type ChunkJob, runChunkJob } from './run-chunk-job.ts';
import { FileSource } from './run-files.ts';

export interface WorkerStart {
  readonly plan: Plan;
  readonly path: string;
}

export type ChunkAnswer =
  | {
      readonly number: number;
      readonly summary: ChunkSummary;
      readonly targets: readonly (readonly Uint8Array<ArrayBuffer>[])[];
      readonly outcomes: readonly Uint8Array<ArrayBuffer>[];
      readonly rejections: readonly string[];
      readonly warnings: readonly string[];
    }
  | { readonly number: number; readonly failure: { readonly code: string | null; readonly message: string } };

const { plan, path } = workerData as WorkerStart;
const flow = compileFlow(plan);
const source = new FileSource(path);

parentPort!.on('message', (job: ChunkJob) => {
  const answer = run(job);
  const moved = 'failure' in answer ? [] : [...answer.targets.flat(), ...answer.outcomes].map((bytes) => bytes.buffer);
  parentPort!.postMessage(answer, moved);
});

function run(job: ChunkJob): ChunkAnswer {
  const { number } = job.spec;
  const targets: Uint8Array<ArrayBuffer>[][] = plan.targets.map(() => []);
  const outcomes: Uint8Array<ArrayBuffer>[] = [];
  const rejections: string[] = [];
  const warnings: string[] = [];
  try {
    const summary = runChunkJob(flow, source, job, {
      target: (index, bytes) => void targets[index]!.push(new Uint8Array(bytes)),
      outcomes: (bytes) => void outcomes.push(new Uint8Array(bytes)),
      rejections: (text) => void rejections.push(text),
      warnings: (text) => void warnings.push(text),
    });
    return { number, summary, targets, outcomes, rejections, warnings };
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    return {
      number,
      failure: { code: typeof code === 'string' ? code : null, message: error instanceof Error ? error.message : String(error) },
    };
  }
}
