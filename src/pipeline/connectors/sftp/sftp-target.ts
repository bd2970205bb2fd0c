/**
 * Writes each batch to a file of its own at an SFTP server: a temporary file beside its place, made durable where the server
 * can, read back, and renamed to its name without ever overwriting. A file of that name with the same bytes is the batch
 * itself where an attempt before may have delivered it; any other is somebody else's and stays. Nothing outside the connection's root is touched.
 */
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { readAhead } from '../../../platform/sftp/read-ahead.ts';
import { pathIn, realFolder } from '../../../platform/sftp/remote-paths.ts';
import { SftpFailure } from '../../../platform/sftp/sftp-failure.ts';
import type { SftpSession } from '../../../platform/sftp/sftp-session.ts';
import { createAddressGuard } from '../address-guard.ts';
import type { DeliveryOutcome, OpenOptions, OutgoingBatch, Resolution, Target } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import { createOutputFiles } from '../output-files/encrypted-file.ts';
import { conflictWith, foundAgain, type OutputFile, sha256Of, temporaryName } from '../output-files/output-file.ts';
import { type NamingStep, sftpFailure } from './sftp-failure.ts';
import { probeFolder } from './sftp-probe.ts';
import { createSftpSessions } from './sftp-sessions.ts';
import { readSftpSettings, type SftpSettings } from './sftp-settings.ts';

/** A line slower than this is out of order; the timeout comes on top. Read back, a file goes over it twice. */
const bytesPerMsMin = 512;
/** What attempts before this one can have left behind is looked for by name: listing a folder of a partner takes long. */
const olderAttemptsMax = 8;

/** Fails with E_TARGET on settings that can't work. */
export function openSftpTarget(options: OpenOptions): Target {
  const { target, egress, secrets, ports } = options;
  const settings = readSftpSettings(options);
  const sessions = createSftpSessions({
    settings,
    guard: createAddressGuard(egress, ports.resolveHost),
    secrets,
    idleMax: target.concurrency,
    timeoutMs: target.timeoutMs,
    ports,
  });
  const fileOf = createOutputFiles(options, settings);

  return {
    unknownResolution: 'query',
    attemptTimeoutMs: ({ bytes }) => target.timeoutMs + Math.ceil((bytes * (settings.readBack === 'hash' ? 2 : 1)) / bytesPerMsMin),
    async deliver(batch, signal) {
      const step: Step = { now: 'before' };
      try {
        const file = fileOf(batch);
        return await sessions.use(signal, async ({ sftp }) => {
          const folder = await folderOf(sftp, settings);
          const sending = { sftp, folder, place: pathIn(folder, Buffer.from(file.name)), file, batch, settings, signal };
          return await write(sending, step);
        });
      } catch (error) {
        return sftpFailure(error, { step: step.now, signal, settings });
      }
    },
    async resolve(batch, signal): Promise<Resolution> {
      try {
        const file = fileOf(batch);
        return await sessions.use(signal, async ({ sftp }) => {
          const folder = await folderOf(sftp, settings);
          const place = pathIn(folder, Buffer.from(file.name));
          switch (await compare(sftp, place, file)) {
            case 'same':
              // A server that links and unlinks may have been cut off in between.
              await removeOlderAttempts({ sftp, folder, batch });
              return { kind: 'acked', evidence: 'the file is there with the same SHA-256' };
            case 'other':
              return { kind: 'resendable', evidence: 'the file of this name holds other bytes' };
            case 'missing':
              return { kind: 'resendable', evidence: 'there is no file of this name' };
          }
        });
      } catch (error) {
        return { kind: 'unresolved', code: sftpFailure(error, { step: 'before', signal, settings }).code, isForNow: true };
      }
    },
    async probe(signal) {
      const startMs = ports.clock.monotonicMs();
      const durationMs = () => ports.clock.monotonicMs() - startMs;
      try {
        const message = await sessions.use(signal, async ({ sftp }) => {
          const folder = await folderOf(sftp, settings);
          const path = pathIn(folder, Buffer.from(`.headgate-probe-${ports.ids.next()}`));
          return await probeFolder(sftp, { folder, path, readBack: settings.readBack });
        });
        return { isReachable: true, code: null, message, durationMs: durationMs() };
      } catch (error) {
        const { code, message } = sftpFailure(error, { step: 'before', signal, settings });
        return { isReachable: false, code, message, durationMs: durationMs() };
      }
    },
    close: () => sessions.close(),
  };
}

const alreadyThere = 'the file was there already with the same SHA-256';

interface Step {
  now: NamingStep;
}

interface Sending {
  readonly sftp: SftpSession;
  readonly folder: Buffer;
  readonly place: Buffer;
  readonly file: OutputFile;
  readonly batch: OutgoingBatch;
  readonly settings: SftpSettings;
  readonly signal: AbortSignal;
}

