/** The chunks of a file that are done, whose records can be read again where the check of the file needs them. */
import type { ByteSource } from '../../../platform/base/byte-source.ts';
import type { ChunkSpec, EnvelopeRecord } from '../chunk.ts';
import type { CompiledFlow } from '../compile-flow.ts';
import type { OutcomeSegment } from '../outcomes/outcome-segment.ts';
import type { RecordJudge } from '../records/record-judge.ts';
import { RecordFetcher } from './record-fetcher.ts';

export interface FinishedChunk {
  readonly spec: ChunkSpec;
  readonly outcomes: OutcomeSegment;
}

export class FinishedChunks {
  readonly all: readonly FinishedChunk[];
  readonly #flow: CompiledFlow;
  readonly #source: ByteSource;
  readonly #header: EnvelopeRecord | null;
  /** One for all chunks of the same columns. */
  readonly #fetchers = new Map<string, RecordFetcher>();

  /** `header`: that records were judged by, null without one. */
  constructor(flow: CompiledFlow, all: readonly FinishedChunk[], source: ByteSource, header: EnvelopeRecord | null) {
    this.all = all;
    this.#flow = flow;
    this.#source = source;
    this.#header = header;
  }

  /** The record of the chunk at this offset, judged as it was; the result is reused by the next call. */
  fetch(chunk: FinishedChunk, offset: number): RecordJudge {
    const { columns } = chunk.spec.context;
    const name = JSON.stringify(columns);
    const fetcher = this.#fetchers.get(name) ?? new RecordFetcher(this.#flow, columns, this.#source, this.#header);
    this.#fetchers.set(name, fetcher);
    return fetcher.fetch(offset);
  }
}
