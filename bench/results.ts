/** bench/results.json: what was measured last, level by level, on one machine. */
import { isDeepStrictEqual } from 'node:util';
import type { BenchRun } from './comparison.ts';

export interface BenchDocument {
  readonly machine: Readonly<Record<string, unknown>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly quick: boolean;
  readonly runs: readonly BenchRun[];
}

/** In the order of the levels. Runs of another machine, or of another version of what both name, are no part of it. */
export function mergeRuns(
  before: BenchDocument | undefined,
  now: BenchDocument,
  measured: readonly string[],
  levels: readonly string[],
): BenchRun[] {
  const kept = isComparable(before, now) ? before.runs.filter(({ level }) => !measured.includes(level)) : [];
  return [...kept, ...now.runs].sort((a, b) => levels.indexOf(a.level) - levels.indexOf(b.level));
}

/** Of what is kept and what was measured now: a peer that is not there now is still that of the runs that are kept. */
export function mergeVersions(before: BenchDocument | undefined, now: BenchDocument): BenchDocument['versions'] {
  return isComparable(before, now) ? { ...before.versions, ...now.versions } : now.versions;
}

function isComparable(before: BenchDocument | undefined, now: BenchDocument): before is BenchDocument {
  return (
    before !== undefined &&
    isDeepStrictEqual(before.machine, now.machine) &&
    Object.entries(before.versions).every(([name, version]) => (now.versions[name] ?? version) === version)
  );
}
