/**
 * A source folder on a disk or mount: what lies in it, reading a file that must not change meanwhile, and taking it away
 * afterwards. Only plain files with one name are opened, never through a link, and nothing outside the connection's root is
 * touched: the folder, and those beside its files, are held open and used by that, whatever becomes of their paths. Names are
 * bytes here; what they mean is not this file's business.
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
import { dirname, join } from 'node:path';
import { fsyncFolder } from '../../platform/base/durable-folders.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import { isBelowOrEqual } from '../../platform/base/folder-fence.ts';
import { type HeldFolder, holdChecked, holdFolder, isOneName } from '../../platform/base/held-folder.ts';
import { arrivalErrors } from './arrival-errors.ts';
import { textOfName } from './file-name.ts';
import { doneFolder, type MovedFile, type NotRead, quarantineFolder, type SourceEntry, type TakeAway } from './source-place.ts';
import { folderFor, takenNames } from './taken-names.ts';

/** Smaller files are read at once, without giving the event loop a turn. */
const wholeReadBytesMax = 64 * 1024;
const readBytes = 256 * 1024;
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * The folder, to be closed. `assertAllowed` is asked about where it really is. Fails with E_SOURCE when it is missing, no folder,
 * or leads outside the root by links.
 */
export function openSourceFolder(
  plan: { readonly root: string; readonly path: string },
  assertAllowed: (place: string) => void,
): HeldFolder {
  return withSourceFailures('open', () => {
    const root = unlessMissing(plan.root, () => realpathSync(plan.root));
    const path = join(plan.root, plan.path);
    const check = ({ place }: HeldFolder): void => {
      if (!isBelowOrEqual(root, place))
        throw new HeadgateError(arrivalErrors.E_SOURCE, 'the source folder lies outside the root of its connection');
      assertAllowed(place);
    };
    return unlessMissing(path, () => holdChecked(path, check));
  });
}

/** Fails with E_SOURCE and the uppermost part that is missing: settings name it, and no sender. */
function unlessMissing<T>(path: string, use: () => T): T {
  try {
    return use();
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
export function listFolder(folder: HeldFolder): { readonly bytes: Buffer; readonly name: string; readonly isExact: boolean }[] {
  return withSourceFailures('list', () => {
    const listed = readdirSync(Buffer.from(folder.path), { encoding: 'buffer', withFileTypes: true });
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

/** Undefined when it has gone meanwhile, is a folder, or has no name that lies in this one. */
export function lookAt(
  folder: HeldFolder,
  found: { readonly bytes: Buffer; readonly name: string; readonly isExact: boolean },
): SourceEntry | undefined {
  const stats = isOneName(found.bytes) ? statOf(folder.pathOf(found.bytes)) : undefined;
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
export async function* readFile(folder: HeldFolder, entry: SourceEntry): AsyncGenerator<Uint8Array> {
  const path = folder.pathOf(entry.bytes);
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
export function takeAway(folder: HeldFolder, work: TakeAway): 'taken' | 'gone' | 'replaced' | 'misplaced' {
  const { bytes, fingerprint } = work.entry;
  const path = folder.pathOf(bytes);
  const stats = statOf(path);
  if (!stats) return 'gone';
  if (fingerprintOf(stats) !== fingerprint) return 'replaced';
  return inPlaceFor(folder, work.to, (beside) => {
    const isRemoved = work.to === 'nowhere';
    const target = isRemoved ? beside.pathOf(Buffer.from(work.arrivalId)) : freePlace(beside, bytes, work);
    renameSync(path, target);
    const moved = statOf(target);
    if (!moved || identityOf(moved) !== identityOf(stats)) return putBack(target, path) ? 'replaced' : 'misplaced';
    if (isRemoved) unlinkSync(target);
    return 'taken';
  });
}

/** Removes what `takeAway` moved to be removed, and was ended before it could; false: another file or none lies there. Durable as that is. */
export function removeMoved(folder: HeldFolder, { arrivalId, fingerprint }: MovedFile): boolean {
  return withSourceFailures('remove', () => {
    const beside = folderBeside(folder, folderFor('nowhere')!);
    if (beside === 'missing' || beside === 'no folder') return false;
    try {
      const path = beside.pathOf(Buffer.from(arrivalId));
      const stats = statOf(path);
      if (!stats || !fingerprint.startsWith(`${identityOf(stats)}:`)) return false;
      unlinkSync(path);
      return true;
    } finally {
      beside.close();
    }
  });
}

/** Takes along what lay beside an accepted file, such as its marker. Missing is fine. */
export function takeAwayBeside(folder: HeldFolder, name: string, work: TakeAway): void {
  const path = folder.pathOf(Buffer.from(name));
  const stats = statOf(path);
  if (!stats || stats.isDirectory()) return;
  if (work.to === 'nowhere') withSourceFailures('move', () => unlinkSync(path));
  else inPlaceFor(folder, work.to, (beside) => renameSync(path, freePlace(beside, Buffer.from(name), work)));
}

/** Makes what was moved or removed durable. */
export function syncFolders(folder: HeldFolder): void {
  withSourceFailures('make durable', () => {
    for (const name of [doneFolder, quarantineFolder]) {
      const beside = folderBeside(folder, name);
      if (beside === 'missing' || beside === 'no folder') continue;
      try {
        fsyncFolder(beside.path);
      } finally {
        beside.close();
      }
    }
    fsyncFolder(folder.path);
  });
}

/** A small file beside, such as a manifest. */
export function readBeside(folder: HeldFolder, name: string, bytesMax: number): Buffer | NotRead {
  const path = folder.pathOf(Buffer.from(name));
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
function freePlace(beside: HeldFolder, name: Buffer, work: TakeAway): Buffer {
  const { own, unique } = takenNames(name, work);
  return beside.pathOf(statOf(beside.pathOf(own)) ? unique : own);
}

/** Where taken files go: made when it is not there, held while something is moved there, and never a link. */
function inPlaceFor<T>(folder: HeldFolder, to: TakeAway['to'], move: (beside: HeldFolder) => T): T {
  return withSourceFailures('move', () => {
    const name = folderFor(to);
    if (name === null) return move(folder);
    let beside = folderBeside(folder, name);
    if (beside === 'missing') {
      mkdirSync(folder.pathOf(name), { mode: 0o700 });
      beside = holdFolder(folder.pathOf(name), { isFollowed: false });
    }
    if (beside === 'no folder')
      throw new HeadgateError(arrivalErrors.E_SOURCE, 'something that is no folder lies where taken files are moved to');
    try {
      return move(beside);
    } finally {
      beside.close();
    }
  });
}

/** A link is no folder. */
function folderBeside(folder: HeldFolder, name: string): HeldFolder | 'missing' | 'no folder' {
  try {
    return holdFolder(folder.pathOf(name), { isFollowed: false });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return 'missing';
    if (code === 'ENOTDIR' || code === 'ELOOP') return 'no folder';
    throw error;
  }
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
