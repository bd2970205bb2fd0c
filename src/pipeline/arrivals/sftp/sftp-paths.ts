/** Names at an SFTP server as bytes, and what tells its files apart. */
import type { Buffer } from 'node:buffer';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { realFolder } from '../../../platform/sftp/remote-paths.ts';
import type { SftpAttributes } from '../../../platform/sftp/sftp-packets.ts';
import type { SftpSession } from '../../../platform/sftp/sftp-session.ts';
import { arrivalErrors } from '../arrival-errors.ts';

const slash = 47;
/** More than any file system allows, and little enough for an index of the database. */
const listedNameBytesMax = 512;

/** The folder's real path. Fails with E_SOURCE where it leads out of the root by links, and with the session's failures. */
export async function realSourceFolder(session: SftpSession, plan: { readonly root: string; readonly path: string }): Promise<Buffer> {
  const folder = await realFolder(session, plan);
  if (folder === null) throw new HeadgateError(arrivalErrors.E_SOURCE, 'the source folder lies outside the root of its connection');
  return folder;
}

/** A server that lists paths for names would have us touch what lies elsewhere. Fails with E_SOURCE_ANSWER. */
export function assertName(name: Buffer): void {
  if (name.length === 0 || name.length > listedNameBytesMax || name.includes(slash))
    throw new HeadgateError(arrivalErrors.E_SOURCE_ANSWER, 'the server lists a name that is empty, a path, or too long');
}

/** All that SFTP tells: the size, and the second of the last change. */
export function fingerprintOf({ sizeBytes, modifiedMs }: SftpAttributes): string {
  return `${sizeBytes}:${modifiedMs / 1_000}`;
}
