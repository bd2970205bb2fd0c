/**
 * A source folder on a disk or mount: what lies in it, reading a file that must not change meanwhile, and taking it away
 * afterwards. Only plain files with one name are opened, never through a link, and nothing outside the connection's root is
 * touched. Names are bytes here; what they mean is not this file's business.
 */
import { Buffer } from 'node:buffer';
import {
  type BigIntStats,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  renameSync,
  unlinkSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { fsyncFolder } from '../../platform/base/durable-folders.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import { arrivalErrors } from './arrival-errors.ts';
import { textOfName } from './file-name.ts';
import { doneFolder, type NotRead, quarantineFolder, type SourceEntry, type TakeAway } from './source-place.ts';
import { folderFor, takenNames } from './taken-names.ts';

/** Smaller files are read at once, without giving the event loop a turn. */
const wholeReadBytesMax = 64 * 1024;
const readBytes = 256 * 1024;
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The folder's real path. Fails with E_SOURCE when it is missing, no folder, or leads outside the root by links. */
export function openSourceFolder(plan: { readonly root: string; readonly path: string }): string {
  return withSourceFailures('open', () => {
    const root = realPathOf(plan.root);
    const folder = realPathOf(join(plan.root, plan.path));
    if (folder !== root && !folder.startsWith(root.endsWith(sep) ? root : root + sep))
      throw new HeadgateError(arrivalErrors.E_SOURCE, 'the source folder lies outside the root of its connection');
    return folder;
  });
}

/** Fails with E_SOURCE and the uppermost part that is missing: settings name it, and no sender. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    let missing = path;
    while (!existsSync(dirname(missing))) missing = dirname(missing);
    const message = `the source failed to open its folder: "${missing}" is missing${missing === path ? '' : `, which "${path}" lies in`}`;
    throw new HeadgateError(arrivalErrors.E_SOURCE, message, { cause: error });
  }
}

const namesMax = 1_000_000;

/** Names in the folder that are no folders, as text with their bytes. Sizes and times come from `lookAt`. Fails with E_SOURCE where they are too many to be looked at. */
export function listFolder(folder: string): { readonly bytes: Buffer; readonly name: string; readonly isExact: boolean }[] {
  return withSourceFailures('list', () => {
    const listed = readdirSync(Buffer.from(folder), { encoding: 'buffer', withFileTypes: true });
    if (listed.length > namesMax)
      throw new HeadgateError(arrivalErrors.E_SOURCE, `the source folder holds more than ${namesMax} names: move some of them elsewhere`);
    return listed
      .filter((entry) => !entry.isDirectory())
      .map((entry) => {
        const bytes = entry.name as Buffer;
        const { text, isExact } = textOfName(bytes);
        return { bytes, name: text, isExact };
      });
  });
}

/** Undefined when it has gone meanwhile, or is a folder. */
export function lookAt(
  folder: string,
  found: { readonly bytes: Buffer; readonly name: string; readonly isExact: boolean },
): SourceEntry | undefined {
  const stats = statOf(pathIn(folder, found.bytes));
  if (!stats || stats.isDirectory()) return undefined;
  return {
    bytes: found.bytes,
    name: found.name,
    hasExactName: found.isExact,
    isPlain: isPlain(stats),
    sizeBytes: Number(stats.size),
    modifiedMs: Number(stats.mtimeMs),
    fingerprint: fingerprintOf(stats),
  };
}

/**
 * The file's bytes. Fails with E_FILE_CHANGED when what is opened is not what was seen, or when it changed until the last
 * byte was read: then nothing that was read may be used. A piece is only valid until the next one is asked for.
 */
export async function* readFile(folder: string, entry: SourceEntry): AsyncGenerator<Uint8Array> {
  const path = pathIn(folder, entry.bytes);
  if (entry.sizeBytes < wholeReadBytesMax) yield* readSmall(path, entry);
  else yield* readLarge(path, entry);
}

function* readSmall(path: Buffer, entry: SourceEntry): Generator<Uint8Array> {
  const descriptor = openPlain(path);
  try {
    assertUnchanged(entry, fstatSync(descriptor, { bigint: true }));
    const content = Buffer.allocUnsafe(entry.sizeBytes + 1);
    let length = 0;
    for (let count = -1; count !== 0 && length < content.length; length += count)
      count = withSourceFailures('read', () => readSync(descriptor, content, length, content.length - length, length));
    if (length !== entry.sizeBytes) throw changed();
    assertUnchanged(entry, fstatSync(descriptor, { bigint: true }));
    if (length > 0) yield content.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

async function* readLarge(path: Buffer, entry: SourceEntry): AsyncGenerator<Uint8Array> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, openFlags).catch((error: unknown) => {
      throw openFailure(error);
    });
    assertUnchanged(entry, await handle.stat({ bigint: true }));
    const piece = Buffer.allocUnsafe(readBytes);
    for (let position = 0; ; ) {
      const { bytesRead } = await handle.read(piece, 0, piece.length, position).catch((error: unknown) => {
        throw sourceFailure(error, 'read');
      });
      if (bytesRead === 0) {
        if (position !== entry.sizeBytes) throw changed();
        break;
      }
      position += bytesRead;
      if (position > entry.sizeBytes) throw changed();
      yield piece.subarray(0, bytesRead);
    }
    assertUnchanged(entry, await handle.stat({ bigint: true }));
  } finally {
    await handle?.close();
  }
}

