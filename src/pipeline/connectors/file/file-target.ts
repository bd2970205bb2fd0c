/**
 * Writes each batch to a file of its own: a temporary file beside its place, fsynced, linked under its name without ever
 * overwriting, and the folder fsynced. A file of that name with the same bytes is the batch itself where an attempt before may
 * have delivered it; any other is somebody else's and stays. Nothing outside the connection's root is touched: all of it is done in the folder
 * that was looked at and is held open, whatever becomes of its path.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { link, lstat, open, readdir, unlink } from 'node:fs/promises';
import { isAbsolute, join, normalize } from 'node:path';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { isBelowOrEqual } from '../../../platform/base/folder-fence.ts';
import type { OpenOptions, OutgoingBatch, Resolution, Target } from '../connector.ts';
import { connectorErrors } from '../connector-errors.ts';
import { readSettings } from '../connector-settings.ts';
import { createOutputFiles } from '../output-files/encrypted-file.ts';
import {
  conflictWith,
  type FoundFile,
  foundAgain,
  type OutputFile,
  type OutputFileSettings,
  sha256Of,
  temporaryName,
  temporaryPrefix,
} from '../output-files/output-file.ts';
import { writeBigFile } from './big-file.ts';
import { writeSmallFile } from './durable-writes.ts';
import { fileFailure, isLinkRefused, isNotThere, missingPart } from './file-failure.ts';
import { fileConnectionSettings, fileTargetSettings } from './file-settings.ts';
import { createTargetFolder, type UsedFolder } from './target-folder.ts';
import { createTurns, type Turns } from './turns.ts';

const readBytes = 1024 * 1024;
/** Files up to here are written from memory at once. */
const smallBytesMax = 256 * 1024;
/** Of others, as many as this are written to a target at once: each takes a few MiB of memory. */
const bigFilesMax = 4;
const fileMode = 0o640;
const probeBytes = Buffer.from('headgate probe\n');
/** A disk slower than this is out of order; the timeout comes on top. */
const bytesPerMsMin = 4 * 1024;

/** Fails with E_TARGET when the path leads out of the root, with E_FOLDER_NOT_ALLOWED when the root is not the tenant's to use. */
export function openFileTarget({ plan, target, connection, folders, secrets, ports }: OpenOptions): Target {
  const settings = readSettings(fileTargetSettings, target.settings);
  const { root } = readSettings(fileConnectionSettings, connection.settings) as { root: string };
  const path = settings['path'] as string;
  const folder = join(root, path);
  if (!isAbsolute(root) || normalize(root) !== root || isAbsolute(path) || !isBelowOrEqual(root, folder)) {
    throw new HeadgateError(connectorErrors.E_TARGET, "the path of the target leads out of its connection's root");
  }
  const assertAllowed = (path: string): void => folders.assertAllowed({ tenant: plan.flow.tenant, path });
  for (const path of new Set([root, folder])) assertAllowed(path);
  const place = createTargetFolder({ root, folder, assertAllowed });
  const bigFiles = createTurns(bigFilesMax);
  const readBack = settings['readBack'] as ReadBack;
  const fileOf = createOutputFiles({ target, connection, secrets, ports }, settings as unknown as OutputFileSettings);

  return {
    unknownResolution: 'query',
    attemptTimeoutMs: ({ bytes }) => target.timeoutMs + Math.ceil(bytes / bytesPerMsMin),
    async deliver(batch, signal) {
      let step = 'before' as 'before' | 'named';
      try {
        const file = fileOf(batch);
        await place.make();
        return await place.use(async (used) => {
          const path = used.pathOf(file.name);
          const temporary = used.pathOf(temporaryName(batch));
          let removed: Promise<void> | null = null;
          const removeTemporary = () => (removed ??= unlinkIfThere(temporary));
          await removeOlderAttempts(used, batch);
          try {
            const observed = readBack === 'none' ? null : observe(file);
            await writeTemporary(temporary, observed?.file ?? file, { signal, bigFiles });
            if (observed !== null) await assertWritten(temporary, observed.written(), readBack);
            batch.assertOurs();
            step = 'named';
            const isNew = await nameFile(temporary, path, () => void (step = 'before'));
            // What has the name is then of another batch, whatever fails from here on: asked later, it would be taken for its own.
            if (!isNew && !batch.possibleDuplicate) step = 'before';
            if (!isNew && (await compare(path, file)) !== 'same') return conflictWith(file);
            const again = isNew ? null : foundAgain(file, batch, 'the file was there already with the same SHA-256');
            if (again !== null && again.kind !== 'acked') return again;
            await Promise.all([used.sync(), removeTemporary()]);
            if (again !== null) return again;
            const compared = { hash: 'read back, ', size: 'measured, ', none: '' }[readBack];
            return { kind: 'acked', evidence: `the file was written, ${compared}named and fsynced` };
          } finally {
            await removeTemporary();
          }
        });
      } catch (error) {
        return fileFailure(error, { isNamed: step === 'named', folder, missing: await missingPart(error, root), signal });
      }
    },
    async resolve(batch): Promise<Resolution> {
      try {
        const file = fileOf(batch);
        const resolution = await place.useIfThere(async (used): Promise<Resolution> => {
          const found = await compare(used.pathOf(file.name), file);
          if (found === 'missing') return nothingThere;
          if (found === 'other') return { kind: 'resendable', evidence: 'the file of this name holds other bytes' };
          await removeOlderAttempts(used, batch);
          await used.sync();
          return { kind: 'acked', evidence: 'the file is there with the same SHA-256' };
        });
        return resolution ?? nothingThere;
      } catch (error) {
        return { kind: 'unresolved', code: fileFailure(error, { isNamed: true, folder }).code, isForNow: true };
      }
    },
    async probe() {
      const startMs = ports.clock.monotonicMs();
      const probed = (code: string | null, message: string) => ({
        isReachable: code === null,
        code,
        message,
        durationMs: ports.clock.monotonicMs() - startMs,
      });
      try {
        await place.make();
        await place.use(async (used) => {
          const temporary = used.pathOf(`.headgate-probe-${ports.ids.next()}`);
          const named = `${temporary}-named`;
          try {
            await writeProbe(temporary);
            await nameFile(temporary, named);
          } finally {
            const removed = [temporary, named].map(unlinkIfThere);
            await Promise.allSettled(removed);
            await Promise.all(removed);
          }
        });
        return probed(null, 'the folder takes a file, keeps it and gives it back');
      } catch (error) {
        const { code, message } = fileFailure(error, { isNamed: false, folder, missing: await missingPart(error, root) });
        return probed(code, message);
      }
    },
    async close() {},
  };
}

