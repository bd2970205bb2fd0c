/**
 * Files that are encrypted, and signed if the target says so, before they leave. OpenPGP never gives the same bytes twice; so a
 * file is known again by its content: its session key comes from a secret of the batch, and with that key whatever lies under
 * the name is read and compared. Keys are read at each attempt.
 */
import { createHash } from 'node:crypto';
import type { Sleep } from '../../../platform/base/ports.ts';
import { createPgpWriter, type PgpWriter, readWithSessionKey } from '../../../platform/openpgp/pgp-writing.ts';
import type { SecretResolver } from '../../../platform/secrets/secret-resolver.ts';
import type { OpenOptions, OutgoingBatch } from '../connector.ts';
import { type FoundFile, type OutputFile, type OutputFileSettings, type PlainFile, plainFileOf } from './output-file.ts';
import { type PgpKeys, readPgpKeys } from './output-file-settings.ts';

/** Files of batches of one target. Fails with E_TARGET where settings contradict each other; what it gives with E_TARGET for a template. */
export function createOutputFiles(
  { target, connection, secrets, ports }: Pick<OpenOptions, 'target' | 'connection' | 'secrets' | 'ports'>,
  settings: OutputFileSettings,
): (batch: OutgoingBatch) => OutputFile {
  const keys = readPgpKeys(settings, connection.settings);
  const writerNow = keys === null ? null : createWriters(keys, secrets);
  return (batch) => {
    const plain = plainFileOf(batch, target, settings);
    return writerNow === null ? plain : encryptedFile(plain, batch, { writerNow, sleep: ports.sleep });
  };
}

type Writers = () => Promise<PgpWriter>;

/** With the keys as they are: one is kept until they change, because opening a private key with its passphrase takes long. */
function createWriters({ recipients, signingKey, passphrase }: PgpKeys, secrets: SecretResolver): Writers {
  const text = (reference: string) => secrets.resolve(reference).reveal();
  let kept: { readonly state: string; readonly writer: Promise<PgpWriter> } | null = null;
  return () => {
    const writing = {
      recipients: recipients.map(text),
      signer: signingKey === null ? null : { privateKey: text(signingKey), passphrase: passphrase === null ? null : text(passphrase) },
    };
    const state = createHash('sha256').update(JSON.stringify(writing)).digest('hex');
    if (kept?.state === state) return kept.writer;
    const made = { state, writer: createPgpWriter(writing) };
    kept = made;
    // Keys that can't be used now may be later, as those of a partner whose clock is ahead.
    made.writer.catch(() => {
      if (kept === made) kept = null;
    });
    return made.writer;
  };
}

function encryptedFile(
  plain: PlainFile,
  batch: OutgoingBatch,
  { writerNow, sleep }: { readonly writerNow: Writers; readonly sleep: Sleep },
): OutputFile {
  const sessionKey = () => batch.secretFor('openpgp session key');
  return {
    name: plain.name,
    isNamedBySender: plain.isNamedBySender,
    sizeBytes: null,
    async *pieces() {
      const writer = await writerNow();
      yield* writer.encrypt(plain.pieces({ isReused: false }), sessionKey());
    },
    isSame: (found) => holds(found, plain, { sessionKey: sessionKey(), sleep }),
  };
}

/** What was encrypted with another key, or with none, is another file. */
async function holds(
  found: FoundFile,
  plain: PlainFile,
  { sessionKey, sleep }: { readonly sessionKey: Uint8Array; readonly sleep: Sleep },
): Promise<boolean> {
  let failure: unknown;
  // What fails while the file is read at the target says nothing about its content.
  async function* stored(): AsyncGenerator<Uint8Array> {
    try {
      yield* found.pieces();
    } catch (error) {
      failure = error;
      throw error;
    }
  }
  const digest = createHash('sha256');
  let bytes = 0;
  try {
    for await (const piece of readWithSessionKey(stored(), sessionKey, { sleep })) {
      digest.update(piece);
      bytes += piece.length;
    }
  } catch {
    if (failure !== undefined) throw failure;
    return false;
  }
  return bytes === plain.sizeBytes && digest.digest('hex') === plain.sha256();
}
