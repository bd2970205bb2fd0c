/** What signatures of a message are worth: only those of pinned keys count, and those keys must be good today. */
import type { DecryptMessageResult, Key } from 'openpgp';
import { UnpackError } from './unpack-problem.ts';

export interface SignaturePolicy {
  readonly signers: readonly Key[];
  readonly isRequired: boolean;
  readonly date: Date;
}

/** After the message was read to its end. One good signature is enough; a bad one of a pinned key is too much. */
export async function checkSignatures(
  signatures: DecryptMessageResult['signatures'],
  { signers, isRequired, date }: SignaturePolicy,
): Promise<void> {
  let good = 0;
  for (const { keyID, verified } of signatures) {
    const signer = signers.find((key) => key.getKeys(keyID).length > 0);
    if (signer === undefined) continue;
    await verified.catch((cause: unknown) => {
      throw unsound((cause as Error).message);
    });
    await signer.getSigningKey(keyID, date).catch(() => {
      throw new UnpackError('signer', 'the key that signed the OpenPGP message is expired, revoked or not for signing');
    });
    good += 1;
  }
  if (good > 0 || !isRequired) return;
  throw signatures.length === 0
    ? new UnpackError('unsigned', 'the OpenPGP message is not signed')
    : new UnpackError('signer', 'the OpenPGP message is signed by nobody whose key is pinned');
}

/** The library tells kinds apart in words only. */
function unsound(words: string): UnpackError {
  if (/insecure|too weak/i.test(words))
    return new UnpackError('weak', 'the OpenPGP message is signed in a way that proves nothing any more');
  if (/expired|revoked|not yet valid|primary key|signing key/i.test(words))
    return new UnpackError('signer', 'the key that signed the OpenPGP message was expired, revoked or not for signing');
  return new UnpackError('signature', 'the signature of the OpenPGP message is not that of its content');
}
