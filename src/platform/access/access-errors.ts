/** What can go wrong with tenants, API keys, idempotency keys, and decisions whoever makes them. */
import { defineErrors } from '../base/errors.ts';

export const accessErrors = defineErrors({
  E_TENANT_NAME: {
    meaning: 'The name of a tenant is not of the allowed kind.',
    actor: 'administrator',
    next: 'Use lower case letters, digits and hyphens, beginning with a letter or digit, at most 63.',
  },
  E_KEY_SCOPE: {
    meaning: 'An API key was asked for with a scope that does not exist, or with none.',
    actor: 'administrator',
    next: 'Name scopes from the list in the message.',
  },
  E_KEY_UNKNOWN: {
    meaning: 'The tenant has no API key of this id that is still valid.',
    actor: 'administrator',
    next: 'List the keys with `headgate key list`.',
  },
  E_KEY_MADE: {
    meaning:
      'An API key was made already under this Idempotency-Key. It was shown then, and is kept nowhere, so that it can not be shown again.',
    actor: 'caller',
    next: 'If its answer did not come through, revoke the key that the message names (`headgate key revoke KEYID`), and make another under a new Idempotency-Key.',
  },
  E_REASON_REQUIRED: {
    meaning: 'A decision needs a reason in words.',
    actor: 'caller',
    next: 'Give one with `--reason`, at most 500 characters.',
  },
  E_IDEMPOTENCY_KEY: {
    meaning: 'The Idempotency-Key is longer than 255 characters or has others than visible ASCII.',
    actor: 'caller',
    next: 'Send a UUID or the like.',
  },
  E_KEY_REUSED: {
    meaning: 'This Idempotency-Key came before with another request: another file, name or flow, or another decision.',
    actor: 'caller',
    next: 'Use a new key for each file or decision; repeat a key only with the same request.',
  },
});
