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
  E_BLOCKED_KEY_STALE: {
    meaning: 'The chosen blocked keys are not those that were shown when their release was previewed.',
    actor: 'operator',
    next: 'Look at the preview again and decide anew.',
  },
  E_ANSWER_UNMATCHED: {
    meaning: 'An answer names a file, a group or a record that was not delivered, or not where the target says that its answers are about.',
    actor: 'operator',
    next: 'Compare what the answer names (`headgate record get`) with `headgate batch list --answer awaited`. One that came too early can be sent again: `headgate dead-letter redrive`.',
  },
  E_ANSWER_CONTRADICTS: {
    meaning: 'An answer accepts what an earlier one refused, or the other way round. What was said first stands.',
    actor: 'operator',
    next: 'Ask the downstream which holds. `headgate batch get` shows the answer that stands, `headgate record get` the one that contradicts it.',
  },
  E_ANSWER_AMBIGUOUS: {
    meaning: 'An answer is about one record, and several records of the file have the key that it names.',
    actor: 'author',
    next: 'Let `answers.key` of the target name an output field that no two records of a file share, or `answers.group` this one, where answers are about all records that have it. What they say: `headgate record get`.',
  },
  E_ANSWER_STATUS: {
    meaning: 'The status of an answer is none of those that its target knows as accepted, refused, pending or partial.',
    actor: 'author',
    next: 'Add the status to the target (docs/answers.md), and send the answers again: `headgate dead-letter redrive --current-version`.',
  },
  E_ANSWER_UNNAMED: {
    meaning:
      'An answer names neither a file nor a group nor a record, or it is about one record, such as a transaction of a status report, and does not name it.',
    actor: 'author',
    next: 'Correct the output fields that `file`, `group` and `key` of the target name, such as `key: out.originalInstructionId` where the bank names transactions so, or have the sender correct the file.',
  },
});
