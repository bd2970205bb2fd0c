/**
 * What one look at a source means for its arrivals: a pure comparison of what lies there with what is known. Nothing here
 * reads a file or a clock; times of rest come from the database with the rows.
 */
import type { PolledSourcePlan } from './arrival-plan.ts';
import type { ArrivalRow } from './arrival-store.ts';
import type { SourceEntry } from './source-place.ts';

export interface Look {
  readonly entries: readonly SourceEntry[];
  /** Names of everything in the folder, markers and manifests too. */
  readonly names: ReadonlySet<string>;
  readonly open: readonly ArrivalRow[];
  readonly unreleased: readonly ArrivalRow[];
}

export interface KnownFile {
  readonly row: ArrivalRow;
  readonly entry: SourceEntry;
}

export interface Observation {
  /** Never seen before, oldest first; `isComplete` at first sight. */
  readonly seen: readonly { readonly entry: SourceEntry; readonly isComplete: boolean }[];
  /** Changed since the last look. */
  readonly grown: readonly KnownFile[];
  /** Rested long enough. */
  readonly settled: readonly KnownFile[];
  /** Rested long enough, and all that must lie beside is there. In the order in which they were first seen. */
  readonly complete: readonly KnownFile[];
  readonly vanished: readonly ArrivalRow[];
  /** Known longer than the source allows, reported once. */
  readonly overdue: readonly ArrivalRow[];
  /** Decided before, and still there: to be taken away. */
  readonly leftBehind: readonly KnownFile[];
  /** Decided before, and gone or replaced by another file. */
  readonly released: readonly ArrivalRow[];
  /** When the first of those at rest will have rested long enough; null when none waits for that. */
  readonly restLeftMs: number | null;
}

export function observe(plan: Pick<PolledSourcePlan, 'ready'>, look: Look): Observation {
  const entries = new Map(look.entries.map((entry) => [entry.name, entry]));
  const { leftBehind, released, decided } = decidedFiles(entries, look.unreleased);
  const open = new Map(look.open.map((row) => [row.name, row]));
  const { stableForMs, marker, manifest, timeoutMs } = plan.ready;
  const isAccompanied = (name: string) => [marker, manifest].every((suffix) => suffix === null || look.names.has(name + suffix));

  const observation = {
    seen: [] as Observation['seen'][number][],
    grown: [] as KnownFile[],
    settled: [] as KnownFile[],
    complete: [] as KnownFile[],
  };
  const overdue: ArrivalRow[] = [];
  let restLeftMs: number | null = null;
  const rest = (leftMs: number) => {
    restLeftMs = Math.min(restLeftMs ?? leftMs, leftMs);
  };
  for (const entry of entries.values()) {
    if (decided.has(entry.name)) continue;
    const row = open.get(entry.name);
    if (!row) {
      observation.seen.push({ entry, isComplete: stableForMs === 0 && isAccompanied(entry.name) });
      if (stableForMs > 0) rest(stableForMs);
      continue;
    }
    if (row.seenMs > timeoutMs && row.reasonCode === null) overdue.push(row);
    const hasRested = row.stableMs >= stableForMs;
    if (row.fingerprint !== entry.fingerprint) {
      observation.grown.push({ row, entry });
      if (stableForMs > 0) rest(stableForMs);
    } else if (row.state === 'complete' || (hasRested && isAccompanied(entry.name))) observation.complete.push({ row, entry });
    else if (hasRested) observation.settled.push({ row, entry });
    else rest(stableForMs - row.stableMs);
  }
  observation.seen.sort((a, b) => a.entry.modifiedMs - b.entry.modifiedMs || (a.entry.name < b.entry.name ? -1 : 1));
  observation.complete.sort((a, b) => (a.row.arrivalId < b.row.arrivalId ? -1 : 1));
  const vanished = look.open.filter((row) => !entries.has(row.name) || decided.has(row.name));
  return { ...observation, vanished, overdue, leftBehind, released, restLeftMs };
}

function decidedFiles(entries: ReadonlyMap<string, SourceEntry>, unreleased: readonly ArrivalRow[]) {
  const leftBehind: KnownFile[] = [];
  const released: ArrivalRow[] = [];
  const decided = new Set<string>();
  for (const row of unreleased) {
    const entry = entries.get(row.name);
    if (entry?.fingerprint === row.fingerprint && !decided.has(row.name)) {
      leftBehind.push({ row, entry });
      decided.add(row.name);
    } else released.push(row);
  }
  return { leftBehind, released, decided };
}
