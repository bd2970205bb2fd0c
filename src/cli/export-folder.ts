/**
 * An export as a folder, or as the tar archive that the API sends, for the verifier. Only plain files count: a link could
 * lead to another file than the one that is shown to a reader.
 */
import { closeSync, createReadStream, fstatSync, mkdirSync, openSync, readdirSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import type { ClosableSource } from '../pipeline/ledger/export/export-entries.ts';
import { sealedExportMagic } from '../pipeline/ledger/export/sealed-export.ts';
import { readTar } from '../pipeline/ledger/export/tar-stream.ts';
import type { ExportReader } from '../pipeline/ledger/verification/export-reader.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import { makeFolder } from '../platform/base/make-folder.ts';
import { removedAtSignals } from './removed-at-signals.ts';
import { whyUnreadable } from './unreadable-file.ts';
import { verifyErrors } from './verify-errors.ts';

/** Lists the files once. Fails with E_EXPORT_FOLDER. */
export function readExportFolder(folder: string): ExportReader {
  const names = attempt(folder, () =>
    readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => {
      if (entry.isDirectory()) return [];
      const name = join(entry.parentPath, entry.name).slice(folder.length).split(sep).filter(Boolean).join('/');
      if (!entry.isFile()) throw new HeadgateError(verifyErrors.E_EXPORT_FOLDER, `${name} in the export is no plain file`);
      return [name];
    }),
  );
  return { names: () => names, open: (name) => attempt(folder, () => openFile(join(folder, name))) };
}

/**
 * Writes an archive's files into an empty or new folder, all or none: half of them would be an export that is not sound. Tells of the
 * bytes of each piece. Fails with E_EXPORT_ARCHIVE, E_EXPORT_FOLDER.
 */
export async function extractExport(pieces: AsyncIterable<Uint8Array>, folder: string, onWritten: (bytes: number) => void): Promise<void> {
  attempt(folder, () => makeFolder(folder, 0o700));
  if (attempt(folder, () => readdirSync(folder)).length > 0)
    throw new HeadgateError(verifyErrors.E_EXPORT_FOLDER, `the folder ${folder} is not empty`);
  let open = -1;
  const close = () => {
    if (open >= 0) closeSync(open);
    open = -1;
  };
  const empty = () => {
    for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true });
  };
  try {
    await removedAtSignals(empty, () =>
      readTar(pieces, {
        start(name) {
          const path = join(folder, name);
          mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
          open = openSync(path, 'wx', 0o600);
        },
        piece(bytes) {
          onWritten(bytes.length);
          for (let done = 0; done < bytes.length; ) done += writeSync(open, bytes, done, bytes.length - done);
        },
        end: close,
      }),
    );
  } catch (error) {
    attempt(folder, empty);
    throw translated(folder, error);
  } finally {
    close();
  }
}

/** True for a folder, false for a file. Fails with E_EXPORT_FOLDER. */
export function isFolder(path: string): boolean {
  return attempt(path, () => statSync(path).isDirectory());
}

export function archivePieces(path: string): AsyncIterable<Uint8Array> {
  return createReadStream(path);
}

/** The file that an export is in: `path` itself, or the only file of that folder. Null for a folder of an unpacked export. */
export function archiveFile(path: string): string | null {
  if (!isFolder(path)) return path;
  const names = attempt(path, () => readdirSync(path));
  return names.length === 1 && !isFolder(join(path, names[0]!)) ? join(path, names[0]!) : null;
}

/** Whether the file is a sealed export. */
export function isSealedFile(path: string): boolean {
  return attempt(path, () => {
    const descriptor = openSync(path, 'r');
    try {
      const start = Buffer.alloc(sealedExportMagic.length);
      readSync(descriptor, start, 0, start.length, 0);
      return start.toString('latin1') === sealedExportMagic;
    } finally {
      closeSync(descriptor);
    }
  });
}

function openFile(path: string): ClosableSource {
  const descriptor = openSync(path, 'r');
  return {
    size: fstatSync(descriptor).size,
    read: (into, at, length, position) => readSync(descriptor, into, at, length, position),
    close: () => closeSync(descriptor),
  };
}

function attempt<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw translated(path, error);
  }
}

function translated(path: string, error: unknown): HeadgateError {
  if (error instanceof HeadgateError) return error;
  const message = `the export ${path} cannot be read or written: ${whyUnreadable(error)}`;
  return new HeadgateError(verifyErrors.E_EXPORT_FOLDER, message, { cause: error });
}
