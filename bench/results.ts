/** bench/results.json: what was measured last, level by level, on one machine. */
import { isDeepStrictEqual } from 'node:util';
import type { BenchRun } from './comparison.ts';

export interface BenchDocument {
  readonly machine: Readonly<Record<string, unknown>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly quick: boolean;
  readonly runs: readonly BenchRun[];
}

/** In the order of the levels. Runs of another machine or other versions are no part of it. */
export function mergeRuns(
  before: BenchDocument | undefined,
  now: BenchDocument,
  measured: readonly string[],
  levels: readonly string[],
): BenchRun[] {
  const isSame = before !== undefined && isDeepStrictEqual([before.machine, before.versions], [now.machine, now.versions]);
  const kept = isSame ? before.runs.filter(({ level }) => !measured.includes(level)) : [];
  return [...kept, ...now.runs].sort((a, b) => levels.indexOf(a.level) - levels.indexOf(b.level));
}
