/**
 * Runs a compiled flow over one chunk: bytes in, target segments, outcomes and a summary out. Synchronous, pure, bounded
 * memory. The generated kernel takes the common records; every other one goes to the slow path, with equal results.
 */
import type { ByteSource } from '../../platform/base/byte-source.ts';
import type { ChunkSinks, ChunkSpec, ChunkSummary } from './chunk.ts';
import { ChunkRun } from './chunk-run.ts';
import type { CompiledFlow } from './compile-flow.ts';
import type { OpenRangeResult, RunOptions } from './run-options.ts';

export type { OpenRangeResult, RunOptions } from './run-options.ts';

/** The hash key of `headgate run`, known to all: its segments are as readable as the file they come from. */
export const publicHashKey: Uint8Array = Uint8Array.from([
  0x48, 0x45, 0x41, 0x44, 0x47, 0x41, 0x54, 0x45, 0x2d, 0x70, 0x75, 0x62, 0x6c, 0x69, 0x63, 0x31,
]);

/** The same chunk run again writes the same bytes. Throws only on faults of the source, the sinks or the split. */
export function runChunk(flow: CompiledFlow, spec: ChunkSpec, source: ByteSource, sinks: ChunkSinks, options: RunOptions): ChunkSummary {
  return new ChunkRun(flow, spec, source, sinks, options).run(Number.POSITIVE_INFINITY).summary;
}

/**
 * Like `runChunk`, for a file that was not split before: the range ends with the first record that makes it
 * `stopAfterBytes` long, or at `spec.end`. For sequential use; the next range's `firstRecord` is the result's `nextRecord`.
 */
export function runOpenRange(
  flow: CompiledFlow,
  spec: ChunkSpec,
  source: ByteSource,
  sinks: ChunkSinks,
  options: RunOptions & { readonly stopAfterBytes: number },
): OpenRangeResult {
  return new ChunkRun(flow, spec, source, sinks, options).run(options.stopAfterBytes);
}