async function write(sending: Sending, step: Step): Promise<DeliveryOutcome> {
  const { sftp, folder, place, file, batch } = sending;
  await removeOlderAttempts(sending);
  const before = await compare(sftp, place, file);
  if (before === 'same') return foundAgain(file, batch, alreadyThere);
  if (before === 'other') return conflictWith(file);
  const temporary = pathIn(folder, Buffer.from(temporaryName(batch)));
  let isNamed = false;
  try {
    const isDurable = await writeTemporary(sending, temporary);
    batch.assertOurs();
    step.now = 'naming';
    isNamed = await nameFile(sftp, temporary, place);
    if (!isNamed) return await afterRefusal(sending, temporary);
    step.now = 'named';
    if (sending.settings.readBack !== 'none') await assertMoved(sending, temporary);
    const durable = isDurable ? 'made durable, ' : '';
    const compared = { hash: 'read back, ', size: 'measured, ', none: '' }[sending.settings.readBack];
    return { kind: 'acked', evidence: `the file was written, ${durable}${compared}and named` };
  } finally {
    if (!isNamed && !sftp.isBroken) await sftp.remove(temporary).catch(() => {});
  }
}

/** True: its bytes are durable. */
async function writeTemporary({ sftp, file, settings, signal }: Sending, path: Buffer): Promise<boolean> {
  const upload = await sftp.create(path);
  const digest = settings.readBack === 'hash' ? createHash('sha256') : null;
  let isDurable: boolean;
  let sizeBytes = 0;
  try {
    for await (const piece of file.pieces()) {
      signal.throwIfAborted();
      digest?.update(piece);
      sizeBytes += piece.length;
      await upload.append(piece);
    }
    isDurable = await upload.finish();
  } catch (error) {
    if (!sftp.isBroken) await upload.abandon();
    throw error;
  }
  if (settings.readBack === 'none') return isDurable;
  const isWhole =
    digest === null
      ? (await sftp.lookAt(path))?.sizeBytes === sizeBytes
      : (await sha256Of(piecesOf(sftp, path, sizeBytes))) === digest.digest('hex');
  if (!isWhole) throw new HeadgateError(connectorErrors.E_TARGET_READ_BACK, 'what the server holds differs from what was written to it');
  return isDurable;
}

/** False: the server refused, for whatever reason. */
async function nameFile(sftp: SftpSession, temporary: Buffer, place: Buffer): Promise<boolean> {
  try {
    await sftp.rename(temporary, place);
    return true;
  } catch (error) {
    if (error instanceof SftpFailure && error.kind === 'failed') return false;
    throw error;
  }
}

/**
 * A server may say that it renamed a file and leave it where it was. That nothing has the name says nothing: the partner may have
 * taken it already. Nobody knows where both may be answers of another moment.
 */
async function assertMoved({ sftp, place, file }: Sending, temporary: Buffer): Promise<void> {
  if ((await sftp.lookAt(temporary)) === undefined) return;
  const isThere = (await compare(sftp, place, file)) === 'same';
  await sftp.remove(temporary).catch(() => {});
  if (!isThere) throw new HeadgateError(connectorErrors.E_TARGET_READ_BACK, 'the server said that the file has its name, which it has not');
}

/** Version 3 has one status for a name that is taken and for all else. A file that has left its temporary name has got the other one. */
async function afterRefusal({ sftp, place, file, batch }: Sending, temporary: Buffer): Promise<DeliveryOutcome> {
  const now = await compare(sftp, place, file);
  if (now === 'other') return conflictWith(file);
  if (now === 'same') {
    const isMoved = (await sftp.lookAt(temporary)) === undefined;
    return isMoved ? { kind: 'acked', evidence: alreadyThere } : foundAgain(file, batch, alreadyThere);
  }
  const message = 'the server refused to give the file its name';
  return { kind: 'refused', retryable: true, code: connectorErrors.E_TARGET_BUSY, message };
}

/** A link or a folder of that name is nothing that we wrote. */
async function compare(sftp: SftpSession, place: Buffer, file: OutputFile): Promise<'missing' | 'same' | 'other'> {
  const attributes = await sftp.lookAt(place);
  if (attributes === undefined) return 'missing';
  if (attributes.kind !== 'file') return 'other';
  const { sizeBytes } = attributes;
  return (await file.isSame({ sizeBytes, pieces: () => piecesOf(sftp, place, sizeBytes) })) ? 'same' : 'other';
}

/** Ends early where the file is not of that size. */
async function* piecesOf(sftp: SftpSession, path: Buffer, sizeBytes: number): AsyncGenerator<Uint8Array> {
  const file = await sftp.open(path);
  const otherSize = new Error('another size');
  try {
    yield* readAhead(file, { from: 0, sizeBytes, onOtherSize: () => otherSize });
  } catch (error) {
    if (error !== otherSize) throw error;
  } finally {
    await file.close();
  }
}

async function folderOf(sftp: SftpSession, { root, path }: SftpSettings): Promise<Buffer> {
  const folder = await realFolder(sftp, { root, path });
  if (folder === null) throw new HeadgateError(connectorErrors.E_TARGET, "the folder of the target lies outside its connection's root");
  return folder;
}

/** What attempts left behind that ended with their process or connection. */
async function removeOlderAttempts({ sftp, folder, batch }: Pick<Sending, 'sftp' | 'folder' | 'batch'>): Promise<void> {
  const first = Math.max(1, batch.attempt - olderAttemptsMax);
  const attempts = Array.from({ length: batch.attempt - first }, (_, index) => first + index);
  await Promise.all(
    attempts.map(async (attempt) => {
      const path = pathIn(folder, Buffer.from(temporaryName({ batchId: batch.batchId, attempt })));
      await sftp.remove(path).catch((error: unknown) => {
        if (error instanceof SftpFailure && error.isOfConnection) throw error;
      });
    }),
  );
}
