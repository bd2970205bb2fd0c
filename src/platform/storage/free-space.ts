/** Whether a disk has room: embedded PostgreSQL and the object store share one, and a database without room stops everything. */
import { statfsSync } from 'node:fs';

/** Undefined when so many bytes and a file fit, and where it can't be told; completes "the disk …". */
export function lackOfDiskSpace(folder: string, bytesMin: number): string | undefined {
  try {
    const { bavail, bsize, ffree, files } = statfsSync(folder);
    if (bavail * bsize < bytesMin) return `has less than ${bytesMin} bytes free`;
    // File systems without inodes have none in all.
    return files > 0 && ffree === 0 ? 'has no inode free' : undefined;
  } catch {
    // Whatever writes there finds out, and says it with a code of its own.
    return undefined;
  }
}
