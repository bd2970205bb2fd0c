/** How long a held batch stays out of sight of the workers. */
import { noLane } from '../batch.ts';
import { isConfigurationFault } from './configuration-codes.ts';

/** A held batch of an ordered target stays in the queue, so that its lane waits; a decision makes it ready at once. */
const heldAgainMs = 3_600_000;

/** Longest time until somebody looks whether settings were mended. */
const recheckMaxMs = 15 * 60_000;
const recheckFirstMs = 60_000;
/** Attempts until the wait begins to double. */
const attemptsBefore = 5;

/** Null: it leaves the queue until a person decides. */
export function heldDelayMs({ lane }: { readonly lane: number }, code: string | null): number | null {
  if (isConfigurationFault(code)) return recheckMaxMs;
  return lane === noLane ? null : heldAgainMs;
}

/** Of a batch that was just held with this code after so many attempts: where settings are at fault, first soon, then rarely. */
export function delayAfterHeldMs(batch: { readonly lane: number }, code: string, attempts: number): number | null {
  if (!isConfigurationFault(code)) return heldDelayMs(batch, code);
  return Math.min(recheckMaxMs, recheckFirstMs * 2 ** Math.min(20, Math.max(0, attempts - attemptsBefore)));
}
