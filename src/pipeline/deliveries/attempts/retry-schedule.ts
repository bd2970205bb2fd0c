/** When a batch is tried again: full jitter below a doubling bound, at this one layer and nowhere else. */
import type { Rng } from '../../../platform/base/ports.ts';
import type { TargetPlan } from '../../engine/plan.ts';

/** Longest wait that a target can ask for. */
const retryAfterMaxMs = 15 * 60_000;

/** Ms to wait after try `tries` (from 1) failed; never less than what the target asked for. */
export function retryDelayMs(retry: TargetPlan['retry'], tries: number, rng: Rng, retryAfterMs = 0): number {
  const bound = Math.min(retry.capMs, retry.initialMs * 2 ** Math.min(tries - 1, 40));
  return Math.ceil(Math.max(rng.fraction() * bound, Math.min(retryAfterMs, retryAfterMaxMs)));
}

/** True when no further try may follow try number `tries`. */
export function isExhausted(retry: TargetPlan['retry'], tries: number): boolean {
  return tries > retry.max;
}
