/** How many threads `headgate run` uses. */
import { availableParallelism } from 'node:os';

/** Threads cost CPU for their start and for every chunk; measured, they begin to pay in wall time at some hundred MB. */
const threadedBytesMin = 256 * 1024 * 1024;

/** Null: the main thread alone is best for files of these sizes. `threads` null: by sizes and machine. */
export function threadsFor(threads: number | null, fileBytes: readonly number[]): number | null {
  const wanted = threads ?? (Math.max(...fileBytes) >= threadedBytesMin ? availableParallelism() : 1);
  return wanted > 1 ? wanted : null;
}
