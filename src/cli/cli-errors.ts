/** Errors of the command line itself. */
import { defineErrors } from '../platform/base/errors.ts';

export const cliErrors = defineErrors({
  E_USAGE: { meaning: 'The command line is not one that the command takes.', actor: 'caller', next: 'Run the command with --help.' },
  E_API_UNREACHABLE: {
    meaning: 'The API did not answer.',
    actor: 'operator',
    next: 'Start `headgate serve`, or point HEADGATE_URL at a running one.',
    retryable: true,
  },
  E_API_KEY_MISSING: {
    meaning: 'No API key was given to the command line.',
    actor: 'caller',
    next: 'Set HEADGATE_API_KEY, or name a file with --key-file.',
  },
  E_CONFIRM: {
    meaning: 'The command changes state and nobody confirmed it.',
    actor: 'caller',
    next: 'Look at the plan it printed; repeat with --yes.',
  },
  E_INTERRUPTED: {
    meaning: 'A signal ended the command before it was done. What it waited for goes on, and a file that it sent may have been taken.',
    actor: 'caller',
    next: 'Watch the job again with `headgate job watch`. Send the file again under the same `--idempotency-key`, which takes it once.',
  },
  E_STDOUT: {
    meaning:
      'What the command prints could not be written: its standard output is on a full or failing disk, or nobody reads a key that is shown once.',
    actor: 'caller',
    next: 'Make room, or send the output elsewhere. What the command was to change may be done: look before it is repeated.',
  },
  E_TIMEOUT: {
    meaning: 'The awaited state was not reached in time.',
    actor: 'operator',
    next: '`headgate job get JOB` and `headgate batch list --job JOB` show what it waits for; `headgate job watch JOB` goes on waiting, longer with --timeout.',
  },
});