/** A byte that is not written back to the disk says nothing of a full one. */
async function writeProbe(path: string): Promise<void> {
  const file = await open(path, 'wx+', 0o600);
  try {
    await file.write(probeBytes);
    await file.sync();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(probeBytes.length), 0, probeBytes.length, 0);
    if (bytesRead !== probeBytes.length || !buffer.equals(probeBytes)) {
      throw new HeadgateError(connectorErrors.E_TARGET_ANSWER, 'the folder gives back other bytes than it took');
    }
  } finally {
    await file.close();
  }
}

const nothingThere: Resolution = { kind: 'resendable', evidence: 'there is no file of this name' };

type ReadBack = 'hash' | 'size' | 'none';

interface Written {
  readonly bytes: number;
  readonly sha256: string;
}

/** The same file, and afterwards what was taken of it. */
function observe(file: OutputFile): { readonly file: OutputFile; written(): Written } {
  let digest = createHash('sha256');
  let bytes = 0;
  async function* pieces(): AsyncGenerator<Uint8Array> {
    digest = createHash('sha256');
    bytes = 0;
    for await (const piece of file.pieces()) {
      digest.update(piece);
      bytes += piece.length;
      yield piece;
    }
  }
  return { file: { ...file, pieces }, written: () => ({ bytes, sha256: digest.digest('hex') }) };
}

/** Fails with E_TARGET_READ_BACK. */
async function assertWritten(path: string, written: Written, readBack: ReadBack): Promise<void> {
  const { size } = await lstat(path);
  if (size === written.bytes && (readBack === 'size' || (await sha256Of(piecesOf(path))) === written.sha256)) return;
  throw new HeadgateError(connectorErrors.E_TARGET_READ_BACK, 'what the file system holds differs from what was written to it');
}

/** What an attempt left behind that ended with its process. */
async function removeOlderAttempts(folder: UsedFolder, batch: OutgoingBatch): Promise<void> {
  if (batch.attempt === 1) return;
  const prefix = temporaryPrefix(batch.batchId);
  for (const name of await readdir(folder.path)) if (name.startsWith(prefix)) await unlinkIfThere(folder.pathOf(name));
}

/** Every piece was authenticated when its segment was read: there is nothing to hash. */
async function writeTemporary(
  path: string,
  output: OutputFile,
  how: { readonly signal: AbortSignal; readonly bigFiles: Turns },
): Promise<void> {
  const { signal, bigFiles } = how;
  if (output.sizeBytes !== null && output.sizeBytes <= smallBytesMax) await writeSmallFile(path, await wholeFile(output), fileMode);
  else await bigFiles.take(() => writeBigFile(path, output.pieces(), { mode: fileMode, signal }));
  signal.throwIfAborted();
}

/** A piece that is all of it is not copied. */
async function wholeFile({ sizeBytes, pieces }: OutputFile): Promise<Uint8Array> {
  let bytes: Buffer | null = null;
  let filled = 0;
  for await (const piece of pieces()) {
    if (piece.length === sizeBytes) return piece;
    bytes ??= Buffer.allocUnsafe(sizeBytes!);
    bytes.set(piece, filled);
    filled += piece.length;
  }
  return bytes?.subarray(0, filled) ?? Buffer.alloc(0);
}

/**
 * False when the name is taken. A network's file system that has lost its answer asks again, and is told that the name is taken: by
 * this very file. Durable once the folder was fsynced.
 */
async function nameFile(temporary: string, place: string, onRefused = () => {}): Promise<boolean> {
  try {
    await link(temporary, place);
    return true;
  } catch (error) {
    if (isLinkRefused(error)) onRefused();
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const [own, found] = await Promise.all([temporary, place].map((path) => lstat(path, { bigint: true })));
    return own!.ino === found!.ino && own!.dev === found!.dev;
  }
}

/** A link or a folder of that name is nothing that we wrote. */
async function compare(path: string, output: OutputFile): Promise<'missing' | 'same' | 'other'> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (isNotThere(error)) return null;
    throw error;
  });
  if (found === null) return 'missing';
  if (!found.isFile()) return 'other';
  const stored: FoundFile = { sizeBytes: found.size, pieces: () => piecesOf(path) };
  return (await output.isSame(stored)) ? 'same' : 'other';
}

/** Fresh buffers: who reads may keep them. */
async function* piecesOf(path: string): AsyncGenerator<Uint8Array> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafe(readBytes);
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

async function unlinkIfThere(path: string): Promise<void> {
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (!isNotThere(error)) throw error;
  });
}
