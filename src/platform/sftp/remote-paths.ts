/** Paths at an SFTP server, as bytes. */
import { Buffer } from 'node:buffer';
import type { SftpSession } from './sftp-session.ts';

const slash = 47;

export function pathIn(folder: Buffer, name: Buffer): Buffer {
  return folder.at(-1) === slash ? Buffer.concat([folder, name]) : Buffer.concat([folder, Buffer.from('/'), name]);
}

/** The folder's real path; null where it leads out of the root by links. Fails with the session's failures. */
export async function realFolder(session: SftpSession, plan: { readonly root: string; readonly path: string }): Promise<Buffer | null> {
  const root = await session.realPath(Buffer.from(plan.root));
  const folder = await session.realPath(pathIn(root, Buffer.from(plan.path.replace(/^\/+/, '') || '.')));
  const below = pathIn(root, Buffer.alloc(0));
  const isInside = folder.equals(root) || folder.subarray(0, below.length).equals(below);
  return root[0] === slash && isInside ? folder : null;
}
