/**
 * Encrypts to OpenPGP recipients and signs, as a stream of binary packets (RFC 9580; version 1 of encrypted and integrity
 * protected data, which every implementation reads). Who has the session key can read the message again: the writer itself,
 * to know its own file, and no recipient's private key is needed for that.
 */
import type { Key, PrivateKey } from 'openpgp';
import { HeadgateError } from '../base/errors.ts';
import type { Sleep } from '../base/ports.ts';
import { createStuckWatch } from '../base/stuck-watch.ts';
import { readArmoredKeys } from './armored-keys.ts';
import { pgpKeyErrors } from './pgp-key-errors.ts';

export interface PgpWriting {
  /** Armored public keys, one or more in each text. */
  readonly recipients: readonly string[];
  readonly signer: { readonly privateKey: string; readonly passphrase: string | null } | null;
}

export interface PgpWriter {
  /** The pieces must not change after they were given. Fails with what `pieces` fails with. */
  encrypt(pieces: Iterable<Uint8Array>, sessionKey: Uint8Array): AsyncIterable<Uint8Array>;
}

const algorithm = 'aes256';

/** Fails with E_PGP_RECIPIENT and E_PGP_SIGNING_KEY. */
export async function createPgpWriter({ recipients, signer }: PgpWriting): Promise<PgpWriter> {
  const openpgp = await import('openpgp');
  const encryptionKeys = await readRecipients(recipients);
  const signingKey = signer === null ? null : await readSigner(signer);
  return {
    async *encrypt(pieces, sessionKey) {
      const message = await openpgp.createMessage({ binary: streamOf(pieces) as never });
      const encrypting = openpgp.encrypt({
        message,
        encryptionKeys: [...encryptionKeys],
        ...(signingKey === null ? {} : { signingKeys: signingKey }),
        sessionKey: { data: sessionKey, algorithm },
        format: 'binary',
      });
      const encrypted = await encrypting.catch((cause: unknown) => {
        throw new HeadgateError(pgpKeyErrors.E_PGP_RECIPIENT, 'nothing can be encrypted or signed with the keys as they are', { cause });
      });
      yield* encrypted as unknown as AsyncIterable<Uint8Array>;
    },
  };
}

/**
 * What a message holds that was encrypted with the session key. Signatures are not looked at. Fails where it was not, or is
 * damaged, and with what the message fails with, which is let go in any case.
 */
export async function* readWithSessionKey(
  message: AsyncIterable<Uint8Array>,
  sessionKey: Uint8Array,
  { sleep, stuckMs }: { readonly sleep: Sleep; readonly stuckMs?: number },
): AsyncGenerator<Uint8Array> {
  const openpgp = await import('openpgp');
  const pieces = message[Symbol.asyncIterator]();
  let moves = 0;
  let isReading = false;
  async function* taken(): AsyncGenerator<Uint8Array> {
    for (;;) {
      isReading = true;
      const next = await pieces.next();
      isReading = false;
      moves++;
      if (next.done) return;
      yield next.value;
    }
  }
  const failure = () => new Error('the message is damaged: it can not be read to its end');
  const watch = createStuckWatch({ sleep, stuckMs, moves: () => moves, isElsewhere: () => isReading, failure });
  try {
    const read = await watch.unlessStuck(openpgp.readMessage({ binaryMessage: ReadableStream.from(taken()) as never }));
    // What is read is compared as a whole with what was written, so that nothing rests on an unfinished stream.
    const config = { allowUnauthenticatedStream: true };
    const decrypting = openpgp.decrypt({ message: read, sessionKeys: [{ data: sessionKey, algorithm }], format: 'binary', config });
    const { data } = await watch.unlessStuck(decrypting);
    const reader = (data as unknown as ReadableStream<Uint8Array>).getReader();
    for (;;) {
      const { done, value } = await watch.unlessStuck(reader.read());
      if (done) return;
      moves++;
      yield value;
    }
  } finally {
    // The library leaves open what it has not read to the end.
    await pieces.return?.();
  }
}

async function readRecipients(texts: readonly string[]): Promise<readonly Key[]> {
  const refuse = (reason: string, cause?: unknown): HeadgateError =>
    new HeadgateError(pgpKeyErrors.E_PGP_RECIPIENT, `a key of a recipient ${reason}`, cause === undefined ? {} : { cause });
  const keys = await readArmoredKeys(texts).catch((cause: unknown) => {
    throw refuse('can not be read as an armored public key', cause);
  });
  if (keys.length === 0) throw refuse('is missing');
  for (const key of keys) {
    if (key.isPrivate()) throw refuse('is a private one');
    await key.getEncryptionKey().catch((cause: unknown) => {
      throw refuse('is expired, revoked, too weak or not for encryption', cause);
    });
  }
  return keys;
}

async function readSigner({ privateKey, passphrase }: NonNullable<PgpWriting['signer']>): Promise<PrivateKey> {
  const openpgp = await import('openpgp');
  const refuse = (reason: string) => (cause: unknown) => {
    throw new HeadgateError(pgpKeyErrors.E_PGP_SIGNING_KEY, `the key to sign with ${reason}`, { cause });
  };
  const read = await openpgp.readPrivateKey({ armoredKey: privateKey }).catch(refuse('can not be read as an armored private key'));
  const key = read.isDecrypted()
    ? read
    : await openpgp.decryptKey({ privateKey: read, passphrase: passphrase ?? '' }).catch(refuse('can not be opened with its passphrase'));
  await key.getSigningKey().catch(refuse('is expired, revoked, too weak or not for signing'));
  return key;
}

/** A piece is asked for when one is wanted. */
function streamOf(pieces: Iterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = pieces[Symbol.iterator]();
  return new ReadableStream(
    {
      pull(controller) {
        const next = iterator.next();
        if (next.done) controller.close();
        else controller.enqueue(next.value);
      },
      cancel() {
        iterator.return?.();
      },
    },
    { highWaterMark: 1 },
  );
}
