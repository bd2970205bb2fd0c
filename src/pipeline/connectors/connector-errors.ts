/** What connectors say about targets. They appear as reasons of attempts, batches and dead letters; never with content. */
import { defineErrors } from '../../platform/base/errors.ts';

export const connectorErrors = defineErrors({
  E_TARGET: {
    meaning: 'The settings of a target or its connection contradict each other, the policy, or what the connector allows.',
    actor: 'author',
    next: 'Correct the setting that the message names and apply the definition again. What was cut under an earlier version of the flow keeps that version: discard its batch, and send its records with `headgate dead-letter redrive --current-version`.',
  },
  E_SSRF: {
    meaning: 'The address behind a target is not one that targets may connect to: private, loopback, link-local or reserved.',
    actor: 'author',
    next: "Use the service's public address, or have the administrator add its range to the tenant's policy (`egress.allowPrivate`); link-local and metadata addresses stay closed.",
  },
  E_TARGET_UNREACHABLE: {
    meaning: 'No connection to the target could be made; nothing was sent.',
    actor: 'downstream',
    next: 'Check that the target runs and that the network lets it be reached.',
    retryable: true,
  },
  E_TARGET_TIMEOUT: {
    meaning: 'The target did not answer within the timeout of the attempt.',
    actor: 'downstream',
    next: "Look for load or locks at the target, or raise the target's timeout.",
    retryable: true,
  },
  E_TARGET_REPLY_LOST: {
    meaning: 'The connection to the target ended after the batch was sent and before its answer came.',
    actor: 'downstream',
    next: 'Look at the proxies between them and at the log of the target; `headgate batch get` says what becomes of the batch.',
    retryable: true,
  },
  E_TARGET_BUSY: {
    meaning: 'The target asks to be left alone for a while, or failed on its own side.',
    actor: 'downstream',
    next: "Look at the target; where it failed (status 500 and the like), its own log says why; if it is only busy, lower the target's `rate` or `concurrency`.",
    retryable: true,
  },
  E_TARGET_REFUSED: {
    meaning: 'The target refused the batch or record and would refuse it again.',
    actor: 'downstream',
    next: "Find the reason in the target's own log by the batch id, and correct the flow or the data; `headgate dead-letter redrive --current-version` sends them by the corrected flow.",
  },
  E_TARGET_FORBIDDEN: {
    meaning: 'The target refused the credentials of its connection.',
    actor: 'administrator',
    next: 'Put a valid secret where the connection points to: a file is read again at the next attempt, a variable by a server that starts after it was set.',
    retryable: true,
  },
  E_TARGET_HOST_KEY: {
    meaning: 'The target showed a host key to which its connection is not pinned; nothing was sent, not even the name of the user.',
    actor: 'administrator',
    next: 'Ask the owner of the server, by another way, whether the key was changed; then put its fingerprint into `hostKeys` of the connection.',
    retryable: true,
  },
  E_TARGET_REDIRECT: {
    meaning: 'The target answered with a redirection; they are never followed.',
    actor: 'author',
    next: 'Put the final address into the connection.',
    retryable: true,
  },
  E_TARGET_ANSWER: {
    meaning: 'The answer of the target could not be understood, so nobody knows what it did.',
    actor: 'downstream',
    next: 'Compare the answer with the documentation of the connector.',
  },
  E_TARGET_TOKEN: {
    meaning: 'The token endpoint of a connection gave no access token that can be used; nothing was sent to the target.',
    actor: 'administrator',
    next: "Look at the token endpoint's log, and compare its answer with the documentation of the connector.",
    retryable: true,
  },
  E_TARGET_UNDECIDED: {
    meaning: 'Asked what became of a batch, or sent it again, the target does not say yet that it has it, or that it has nothing of it.',
    actor: 'downstream',
    next: 'Nothing at first: it is asked, or sent, again. If it goes on, look up the batch id at the target, and its values against `status` in the flow.',
    retryable: true,
  },
  E_TARGET_RECORD: {
    meaning: 'The target refused this record and took others of the same batch.',
    actor: 'downstream',
    next: "Look at the record and the target's rules, and correct it.",
  },
  E_TARGET_SETUP: {
    meaning: 'The target lacks what the flow expects there: a table, a column, a queue, a topic, a folder, a right.',
    actor: 'administrator',
    next: 'Create what the message names at the target or grant the right to it, or correct the setting that names it; where a root is missing, bring back its mount first, as a folder made in its place is on another disk. `headgate target ddl` prints the tables of a database.',
    retryable: true,
  },
  E_TARGET_FULL: {
    meaning: 'The target has no space left.',
    actor: 'operator',
    next: 'Free space at the target.',
    retryable: true,
  },
  E_TARGET_READ_BACK: {
    meaning:
      'A file that was written to the target and read back before it got its name holds other bytes, or has not the name that the target said it has; it was removed.',
    actor: 'downstream',
    next: 'Look at the disk and memory of the target, and at what changes files there; the batch is written again.',
    retryable: true,
  },
  E_TARGET_CONFLICT: {
    meaning:
      'The name of an output file is taken by other bytes, which are never overwritten, or by the same bytes of another batch, which are not taken for its own.',
    actor: 'author',
    next: 'Move the file that is in the way, or use {number} in the name of the target, with {flow} and {target} where others write to its folder; then send again what was given up: records with `headgate dead-letter redrive`, an acknowledgement with `headgate file acknowledge`.',
  },
  E_TARGET_ORDER: {
    meaning: 'An earlier record of the same business key in the same batch was refused, so this one was not sent.',
    actor: 'operator',
    next: 'Nothing: it is held back as E_KEY_BLOCKED until the key is released.',
    retryable: true,
  },
});
