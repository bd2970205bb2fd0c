/**
 * How long a held batch stays out of sight of the workers. It stays in the queue: its lane waits, its settings may be mended, or its job
 * was cancelled while an attempt was under way. A decision makes it due at once.
 */
import { isConfigurationFault } from './configuration-codes.ts';

/** Longest time until somebody looks at it. */
export const heldLookMs = 15 * 60_000;
const recheckFirstMs = 60_000;
/** Attempts until the wait begins to double. */
const attemptsBefore = 5;

/** Of a batch that was just held with this code after so many attempts: where settings are at fault, first soon, then rarely. */
export function delayAfterHeldMs(code: string, attempts: number): number {
  if (!isConfigurationFault(code)) return heldLookMs;
  return Math.min(heldLookMs, recheckFirstMs * 2 ** Math.min(20, Math.max(0, attempts - attemptsBefore)));
}
