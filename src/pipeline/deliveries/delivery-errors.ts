/** What can go wrong with deliveries beyond what targets answer (those codes are the connectors'). */
import { defineErrors } from '../../platform/base/errors.ts';

export const deliveryErrors = defineErrors({
  E_ATTEMPT_ABANDONED: {
    meaning: 'The process that was sending a batch ended, or lost its lease, before it could say what became of it.',
    actor: 'operator',
    next: 'If it was not stopped on purpose, look in the log why it ended; `headgate batch get` says what becomes of the batch.',
    retryable: true,
  },
  E_OUTCOME_UNKNOWN: {
    meaning: 'The last permitted attempt to deliver a batch ended without anybody knowing whether it arrived.',
    actor: 'operator',
    next: 'Ask the target by the batch id or the delivery keys which records it has (`headgate dead-letter export` names them); discard the dead letters of those, and send only the others again (docs/dead-letters.md).',
  },
  E_BATCH_UNKNOWN: {
    meaning: 'There is no delivery batch of this id.',
    actor: 'caller',
    next: 'Check the id with `headgate batch list`.',
  },
  E_BATCH_STATE: {
    meaning: 'The delivery batch is in a state that does not allow this.',
    actor: 'operator',
    next: 'List those that wait with `headgate batch list --state held`; of one that was given up, look at `headgate dead-letter list`.',
  },
  E_DEAD_LETTER_UNKNOWN: {
    meaning: 'There is no dead letter of this id.',
    actor: 'caller',
    next: 'Check the id with `headgate dead-letter list`.',
  },
  E_BREAKER_OPEN: {
    meaning:
      'The target fails, so that nothing is sent to it; the batch is parked and goes on by itself once the target takes batches again.',
    actor: 'downstream',
    next: 'Look at the target: `headgate target get` says why and when it is tried next, `headgate health --history` what it answered, and `headgate target probe` tries it at once.',
    retryable: true,
  },
  E_KEY_BLOCKED: {
    meaning: 'An earlier record of the same business key was given up at a target that keeps the order of keys, so this one was not sent.',
    actor: 'operator',
    next: 'Send the earlier record again, or settle it with the target and release the key with `headgate blocked-key release`; then send this one again with `headgate dead-letter redrive`.',
  },
});
