/** How long a batch that is not sent now waits until it is looked at again. In ms. */
import type { Rng } from '../../platform/base/ports.ts';

/**
 * For files accepted before its own, for a place at a crowded target, while a login is refused, and at least and at most for a breaker
 * that is open: nothing but its own look lets a batch go on that is not parked, and its lane waits.
 */
export const waitMs = { earlierFile: 500, crowded: 250, login: 1_000, openMin: 1_000, openMax: 10_000 };

/** Up to here nobody knows how long it will be. */
const guessedMaxMs = 1_000;

/** Between half and all of it. */
export function jittered(rng: Rng, ms: number): number {
  return Math.ceil(ms * (0.5 + rng.fraction() / 2));
}

/** For a place at the target, or until the time that it asked for: not much is added to a long one, so that it is not left alone for as long again. */
export function waitForTarget(rng: Rng, ms: number): number {
  const guessed = jittered(rng, Math.max(waitMs.crowded, 2 * Math.min(ms, guessedMaxMs)));
  return Math.max(guessed, Math.ceil(ms * (1 + rng.fraction() / 8)));
}
