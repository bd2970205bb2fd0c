/**
 * Removes stored objects that no row names: what a crash left between an object's fsync and its row's commit, and the
 * losers of a fence. An object is removed only when two passes at least a grace apart, on the rising clock of this
 * process, both found it unnamed: a wall clock that jumps removes nothing, and a restart only starts the grace anew.
 * The grace must exceed the longest time between an object's commit and its row's commit (the longest lease); what may come later
 * than that is for `mayWait` and `removeUnnamed` to keep.
 */
import type { Clock } from '../base/ports.ts';
import type { RawStore, StoredName } from './object-store.ts';

const batchNames = 1000;
/** Bounds the memory of names under suspicion; the rest waits for a later pass. */
const suspectsMax = 200_000;

export interface OrphanSweepSettings {
  readonly raw: RawStore;
  readonly clock: Clock;
  readonly graceMs: number;
  /** Which of these object names some row of any tenant still names. At most 1,000 at a time. */
  readonly isReferenced: (names: readonly string[]) => Promise<ReadonlySet<string>>;
  /** Its row may come long after it: it is not under suspicion yet. */
  readonly mayWait: (object: StoredName) => boolean;
  /** Gives `remove` those of these names that still no row names, one by one, while none is given a row. It may leave some for later. */
  readonly removeUnnamed: (names: readonly string[], remove: (name: string) => void) => Promise<void>;
}

export interface SweepResult {
  readonly seen: number;
  readonly suspected: number;
  readonly removedObjects: number;
  readonly removedUnfinished: number;
  readonly removedBytes: number;
}

export interface OrphanSweep {
  /** One pass over the store. Not to be run twice at once. Stops between batches when the signal aborts. */
  sweep(signal?: AbortSignal): Promise<SweepResult>;
}

export function createOrphanSweep(settings: OrphanSweepSettings): OrphanSweep {
  const { raw, clock, graceMs, isReferenced, mayWait, removeUnnamed } = settings;
  let suspects = new Map<string, number>();

  /** True when this name was under suspicion for a grace already; otherwise it is from now on. */
  function isDue(key: string, next: Map<string, number>, nowMs: number): boolean {
    const sinceMs = suspects.get(key) ?? nowMs;
    if (suspects.has(key) && nowMs - sinceMs >= graceMs) return true;
    if (next.size < suspectsMax) next.set(key, sinceMs);
    return false;
  }
  return {
    async sweep(signal) {
      const next = new Map<string, number>();
      const count = { seen: 0, removedObjects: 0, removedUnfinished: 0, removedBytes: 0 };
      for (const batch of batchesOf(raw.list(''))) {
        if (signal?.aborted) break;
        const named = await isReferenced(batch.map((object) => object.name));
        const nowMs = clock.monotonicMs();
        count.seen += batch.length;
        const due = batch.filter((object) => !named.has(object.name) && !mayWait(object) && isDue(object.name, next, nowMs));
        if (due.length === 0) continue;
        const bytesOf = new Map(due.map((object) => [object.name, object.bytes]));
        await removeUnnamed([...bytesOf.keys()], (name) => {
          raw.remove(name);
          count.removedObjects += 1;
          count.removedBytes += bytesOf.get(name)!;
        });
      }
      for (const unfinished of raw.listUnfinished()) {
        if (signal?.aborted) break;
        const key = `${unfinished.name} ${unfinished.bytes} ${unfinished.modifiedMs}`;
        if (!isDue(key, next, clock.monotonicMs())) continue;
        raw.removeUnfinished(unfinished.name);
        count.removedUnfinished += 1;
        count.removedBytes += unfinished.bytes;
      }
      if (!signal?.aborted) suspects = next;
      return { ...count, suspected: next.size };
    },
  };
}

function* batchesOf(names: Iterable<StoredName>): Generator<StoredName[]> {
  let batch: StoredName[] = [];
  for (const name of names) {
    batch.push(name);
    if (batch.length < batchNames) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
