/**
 * Names a process so that a reused process id is never mistaken for it: id plus start time, from /proc. Linux only; the
 * embedded PostgreSQL runs nowhere else.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** This process, or the machine, has no file descriptor left: what can not be looked at may be there all the same. */
export function isOutOfDescriptors(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return code === 'EMFILE' || code === 'ENFILE';
}

/**
 * Clock ticks since boot, as text; undefined when there is no such process (a zombie counts as none). Fails where there is no file
 * descriptor to look with.
 */
export function processStartTime(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch (error) {
    if (isOutOfDescriptors(error)) throw error;
    return undefined;
  }
  // The command name stands in parentheses and may hold spaces; field 3 follows the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

export function isProcessAlive(pid: number): boolean {
  return processStartTime(pid) !== undefined;
}

/** Processes whose working folder is `folder`, as far as this user may see. */
export function processesInFolder(folder: string): number[] {
  const found: number[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      if (readlinkSync(`/proc/${entry}/cwd`) === folder) found.push(Number(entry));
    } catch {
      // Ended meanwhile, or another user's.
    }
  }
  return found;
}
