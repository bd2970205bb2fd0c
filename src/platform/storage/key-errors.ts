/** What can go wrong with the keys that seal objects. Messages name key versions and ids, never key material. */
import { defineErrors } from '../base/errors.ts';

export const keyErrors = defineErrors({
  E_KEY: {
    meaning: "An object's data key cannot be unwrapped: wrong tenant, wrong object or wrong master key.",
    actor: 'administrator',
    next: 'Check that the master key is the one the object was sealed with (`headgate doctor` shows key ids).',
  },
  E_KEY_ERASED: {
    meaning: "An object's data key was erased; its content cannot be read by anyone any more.",
    actor: 'caller',
    next: 'Nothing: erasure is final.',
  },
  E_KEY_VERSION: {
    meaning: 'An object was sealed under a master key version that is not configured.',
    actor: 'administrator',
    next: 'Add the old master key version back; versions are kept as long as objects sealed under them.',
  },
  E_KEY_FORMAT: {
    meaning: 'A master key is not 32 bytes in base64, or the versions are not distinct positive numbers.',
    actor: 'administrator',
    next: 'Make one with `openssl rand -base64 32`.',
  },
  E_KEY_FILE: {
    meaning: 'The generated master key file is missing although sealed objects exist.',
    actor: 'administrator',
    next: 'Restore the key file from its copy, mode 0600; a new key cannot open what the old one sealed.',
  },
});
