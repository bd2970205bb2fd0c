/** The threads of `headgate run`: the calling one reads and writes the last word, others run chunks. */
import { availableParallelism } from 'node:os';
import { ChunkLanes } from './chunk-lanes.ts';

/** A thread costs its start; measured, one that runs the chunks pays in wall time from some MB on. */
const laneBytesMin = 16 * 1024 * 1024;
/** Another lane compiles the kernel for itself, which costs what some hundred thousand records cost. */
const moreLanesBytesMin = 256 * 1024 * 1024;

/** `threads` null: by sizes and machine. */
export function threadsFor(threads: number | null, fileBytes: readonly number[]): number {
  if (threads !== null) return threads;
  const biggest = Math.max(...fileBytes);
  const useful = biggest < laneBytesMin ? 1 : biggest < moreLanesBytesMin ? 2 : Number.POSITIVE_INFINITY;
  return Math.min(useful, availableParallelism());
}

/** Null: the calling thread does everything. Lanes start at once and load the engine, while this thread reads the flow. */
export function startLanes(threads: number): ChunkLanes | null {
  return threads < 2 ? null : new ChunkLanes(threads - 1);
}
