/**
 * One chunk of a file in `headgate run`: runs it and gives its bytes to a receiver. The same for the main thread, which
 * writes them at once, and for a worker thread, which sends them back.
 */

import type { ChunkSinks, ChunkSpec, ChunkSummary, EnvelopeRecord, Finding } from '../../pipeline/engine/chunk.ts';
import type { CompiledFlow } from '../../pipeline/engine/compile-flow.ts';
import { publicHashKey, runChunk } from '../../pipeline/engine/run-chunk.ts';
import { encodeRejection } from '../../pipeline/ledger/rejection-lines.ts';
import type { ByteSource } from '../../platform/base/byte-source.ts';

export interface ChunkJob {
  readonly spec: ChunkSpec;
  /** Of `RunOptions`. */
  readonly header: EnvelopeRecord | null | undefined;
}

/** Receives a chunk's bytes in order; they are only valid during the call. */
export interface ChunkReceiver extends Pick<ChunkSinks, 'targets' | 'outcomes'> {
  /** Whole lines of rejections.ndjson. */
  rejections(text: string): void;
  /** Null where nobody asks for them: they are in the summary, grouped. */
  readonly warnings: ((text: string) => void) | null;
}

/** Short: a long text of many pieces costs more to put together than it saves. */
const linesTogether = 2 * 1024;
/** Small, because every chunk has a block for the input and one for each target. */
const blockBytes = 256 * 1024;

export function runChunkJob(flow: CompiledFlow, source: ByteSource, job: ChunkJob, receiver: ChunkReceiver): ChunkSummary {
  const rejections = new LineBuffer((text) => receiver.rejections(text));
  const warnings = receiver.warnings === null ? null : new LineBuffer(receiver.warnings);
  const sinks = {
    targets: receiver.targets,
    outcomes: receiver.outcomes,
    rejected: (finding: Finding) => rejections.add(encodeRejection(finding)),
    warned: (finding: Finding) => warnings?.add(encodeRejection(finding)),
  };
  const summary = runChunk(flow, job.spec, source, sinks, { hashKey: publicHashKey, header: job.header, blockBytes });
  rejections.flush();
  warnings?.flush();
  return summary;
}

class LineBuffer {
  readonly #flush: (text: string) => void;
  #text = '';

  constructor(flush: (text: string) => void) {
    this.#flush = flush;
  }

  add(line: string): void {
    this.#text += line;
    if (this.#text.length >= linesTogether) this.flush();
  }

  flush(): void {
    if (this.#text === '') return;
    this.#flush(this.#text);
    this.#text = '';
  }
}
