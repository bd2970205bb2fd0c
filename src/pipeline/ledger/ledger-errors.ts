/** What can go wrong with receipts, their keys and their verification. Findings of the verifier have codes of their own (`verification/`). */
import { defineErrors } from '../../platform/base/errors.ts';

export const ledgerErrors = defineErrors({
  E_UNBALANCED: {
    meaning: 'The counts or amounts of a job do not add up; it is not closed.',
    actor: 'operator',
    next: 'Report it with the job id; its event and log line name the stage, the target and the currency. Once the cause is mended, `headgate job retry-close` closes it.',
  },
  E_CANONICAL_JSON: {
    meaning: 'A value has no canonical JSON form (RFC 8785): a number that is not finite, a broken surrogate pair, or no JSON value.',
    actor: 'administrator',
    next: 'Report it with the trace id.',
  },
  E_RECEIPT_FORMAT: {
    meaning: 'A receipt is not a receipt of a version that this program knows, or not in canonical form.',
    actor: 'caller',
    next: 'Get the receipt again; verify with a program of at least the version that made it.',
  },
  E_RECEIPT_SIGNATURE: {
    meaning: 'The signature of a receipt is missing, malformed or wrong.',
    actor: 'caller',
    next: 'Do not rely on this receipt; get it again from where it was issued.',
  },
  E_RECEIPT_KEY: {
    meaning: 'A receipt is signed with a key that the trust file does not list, or not for the time of the receipt.',
    actor: 'caller',
    next: 'Ask the issuer for the key over another channel and add it to the trust file, or refuse the receipt.',
  },
  E_TRUST_FILE: {
    meaning: 'A trust file is not `{"keys": [{"kid", "publicKey", "notBefore"?, "notAfter"?}]}` with Ed25519 public keys.',
    actor: 'caller',
    next: 'Get the trust file from the issuer again, who prints it with `headgate trust`; docs/verify.md shows its form.',
  },
  E_SIGNING_KEY: {
    meaning: 'The key that signs receipts is not an Ed25519 private key (PKCS#8 PEM).',
    actor: 'administrator',
    next: 'Make one with `openssl genpkey -algorithm ed25519`.',
  },
  E_AUDITOR_KEY: {
    meaning: 'The key that an export is to be sealed for, or opened with, is not an X25519 key in PEM of the right half.',
    actor: 'caller',
    next: 'Make one with `openssl genpkey -algorithm x25519`; its public half with `openssl pkey -pubout`.',
  },
  E_EXPORT_SEALED: {
    meaning: 'A sealed export does not open: it is for another key, cut, or was changed.',
    actor: 'caller',
    next: 'Use the private key that it was sealed for, or get the export again.',
  },
  E_EXPORT_ARCHIVE: {
    meaning: 'The archive of an export is cut, holds something else, was packed again, or could not be written as announced.',
    actor: 'caller',
    next: 'Get the export again; of one that was packed again, give the folder that it unpacks to.',
    retryable: true,
  },
});
