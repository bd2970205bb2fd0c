/** What can be wrong with the keys that files are decrypted and verified with. Messages hold no part of a key. */
import { defineErrors } from '../base/errors.ts';

export const pgpReadingErrors = defineErrors({
  E_PGP_READING_KEYS: {
    meaning:
      'The OpenPGP keys of a source can not be used: the private key is none or its passphrase is wrong, or the key of a signer can not be read. No file of the source is taken until then.',
    actor: 'administrator',
    next: 'Put the armored private key, its passphrase and the public keys of the signers where the connection points to; they are read again with the next file.',
    retryable: true,
  },
});
