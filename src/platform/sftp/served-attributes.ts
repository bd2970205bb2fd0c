/** How an entry looks to a client: attributes of version 3, and the line of a long listing that some clients read. */
import type { Attributes } from 'ssh2';
import type { VirtualEntry } from './virtual-files.ts';

const folderMode = 0o040_000;
const fileMode = 0o100_000;

export function attributesOf({ kind, bytes, isWritable, changedMs }: VirtualEntry): Attributes {
  const mode = kind === 'folder' ? folderMode + (isWritable ? 0o770 : 0o550) : fileMode + (isWritable ? 0o660 : 0o440);
  const seconds = Math.floor(changedMs / 1_000);
  return { mode, uid: 0, gid: 0, size: bytes, atime: seconds, mtime: seconds };
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** As `ls -l` writes it. */
export function longNameOf(entry: VirtualEntry): string {
  const { kind, bytes, isWritable, changedMs, name } = entry;
  const rights = kind === 'folder' ? (isWritable ? 'drwxrwx---' : 'dr-xr-x---') : isWritable ? '-rw-rw----' : '-r--r-----';
  const at = new Date(changedMs);
  const day = String(at.getUTCDate()).padStart(2);
  return `${rights} 1 headgate headgate ${String(bytes).padStart(12)} ${months[at.getUTCMonth()]} ${day}  ${at.getUTCFullYear()} ${name}`;
}
