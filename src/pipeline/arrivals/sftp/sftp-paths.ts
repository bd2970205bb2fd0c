/** Paths at an SFTP server as bytes, and what tells its files apart. */
import { Buffer } from 'node:buffer';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { SftpAttributes } from '../../../platform/sftp/sftp-packets.ts';
import type { SftpSession } from '../../../platform/sftp/sftp-session.ts';
import { arrivalErrors } from '../arrival-errors.ts';

const slash = 47;
/** More than any file system allows, and little enough for an index of the database. */
const listedNameBytesMax = 512;

export function pathIn(folder: Buffer, name: Buffer): Buffer {
  return folder.at(-1) === slash ? Buffer.concat([folder, name]) : Buffer.concat([folder, Buffer.from('/'), name]);
}

/** The folder's real path. Fails with E_SOURCE where it leads out of the root by links, and with the session's failures. */
export async function realFolder(session: SftpSession, plan: { readonly root: string; readonly path: string }): Promise<Buffer> {
  const root = await session.realPath(Buffer.from(plan.root));
  const folder = await session.realPath(pathIn(root, Buffer.from(plan.path.replace(/^\/+/, '') || '.')));
  const below = pathIn(root, Buffer.alloc(0));
  const isInside = folder.equals(root) || folder.subarray(0, below.length).equals(below);
  if (root[0] !== slash || !isInside)
    throw new HeadgateError(arrivalErrors.E_SOURCE, 'the source folder lies outside the root of its connection');
  return folder;
}

/** A server that lists paths for names would have us touch what lies elsewhere. Fails with E_SOURCE_ANSWER. */
export function assertName(name: Buffer): void {
  if (name.length === 0 || name.length > listedNameBytesMax || name.includes(slash) || name.includes(0))
    throw new HeadgateError(arrivalErrors.E_SOURCE_ANSWER, 'the server lists a name that is empty, a path, or too long');
}

/** All that SFTP tells: the size, and the second of the last change. */
export function fingerprintOf({ sizeBytes, modifiedMs }: SftpAttributes): string {
  return `${sizeBytes}:${modifiedMs / 1_000}`;
}
