/** The threads of `headgate run`: how many, and what each does. */
import { availableParallelism } from 'node:os';
import type { ThreadPool } from './chunk-lanes.ts';
import { SplitReader } from './split-reader.ts';

export interface RunThreads {
  readonly reader: SplitReader;
  /** The calling thread is one of them. */
  readonly lanes: ThreadPool;
  close(): Promise<void>;
}

/** A thread costs its start; measured, a reader pays in wall time from some MB on. */
const readerBytesMin = 16 * 1024 * 1024;
/** Another lane compiles the kernel for itself, which costs what some hundred thousand records cost. */
const laneBytesMin = 256 * 1024 * 1024;

/** `threads` null: by sizes and machine. */
export function threadsFor(threads: number | null, fileBytes: readonly number[]): number {
  if (threads !== null) return threads;
  const biggest = Math.max(...fileBytes);
  const useful = biggest < readerBytesMin ? 1 : biggest < laneBytesMin ? 2 : Number.POSITIVE_INFINITY;
  return Math.min(useful, availableParallelism());
}

/** Null: the calling thread does everything. Others start at once and load their code, before this thread loads the engine's. */
export async function startThreads(threads: number, formatsUrl: string): Promise<RunThreads | null> {
  if (threads < 2) return null;
  const reader = new SplitReader(formatsUrl);
  const { ThreadPool } = await import('./chunk-lanes.ts');
  const lanes = new ThreadPool(threads - 1);
  return {
    reader,
    lanes,
    close: async () => {
      await Promise.all([reader.close(), lanes.close()]);
    },
  };
}
