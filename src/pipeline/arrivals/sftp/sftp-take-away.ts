/**
 * Takes files of an SFTP server away: moves each to a folder beside it, removes it from there, or marks it where it is. A file that took the name
 * meanwhile is put back. Nothing is overwritten. Many files are moved at the same time, because each costs several answers.
 */
import { Buffer } from 'node:buffer';
import { forEachAtOnce } from '../../../platform/base/at-once.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { pathIn } from '../../../platform/sftp/remote-paths.ts';
import type { SftpSession } from '../../../platform/sftp/sftp-session.ts';
import { arrivalErrors } from '../arrival-errors.ts';
import type { MovedFile, OnTurn, TakeAway } from '../source-place.ts';
import { folderFor, takenNames } from '../taken-names.ts';
import { isFailure } from './sftp-failures.ts';
import { fingerprintOf } from './sftp-paths.ts';

export interface TakeAwayOptions {
  readonly session: SftpSession;
  readonly folder: Buffer;
  readonly onTurn: OnTurn;
}

const movesAtOnce = 8;

/** Gives the arrivals in whose place another file went along. */
export async function takeAwayAll({ session, folder, onTurn }: TakeAwayOptions, works: readonly TakeAway[]): Promise<readonly string[]> {
  const misplaced: string[] = [];
  const places = [...new Set(works.map(({ to }) => folderFor(to)))].filter((place) => place !== null);
  for (const place of places) await makeBeside(session, pathIn(folder, Buffer.from(place)));
  await forEachAtOnce(works, movesAtOnce, async (work) => {
    await onTurn();
    if (!(await takeAway(session, folder, work))) misplaced.push(work.arrivalId);
  });
  return misplaced;
}

/** What lies there under the id of the arrival was moved there to be removed at once. */
export async function removeMoved({ session, folder, onTurn }: TakeAwayOptions, moved: readonly MovedFile[]): Promise<void> {
  await forEachAtOnce(moved, movesAtOnce, async ({ arrivalId, fingerprint }) => {
    await onTurn();
    const path = movedPath(folder, arrivalId);
    if (await isThere(session, path, fingerprint)) await session.remove(path);
  });
}

function movedPath(folder: Buffer, arrivalId: string): Buffer {
  return pathIn(besideOf(folder, 'nowhere'), Buffer.from(arrivalId));
}

/** False: another file went along, and could not be put back. */
async function takeAway(session: SftpSession, folder: Buffer, work: TakeAway): Promise<boolean> {
  const { entry, arrivalId, to, companions } = work;
  const path = pathIn(folder, entry.bytes);
  if (!(await isThere(session, path, entry.fingerprint))) return true;
  for (const name of companions) await takeBeside(session, folder, Buffer.from(name), work);
  const target = to === 'nowhere' ? movedPath(folder, arrivalId) : await freePlace(session, besideOf(folder, to), entry.bytes, work);
  if (!(await move(session, path, target))) return true;
  if (!(await isThere(session, target, entry.fingerprint))) {
    if (await isUnmoved(session, { path, target, fingerprint: entry.fingerprint })) throw notRenamed();
    return await putBack(session, target, path);
  }
  if (to === 'nowhere') await session.remove(target);
  return true;
}

/** The server said that it renamed it. Released it would be seen, and read, again by each poll. */
async function isUnmoved(session: SftpSession, { path, target, fingerprint }: { path: Buffer; target: Buffer; fingerprint: string }) {
  return (await session.lookAt(target)) === undefined && (await isThere(session, path, fingerprint));
}

const notRenamed = () => new HeadgateError(arrivalErrors.E_SOURCE_ANSWER, 'the server said that it renamed a file, and it did not');

/** Missing is fine. */
async function takeBeside(session: SftpSession, folder: Buffer, name: Buffer, work: TakeAway): Promise<void> {
  const { to } = work;
  const path = pathIn(folder, name);
  const found = await session.lookAt(path);
  if (found === undefined || found.kind === 'folder') return;
  if (to === 'nowhere') {
    await session.remove(path).catch((error: unknown) => {
      if (!isFailure(error, 'missing')) throw error;
    });
  } else await move(session, path, await freePlace(session, besideOf(folder, to), name, work));
}

async function isThere(session: SftpSession, path: Buffer, fingerprint: string): Promise<boolean> {
  const found = await session.lookAt(path);
  return found !== undefined && fingerprintOf(found) === fingerprint;
}

/** False: it has gone meanwhile. */
async function move(session: SftpSession, from: Buffer, to: Buffer): Promise<boolean> {
  try {
    await session.rename(from, to);
    return true;
  } catch (error) {
    if (isFailure(error, 'missing')) return false;
    throw error;
  }
}

function besideOf(folder: Buffer, to: TakeAway['to']): Buffer {
  const beside = folderFor(to);
  return beside === null ? folder : pathIn(folder, Buffer.from(beside));
}

/** The file's own name where it is free, else with the arrival's id. */
async function freePlace(session: SftpSession, beside: Buffer, name: Buffer, work: TakeAway): Promise<Buffer> {
  const { own, unique } = takenNames(name, work);
  return pathIn(beside, (await session.lookAt(pathIn(beside, own))) === undefined ? own : unique);
}

async function makeBeside(session: SftpSession, beside: Buffer): Promise<void> {
  const known = await session.lookAt(beside);
  if (known?.kind === 'folder') return;
  if (known) throw new HeadgateError(arrivalErrors.E_SOURCE, 'something that is no folder lies where taken files are moved to');
  await session.makeFolder(beside);
}

/** A file that took the name in the last moment returns to it, unless a third one has it. */
async function putBack(session: SftpSession, from: Buffer, to: Buffer): Promise<boolean> {
  if ((await session.lookAt(to)) !== undefined) return false;
  try {
    await move(session, from, to);
    return true;
  } catch (error) {
    // The third one came between look and rename.
    if (isFailure(error, 'failed') && (await session.lookAt(to)) !== undefined) return false;
    throw error;
  }
}
