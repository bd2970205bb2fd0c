/**
 * Where a batch goes: to its own target, or to that one's backup while its breaker is open. A batch of which an attempt's outcome
 * was ever unknown stays with the target that it went to, so that nobody has to guess which of two has it (decisions 17, 20). Pure.
 */
import type { ClaimedBatch, Destination } from '../claimed-batch.ts';

export function routed(claimed: Pick<ClaimedBatch, 'item' | 'batch' | 'flow' | 'own' | 'backup'>): ClaimedBatch {
  const { batch, own, backup } = claimed;
  const isBound = batch.state === 'sending' || batch.state === 'unknown' || batch.unknownAttempts > 0;
  const to = backup !== null && (isBound ? batch.via !== null : isTakenOver(own, backup)) ? backup : own;
  return { ...claimed, ...to, via: to === own ? null : to.target.id };
}

/** Half-open, the target itself gets as many as it is tried with, and the backup the others. */
function isTakenOver(own: Destination, backup: Destination): boolean {
  if (backup.breaker?.breaker.state === 'open') return false;
  switch (own.breaker?.breaker.state) {
    case 'open':
      return true;
    case 'half_open':
      return own.gate.load >= Math.min(own.target.breaker.probes, own.target.concurrency);
    default:
      return false;
  }
}
