/** bench/results.json: what was measured last, level by level; what another machine measured says so. */
import type { BenchRun } from './comparison.ts';

export interface BenchDocument {
  readonly machine: Readonly<Record<string, unknown>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly quick: boolean;
  readonly runs: readonly BenchRun[];
}

/** In the order of the levels. Runs with another version of what both name are no part of it. */
export function mergeRuns(
  before: BenchDocument | undefined,
  now: BenchDocument,
  measured: readonly string[],
  levels: readonly string[],
): BenchRun[] {
  const kept = isComparable(before, now)
    ? before.runs.filter(({ level }) => !measured.includes(level)).map((run) => keptRun(run, before, now))
    : [];
  return [...kept, ...now.runs].sort((a, b) => levels.indexOf(a.level) - levels.indexOf(b.level));
}

function keptRun({ machine: known, ...run }: BenchRun, before: BenchDocument, now: BenchDocument): BenchRun {
  const machine = known ?? machineText(before.machine);
  return machine === machineText(now.machine) ? run : { ...run, machine };
}

export function machineText({ cores, model, arch }: BenchDocument['machine']): string {
  return `${cores} processors (${model || 'model unknown'}, ${arch})`;
}

/** Of what is kept and what was measured now: a peer that is not there now is still that of the runs that are kept. */
export function mergeVersions(before: BenchDocument | undefined, now: BenchDocument): BenchDocument['versions'] {
  return isComparable(before, now) ? { ...before.versions, ...now.versions } : now.versions;
}

function isComparable(before: BenchDocument | undefined, now: BenchDocument): before is BenchDocument {
  return before !== undefined && Object.entries(before.versions).every(([name, version]) => (now.versions[name] ?? version) === version);
}
