/**
 * The thread of `headgate run` that reads files in order: hashes them and cuts them into chunks, ahead of those who run
 * the chunks, but only so far that the file's pages are still in memory when they read them.
 */
import { createHash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import type { ChunkSpec } from '../../pipeline/engine/chunk.ts';
import type { Plan } from '../../pipeline/engine/plan.ts';
import type { Format, SplitResult, SplitterOptions } from '../../pipeline/formats/format.ts';
import { FileSource, type SharedFile } from './plain-files.ts';

export interface SplitThreadData {
  /** A module that exports `formats`. */
  readonly formatsUrl: string;
  /** One counter: the chunks of the file that were taken. */
  readonly taken: Int32Array<SharedArrayBuffer>;
}

export interface SplitRequest {
  readonly input: SharedFile;
  readonly plan: Pick<Plan, 'format' | 'records'>;
  readonly sizes: ChunkSizes;
}

export type ChunkSizes = Required<Pick<SplitterOptions, 'chunkBytes' | 'firstChunkBytes'>>;

export type SplitAnswer =
  | { readonly kind: 'chunks'; readonly specs: readonly ChunkSpec[] }
  | { readonly kind: 'end'; readonly split: SplitResult; readonly sha256: string }
  | { readonly kind: 'failed'; readonly code: string | null; readonly message: string };

/** Chunks that are cut and not taken yet: few, so that the processors stay free for those who compile the flow's code meanwhile. */
const aheadMax = 8;

const { formatsUrl, taken } = workerData as SplitThreadData;
const port = parentPort!;
const { formats } = (await import(formatsUrl)) as { formats: readonly Format[] };

function answer(message: SplitAnswer): void {
  port.postMessage(message);
}

function splitFile({ input, plan, sizes }: SplitRequest): void {
  const source = new FileSource(input);
  try {
    const hash = createHash('sha256');
    const format = formats.find(({ name }) => name === plan.format.type)!;
    let found: ChunkSpec[] = [];
    let cut = 0;
    const splitter = format.createSplitter(plan.format, plan.records, { ...sizes, onChunk: (spec) => void found.push(spec) });
    const sendFound = () => {
      if (found.length === 0) return;
      cut += found.length;
      answer({ kind: 'chunks', specs: found });
      found = [];
      for (let seen = Atomics.load(taken, 0); cut - seen > aheadMax; seen = Atomics.load(taken, 0)) Atomics.wait(taken, 0, seen);
    };
    for (const piece of source.pieces()) {
      hash.update(piece);
      splitter.push(piece);
      sendFound();
    }
    const split = splitter.end();
    sendFound();
    answer({ kind: 'end', split, sha256: hash.digest('hex') });
  } finally {
    source.close();
  }
}

port.on('message', (request: SplitRequest) => {
  try {
    splitFile(request);
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    answer({
      kind: 'failed',
      code: typeof code === 'string' ? code : null,
      message: error instanceof Error ? error.message : String(error),
    });
  }
});
