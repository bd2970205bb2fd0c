/**
 * Places whose settings are at fault, as this process found out: a wrong password would else be tried by every acknowledgement, and lock
 * the account. One at a time tries such a place, ever more rarely; the others wait without a try.
 */
import type { Clock } from '../../../platform/base/ports.ts';

const waitMs = { min: 1_000, max: 5 * 60_000 };
/** Beyond, the oldest are forgotten. */
const placesMax = 1_000;

interface Fault {
  waitMs: number;
  nextMs: number;
  /** Somebody was told to try it, and has not said how it went. */
  isTried: boolean;
}

export interface PlaceFaults {
  /** Until it may be tried again. Whoever is told 0 tries it, and the others wait meanwhile. */
  untilTryMs(place: string): number;
  /** True where nothing was known of it. */
  failed(place: string): boolean;
  mended(place: string): void;
}

/** A place is what a version of a flow says of it, with its connection as it is now: others are another place. */
export function createPlaceFaults(clock: Pick<Clock, 'monotonicMs'>): PlaceFaults {
  const faults = new Map<string, Fault>();
  return {
    untilTryMs(place) {
      const known = faults.get(place);
      const nowMs = clock.monotonicMs();
      if (known === undefined) return 0;
      if (nowMs < known.nextMs) return Math.ceil(known.nextMs - nowMs);
      known.nextMs = nowMs + known.waitMs;
      known.isTried = true;
      return 0;
    },
    failed(place) {
      const known = faults.get(place);
      // Of several that were under way when the first of them failed.
      if (known !== undefined && !known.isTried) return false;
      const wait = Math.min(waitMs.max, known === undefined ? waitMs.min : 2 * known.waitMs);
      faults.delete(place);
      faults.set(place, { waitMs: wait, nextMs: clock.monotonicMs() + wait, isTried: false });
      if (faults.size > placesMax) faults.delete(faults.keys().next().value!);
      return known === undefined;
    },
    mended: (place) => void faults.delete(place),
  };
}
