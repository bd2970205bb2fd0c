/** What a poll looks at: all of its place, or only names that it was told of. What lies beside a file belongs to it. */
import { Buffer } from 'node:buffer';
import { forEachAtOnce } from '../../platform/base/at-once.ts';
import type { PolledSourcePlan } from './arrival-plan.ts';
import type { ArrivalRow } from './arrival-store.ts';
import { createNameMatcher } from './file-name.ts';
import type { Look } from './source-observation.ts';
import type { OnTurn, Sight, SourceEntry, SourcePlace } from './source-place.ts';

type Source = Pick<PolledSourcePlan, 'match' | 'ready' | 'mark'>;

export interface KnownArrivals {
  readonly open: readonly ArrivalRow[];
  readonly unreleased: readonly ArrivalRow[];
}

/** Suffixes of what lies beside each file. */
export function companionsOf({ ready: { marker, manifest } }: Pick<Source, 'ready'>): readonly string[] {
  return [marker, manifest].filter((suffix) => suffix !== null);
}

/** The file that a name is about: its own, or that which it lies beside; null for what the source does not take. */
export function wantedNameOf(source: Source): (name: string) => string | null {
  const isWanted = createNameMatcher(source.match);
  const companions = companionsOf(source);
  return (name) => {
    if (source.mark !== null && name.endsWith(source.mark)) return null;
    const suffix = companions.find((each) => name.endsWith(each));
    const own = suffix === undefined ? name : name.slice(0, -suffix.length);
    return own !== '' && isWanted(own) ? own : null;
  };
}

/** Files that a source has seen and not decided about yet: each takes some kilobytes while it is polled. */
const openMax = 100_000;

export function lookAtAll(place: SourcePlace, source: Source, known: KnownArrivals): Promise<Sight> {
  const wanted = wantedNameOf(source);
  const names = new Set([...known.open, ...known.unreleased].map(({ name }) => name));
  const bound = { isKnown: (name: string) => names.has(name), newMax: Math.max(0, openMax - known.open.length) };
  return place.look((name) => wanted(name) === name, bound);
}

/** Arrivals of other names are left out, so that nothing is said of them. */
export async function lookAtSome(
  place: SourcePlace,
  source: Source,
  { names, known, onTurn }: { readonly names: readonly string[]; readonly known: KnownArrivals; readonly onTurn: OnTurn },
): Promise<Look> {
  const files = new Set(names.map(wantedNameOf(source)).filter((name) => name !== null));
  const entries: SourceEntry[] = [];
  const there = new Set<string>();
  await forEachAtOnce([...files], place.readsAtOnce, async (name) => {
    await onTurn();
    const entry = await place.lookAgain(exactly(name));
    if (entry === undefined) return;
    entries.push(entry);
    there.add(name);
    for (const suffix of companionsOf(source)) if (await place.lookAgain(exactly(name + suffix))) there.add(name + suffix);
  });
  const isMeant = ({ name }: ArrivalRow) => files.has(name);
  return { entries, names: there, open: known.open.filter(isMeant), unreleased: known.unreleased.filter(isMeant) };
}

function exactly(name: string) {
  return { bytes: Buffer.from(name), name, hasExactName: true };
}
