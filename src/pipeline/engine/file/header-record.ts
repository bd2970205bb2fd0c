/** The header record of a file, read by itself: for chunks that do not hold it, and for records that are looked at again. */
import type { ByteSource } from '../../../platform/base/byte-source.ts';
import type { ChunkContext, EnvelopeRecord } from '../chunk.ts';
import type { CompiledFlow } from '../compile-flow.ts';
import { publicHashKey, runOpenRange } from '../run-chunk.ts';

export interface FileStart {
  /** Byte of the first record, or of what stands before it. */
  readonly start: number;
  readonly context: ChunkContext;
}

/** What `knownHeader` says of the whole file: null where the flow has none, or the file begins with something else. */
export function readHeaderRecord(flow: CompiledFlow, { start, context }: FileStart, source: ByteSource): EnvelopeRecord | null {
  const { records, targets } = flow.plan;
  if (!records.some(({ role }) => role === 'header')) return null;
  const spec = { number: 0, start, end: source.size, firstRecord: 1, context };
  const nowhere = { write() {} };
  const sinks = { targets: targets.map(() => nowhere), outcomes: nowhere, rejected() {}, warned() {} };
  const once = { path: 'slow', blockBytes: 4096, stopsAtFirst: true, stopAfterBytes: Number.POSITIVE_INFINITY } as const;
  return runOpenRange(flow, spec, source, sinks, { ...once, hashKey: publicHashKey }).summary.header;
}
