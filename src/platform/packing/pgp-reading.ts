/**
 * Reads OpenPGP messages that were encrypted to a key of ours and signed by others (RFC 9580, and what GnuPG writes), as a
 * stream. What comes out before the end is not proven yet: whoever gets it must not release it before the step has ended, which
 * it does only after integrity and signature were verified. What proves too little today is refused: messages without integrity
 * protection, ciphers other than AES, signatures over MD5, RIPEMD-160 or SHA-1.
 */
import { createHash } from 'node:crypto';
import type { Key, Message, PrivateKey, SessionKey } from 'openpgp';
import { HeadgateError } from '../base/errors.ts';
import { createStuckWatch, type StuckWatch } from '../base/stuck-watch.ts';
import { systemSleep } from '../base/system-ports.ts';
import { readArmoredKeys, readArmoredPrivateKeys } from '../openpgp/armored-keys.ts';
import { armorText } from './armor-text.ts';
import type { ByteStep } from './byte-step.ts';
import { pgpReadingErrors } from './pgp-reading-errors.ts';
import { checkSignatures } from './pgp-signatures.ts';
import { PieceFeed } from './piece-feed.ts';
import type { UnpackMeter } from './unpack-meter.ts';
import { UnpackError } from './unpack-problem.ts';

/** Plain data, so that it can be given to a thread. */
export interface PgpReadingKeys {
  /** Armored, one or more: while senders change from one to the next, both. */
  readonly privateKey: string;
  readonly passphrase: string | null;
  /** Armored public keys, one or more in each text: whose signatures count. */
  readonly signers: readonly string[];
  /** What nobody of them has signed is refused. */
  readonly isSignatureRequired: boolean;
  /** The time now, by which keys are judged. */
  readonly atMs: number;
}

interface OpenedPgpKeys {
  readonly privateKeys: readonly PrivateKey[];
  readonly signers: readonly Key[];
}

type OpenPgp = typeof import('openpgp');

/** How far the clock of a sender may be ahead. */
const skewMs = 5 * 60_000;
/** Tags of packets (RFC 9580, 5); 20 is how GnuPG writes AEAD. */
const tags = { unprotected: 9, protected: [18, 20] };
const ciphers: readonly (string | null)[] = ['aes128', 'aes192', 'aes256', null];

/** Opening a private key takes a tenth of a second and tens of MB, as its passphrase wants: so those used last stay open. */
const openedMax = 16;
const openedKeys = new Map<string, Promise<OpenedPgpKeys>>();

/** Fails with E_PGP_READING_KEYS. */
function openReadingKeys(keys: PgpReadingKeys): Promise<OpenedPgpKeys> {
  const { privateKey, passphrase, signers } = keys;
  const name = createHash('sha256')
    .update(JSON.stringify([privateKey, passphrase, signers]))
    .digest('hex');
  const opened = openedKeys.get(name) ?? openKeys(keys);
  openedKeys.delete(name);
  openedKeys.set(name, opened);
  opened.catch(() => openedKeys.delete(name));
  const [oldest] = openedKeys.keys();
  if (openedKeys.size > openedMax) openedKeys.delete(oldest!);
  return opened;
}

async function openKeys({ privateKey, passphrase, signers }: PgpReadingKeys): Promise<OpenedPgpKeys> {
  const openpgp = await import('openpgp');
  const refuse = (what: string) => (cause: unknown) => {
    throw new HeadgateError(pgpReadingErrors.E_PGP_READING_KEYS, what, { cause });
  };
  const read = await readArmoredPrivateKeys(privateKey).catch(refuse('the private key can not be read as an armored one'));
  const privateKeys: PrivateKey[] = [];
  for (const key of read)
    privateKeys.push(
      key.isDecrypted()
        ? key
        : await openpgp
            .decryptKey({ privateKey: key, passphrase: passphrase ?? '' })
            .catch(refuse('the private key can not be opened with its passphrase')),
    );
  const pinned = await readArmoredKeys(signers).catch(refuse('the key of a signer can not be read as an armored public key'));
  return { privateKeys, signers: pinned };
}

export interface PgpStepParts {
  readonly keys: PgpReadingKeys;
  readonly meter: UnpackMeter;
  readonly next: ByteStep;
  readonly stuckMs?: number;
}

export class PgpStep implements ByteStep {
  readonly #parts: PgpStepParts;
  readonly #feed = new PieceFeed();
  readonly #reading: Promise<void>;
  readonly #watch: StuckWatch;
  #isRead = false;
  /** Pieces taken in and handed on so far. */
  #moves = 0;
  #isHandingOn = false;

