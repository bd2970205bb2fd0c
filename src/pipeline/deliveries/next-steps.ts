/**
 * What a person can do now about a batch, or about a record that was given up. The catalogue says how a cause is mended; what
 * follows from that depends on how the batch stands: it goes on by itself, waits for somebody, or has ended.
 */
import { nextOf } from '../../platform/base/errors.ts';
import type { BatchState } from './batch-state.ts';
import { deliveryErrors } from './delivery-errors.ts';
import { heldCodes } from './held/held-batch-query.ts';

interface StandingBatch {
  readonly batchId: string;
  readonly state: BatchState;
  readonly reasonCode: string | null;
}

/** Their own text says all: what is given up with them was not sent, or may have arrived. */
const completeCodes: readonly string[] = [deliveryErrors.E_OUTCOME_UNKNOWN, deliveryErrors.E_KEY_BLOCKED];

const sentAgain = (what: string) => `once the cause is mended, send ${what} in a new file (docs/deliveries.md).`;

/** Null where nothing is to be done. */
export function nextOfBatch({ batchId, state, reasonCode }: StandingBatch): string | null {
  if (reasonCode === null) return null;
  switch (state) {
    case 'ready':
    case 'sending':
      return sentences(nextOf(reasonCode), 'The batch is tried again by itself.');
    case 'parked':
      return sentences(nextOf(reasonCode));
    case 'unknown':
      return sentences('Nothing yet: whether it arrived is found out, or it is sent again, or held, as its target and flow say.');
    case 'held':
      return nextOfHeld(reasonCode, batchId);
    case 'refused':
    case 'dead': {
      const ended = `It is not tried again, its records are dead letters: ${sentAgain('the records')}`;
      return sentences(nextOf(reasonCode), completeCodes.includes(reasonCode) ? '' : ended);
    }
    case 'acked':
    case 'split':
    case 'cancelled':
      return null;
  }
}

/** Of held batches: `batchId` where it is about one. */
export function nextOfHeld(reasonCode: string, batchId?: string): string | null {
  if (heldCodes.includes(reasonCode)) return sentences(nextOf(reasonCode));
  const resolve = `headgate batch resolve ${batchId ?? 'BATCH'}`;
  return [
    `Ask the target first whether it has the batch: it was sent with the header headgate-batch-id${batchId ? ` ${batchId}` : ''}, and in mode batch with the same Idempotency-Key.`,
    `If it has: \`${resolve} --as delivered --reason TEXT\`; to give it up: \`--as discard\`.`,
    'Only if it has nothing of it: `--as resend`; a target that has it after all may pay twice.',
  ].join(' ');
}

/** Of a record that was given up; `code` may be the target's own. */
export function nextOfDeadLetter({ deadLetterId, code, blocksKey }: { deadLetterId: string; code: string; blocksKey: boolean }): string {
  const cause = nextOf(code) || 'Look up this code in what the target says of it.';
  const blocked = blocksKey ? `Release its key first: \`headgate blocked-key release --dead-letter ${deadLetterId} --reason TEXT\`.` : '';
  const ended = `The record is not tried again: ${sentAgain('it')}`;
  return sentences(cause, completeCodes.includes(code) ? '' : ended, blocked)!;
}

function sentences(...texts: readonly string[]): string | null {
  return texts.filter((text) => text !== '').join(' ') || null;
}
