/** What can be wrong with OpenPGP keys that connections name. Messages hold no part of a key. */
import { defineErrors } from '../base/errors.ts';

export const pgpKeyErrors = defineErrors({
  E_PGP_RECIPIENT: {
    meaning: 'An OpenPGP key that files are to be encrypted to can not be used: it is none, a private one, expired, revoked, or too weak.',
    actor: 'administrator',
    next: "Put the recipient's present public key where the connection points to; it is read again at the next attempt.",
    retryable: true,
  },
  E_PGP_SIGNING_KEY: {
    meaning:
      'The OpenPGP key that files are to be signed with can not be used: it is none, a public one, expired, revoked, too weak, or its passphrase is wrong.',
    actor: 'administrator',
    next: 'Put the private key and its passphrase where the connection points to; both are read again at the next attempt.',
    retryable: true,
  },
});