  constructor(parts: PgpStepParts) {
    this.#parts = parts;
    this.#watch = createStuckWatch({
      sleep: systemSleep,
      stuckMs: parts.stuckMs,
      moves: () => this.#moves,
      isElsewhere: () => this.#isHandingOn,
      failure: () => new UnpackError('integrity', unsound),
    });
    this.#reading = this.#read().then(
      () => {
        this.#isRead = true;
      },
      (error: Error) => {
        this.#feed.fail(error);
        throw error;
      },
    );
    // Whoever pushes next, or ends, is told.
    this.#reading.catch(() => undefined);
  }

  async push(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    if (this.#isRead) throw new UnpackError('message', 'there are bytes behind the end of the OpenPGP message');
    await this.#watch.unlessStuck(Promise.race([this.#feed.give(bytes), this.#reading]));
    this.#moves++;
  }

  async end(): Promise<void> {
    this.#feed.end();
    await this.#watch.unlessStuck(this.#reading);
    await this.#parts.next.end();
  }

  abort(): void {
    this.#feed.fail(new Error('aborted'));
    this.#parts.next.abort();
  }

  async #read(): Promise<void> {
    const { keys, meter, next } = this.#parts;
    const openpgp = await import('openpgp');
    const { privateKeys, signers } = await openReadingKeys(keys);
    const date = new Date(keys.atMs + skewMs);
    const message = await readMessage(openpgp, this.#feed.stream);
    const sessionKeys = await sessionKeysOf(openpgp, message, privateKeys, date);
    const decrypting = openpgp.decrypt({
      message,
      sessionKeys: sessionKeys as SessionKey[],
      verificationKeys: [...signers],
      format: 'binary',
      date,
      config: {
        // What comes before the end is kept apart until the end: see above.
        allowUnauthenticatedStream: true,
        // A key that was renewed since it signed says no more what it said then. It has to be good today (checkSignatures).
        allowInsecureVerificationWithReformattedKeys: true,
      },
    });
    const { data, signatures } = await decrypting.catch(asUnsound);
    for (const { verified } of signatures) verified.catch(() => undefined);
    const reader = (data as unknown as ReadableStream<Uint8Array>).getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read().catch(asUnsound);
        if (done) break;
        meter.take(value.length);
        this.#isHandingOn = true;
        await next.push(value);
        this.#isHandingOn = false;
        this.#moves++;
      }
    } catch (error) {
      reader.cancel().catch(() => undefined);
      throw error;
    }
    await checkSignatures(signatures, { signers, isRequired: keys.isSignatureRequired, date: new Date(keys.atMs) });
  }
}

async function readMessage(openpgp: OpenPgp, stream: ReadableStream<Uint8Array>): Promise<Message<never>> {
  const pieces = stream[Symbol.asyncIterator]();
  const first = await pieces.next();
  const head = first.done ? -1 : first.value[0]!;
  const all = first.done ? noPieces() : withFirst(first.value, pieces);
  const isArmored = head === '-'.charCodeAt(0);
  if (!isArmored && head < 0x80) throw new UnpackError('message', 'the file is no OpenPGP message, as its source says that it is');
  const reading = isArmored
    ? openpgp.readMessage({ armoredMessage: ReadableStream.from(armorText(all)) as never })
    : openpgp.readMessage({ binaryMessage: ReadableStream.from(all) as never });
  const message = await reading.catch((cause: unknown) => {
    throw cause instanceof UnpackError
      ? cause
      : new UnpackError('message', 'the file is no OpenPGP message, as its source says that it is');
  });
  assertEncrypted(message as Message<never>);
  return message as Message<never>;
}

async function* noPieces(): AsyncGenerator<Uint8Array> {}

async function* withFirst(first: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

function assertEncrypted({ packets }: Message<never>): void {
  const found = packets.map((packet) => (packet.constructor as unknown as { readonly tag: number }).tag);
  if (found.includes(tags.unprotected)) throw new UnpackError('weak', 'the OpenPGP message has no integrity protection');
  if (!found.some((tag) => tags.protected.includes(tag))) throw new UnpackError('message', 'the OpenPGP message is not encrypted');
}

async function sessionKeysOf(openpgp: OpenPgp, message: Message<never>, privateKeys: readonly PrivateKey[], date: Date) {
  const decrypting = openpgp.decryptSessionKeys({ message, decryptionKeys: [...privateKeys], date });
  const found = await decrypting.catch((cause: unknown) => {
    // A cipher that the library does not know, or that the key does not name among those it takes. It says so in words only.
    if (/non-preferred symmetric algorithm|unsupported cipher|invalid enum value/i.test((cause as Error).message)) throw notAes();
    throw new UnpackError('recipient', 'the OpenPGP message is not encrypted to the key of this source');
  });
  if (found.some(({ algorithm }) => !ciphers.includes(algorithm))) throw notAes();
  return found;
}

function notAes(): UnpackError {
  return new UnpackError('weak', 'the OpenPGP message is encrypted with a cipher that is not AES, or one that the key does not take');
}

const unsound = 'the OpenPGP message is damaged, cut off, changed, or has something behind its end';

/** The library says of what it reads only in words that it is not as it should be. */
function asUnsound(cause: unknown): never {
  if (cause instanceof UnpackError || cause instanceof HeadgateError) throw cause;
  throw new UnpackError('integrity', unsound);
}