function openPlain(path: Buffer): number {
  try {
    return openSync(path, openFlags);
  } catch (error) {
    throw openFailure(error);
  }
}

/** Gone, or a link by now: it changed. */
function openFailure(error: unknown): HeadgateError {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ELOOP' || code === 'ENXIO' ? changed() : sourceFailure(error, 'open');
}

function assertUnchanged(entry: SourceEntry, stats: BigIntStats): void {
  if (!isPlain(stats) || fingerprintOf(stats) !== entry.fingerprint) throw changed();
}

function changed(): HeadgateError {
  return new HeadgateError(arrivalErrors.E_FILE_CHANGED, 'the file changed while it was read');
}

/**
 * Moves the file to a folder beside it, removes it, or marks it where it is. `gone`: it is not there any more; `replaced`: another one is, and
 * stays; `misplaced`: another one was, and lies where the file should, because a third one has the name. Durable only after `syncFolders`.
 */
export function takeAway(folder: string, work: TakeAway): 'taken' | 'gone' | 'replaced' | 'misplaced' {
  const { bytes, fingerprint } = work.entry;
  const path = pathIn(folder, bytes);
  const stats = statOf(path);
  if (!stats) return 'gone';
  if (fingerprintOf(stats) !== fingerprint) return 'replaced';
  return withSourceFailures('move', () => {
    const isRemoved = work.to === 'nowhere';
    const beside = placeBeside(folder, work.to);
    const target = isRemoved ? Buffer.from(join(beside, work.arrivalId)) : freePlace(beside, bytes, work);
    renameSync(path, target);
    const moved = statOf(target);
    if (!moved || identityOf(moved) !== identityOf(stats)) return putBack(target, path) ? 'replaced' : 'misplaced';
    if (isRemoved) unlinkSync(target);
    return 'taken';
  });
}

/** Takes along what lay beside an accepted file, such as its marker. Missing is fine. */
export function takeAwayBeside(folder: string, name: string, work: TakeAway): void {
  const path = Buffer.from(join(folder, name));
  const stats = statOf(path);
  if (!stats || stats.isDirectory()) return;
  withSourceFailures('move', () => {
    if (work.to === 'nowhere') return unlinkSync(path);
    renameSync(path, freePlace(placeBeside(folder, work.to), Buffer.from(name), work));
  });
}

/** Makes what was moved or removed durable. */
export function syncFolders(folder: string): void {
  withSourceFailures('make durable', () => {
    for (const beside of [doneFolder, quarantineFolder])
      if (statOf(Buffer.from(join(folder, beside)))?.isDirectory()) fsyncFolder(join(folder, beside));
    fsyncFolder(folder);
  });
}

/** A small file beside, such as a manifest. */
export function readBeside(folder: string, name: string, bytesMax: number): Buffer | NotRead {
  const path = Buffer.from(join(folder, name));
  let descriptor: number;
  try {
    descriptor = openSync(path, openFlags);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? 'missing' : code === 'ELOOP' || code === 'ENXIO' ? 'special' : 'closed';
  }
  try {
    const stats = fstatSync(descriptor, { bigint: true });
    if (!isPlain(stats)) return 'special';
    if (stats.size > BigInt(bytesMax)) return 'large';
    const content = Buffer.alloc(Number(stats.size));
    return content.subarray(0, readSync(descriptor, content, 0, content.length, 0));
  } finally {
    closeSync(descriptor);
  }
}

/** The file's own name where it is free, else with the arrival's id: nothing is ever overwritten. */
function freePlace(beside: string, name: Buffer, work: TakeAway): Buffer {
  const { own, unique } = takenNames(name, work);
  return pathIn(beside, statOf(pathIn(beside, own)) ? unique : own);
}

/** Made where it is not there. */
function placeBeside(folder: string, to: TakeAway['to']): string {
  const name = folderFor(to);
  if (name === null) return folder;
  const beside = join(folder, name);
  const known = statOf(Buffer.from(beside));
  if (known?.isDirectory()) return beside;
  if (known) throw new HeadgateError(arrivalErrors.E_SOURCE, 'something that is no folder lies where taken files are moved to');
  mkdirSync(beside, { mode: 0o700 });
  return beside;
}

/** A file that took the name in the last moment returns to it, unless a third one has it. */
function putBack(from: Buffer, to: Buffer): boolean {
  try {
    linkSync(from, to);
    unlinkSync(from);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
}

function pathIn(folder: string, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(folder + sep), name]);
}

function statOf(path: Buffer): BigIntStats | undefined {
  return withSourceFailures('look at', () => lstatSync(path, { bigint: true, throwIfNoEntry: false }));
}

function isPlain(stats: BigIntStats): boolean {
  return stats.isFile() && stats.nlink === 1n;
}

/** What a rename keeps. */
function identityOf(stats: BigIntStats): string {
  return `${stats.ino}:${stats.size}:${stats.mtimeNs}`;
}

function fingerprintOf(stats: BigIntStats): string {
  return `${identityOf(stats)}:${stats.ctimeNs}`;
}

function withSourceFailures<T>(action: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof HeadgateError ? error : sourceFailure(error, action);
  }
}

function sourceFailure(error: unknown, action: string): HeadgateError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  return new HeadgateError(arrivalErrors.E_SOURCE, `the source failed to ${action} a file or folder (${code})`, { cause: error });
}
