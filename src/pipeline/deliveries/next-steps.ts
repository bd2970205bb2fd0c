/**
 * What a person can do now about a batch, or about a record that was given up. The catalogue says how a cause is mended; what
 * follows from that depends on how the batch stands: it goes on by itself, waits for somebody, or has ended.
 */
import { nextOf } from '../../platform/base/errors.ts';
import type { BatchState } from './batch-state.ts';
import { deliveryErrors } from './delivery-errors.ts';
import type { DeadLetterState } from './endings/dead-letter-state.ts';
import { isConfigurationFault } from './held/configuration-codes.ts';
import { heldCodes } from './held/held-batch-query.ts';

interface StandingBatch {
  readonly batchId: string;
  readonly flow: string;
  readonly targetId: string;
  readonly state: BatchState;
  readonly reasonCode: string | null;
  /** The batch in which its records were sent, where it was not sent itself. */
  readonly lostIn?: string | null;
}

/** Their own text says all: what is given up with them was not sent, or may have arrived. */
const completeCodes: readonly string[] = [deliveryErrors.E_OUTCOME_UNKNOWN, deliveryErrors.E_KEY_BLOCKED];

const sentAgain = (what: string, id = '…') =>
  `once the cause is mended, \`headgate dead-letter redrive ${id} --reason TEXT\` sends ${what} again, and \`dead-letter repair\` mends ${what} first (docs/dead-letters.md).`;

/** Null where nothing is to be done. */
export function nextOfBatch({ batchId, flow, targetId, state, reasonCode, lostIn }: StandingBatch): string | null {
  if (reasonCode === null) return null;
  switch (state) {
    case 'ready':
    case 'sending':
      return sentences(nextOf(reasonCode), 'The batch is tried again by itself.');
    case 'parked':
      return `Nothing, unless it lasts: it goes on by itself. \`headgate target get ${flow} ${targetId}\` says why the target is left alone and when it is tried next, \`headgate health --history --flow ${flow} --target ${targetId}\` what it answered, and \`headgate target probe ${flow} ${targetId} --reason TEXT\` tries it at once.`;
    case 'unknown':
      return sentences('Nothing yet: whether it arrived is found out, or it is sent again, or held, as its target and flow say.');
    case 'held':
      return nextOfHeld(reasonCode, batchId, lostIn ?? batchId);
    case 'refused':
    case 'dead': {
      const ended = `It is not tried again, its records are dead letters: ${sentAgain('them')}`;
      return sentences(nextOf(reasonCode), completeCodes.includes(reasonCode) ? '' : ended);
    }
    case 'acked':
    case 'split':
    case 'cancelled':
      return null;
  }
}

const mended = 'Once that is mended it goes on by itself, within 15 minutes.';

/** Of held batches: `batchId` where it is about one, and the batch in which its records were sent. */
export function nextOfHeld(reasonCode: string, batchId?: string, sentIn = batchId): string | null {
  if (isConfigurationFault(reasonCode)) return sentences(nextOf(reasonCode), mended);
  if (heldCodes.includes(reasonCode)) return sentences(nextOf(reasonCode));
  const resolve = `headgate batch resolve ${batchId ?? 'BATCH'}`;
  return [
    sentIn === batchId
      ? `Ask the target first whether it has the batch: it was sent with the header headgate-batch-id${batchId ? ` ${batchId}` : ''}, and in mode batch with the same Idempotency-Key.`
      : `Ask the target first whether it has these records: they were sent in another batch, with the header headgate-batch-id ${sentIn}, and in mode batch with the same Idempotency-Key.`,
    `If it has: \`${resolve} --as delivered --reason TEXT\`; to give it up: \`--as discard\`.`,
    'Only if it has nothing of it: `--as resend`; a target that has it after all may pay twice.',
  ].join(' ');
}

const decided: Readonly<Record<Exclude<DeadLetterState, 'open'>, string>> = {
  redriving: 'Nothing yet: its record is being sent again.',
  redriven: 'Nothing: its record was sent again, and delivered.',
  replaced: 'Nothing here: its record was sent again and given up again; look at the dead letter of that job.',
  discarded: 'Nothing: it was discarded.',
  expired: 'Nothing: it expired, and its record will not be sent.',
};

/** Of a record that was given up; `code` may be the target's own. */
export function nextOfDeadLetter(letter: { deadLetterId: string; code: string; blocksKey: boolean; state: DeadLetterState }): string {
  const { deadLetterId, code, blocksKey, state } = letter;
  const release = `\`headgate blocked-key release --dead-letter ${deadLetterId} --reason TEXT\``;
  if (blocksKey && (state === 'discarded' || state === 'expired'))
    return `Its key is still blocked, so that later records of it are not sent: ${release} frees it.`;
  if (state !== 'open') return decided[state];
  const cause = nextOf(code) || 'Look up this code in what the target says of it.';
  const blocked = blocksKey ? `Where it is not to be sent, release its key: ${release}.` : '';
  const ended = `The record is not tried again by itself: ${sentAgain('it', deadLetterId)}`;
  return sentences(cause, completeCodes.includes(code) ? '' : ended, blocked)!;
}

function sentences(...texts: readonly string[]): string | null {
  return texts.filter((text) => text !== '').join(' ') || null;
}
