/**
 * Reads and signals a running postmaster through the file it keeps in its data folder (postmaster.pid), and tells a living
 * server from what a SIGKILL left behind.
 */
import { readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Sleep } from '../base/ports.ts';
import { isOutOfDescriptors, isProcessAlive, processesInFolder } from './process-identity.ts';

export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  readonly isReady: boolean;
}

/**
 * The server over this folder, if one lives. A file that names a dead or another program's process counts as none. Fails where there is no
 * file descriptor to look with.
 */
export function findPostmaster(folder: string): Postmaster | undefined {
  const file = readPidFile(folder);
  if (!file || !isOver(file.pid, folder)) return undefined;
  return file;
}

function readPidFile(folder: string): Postmaster | undefined {
  let lines: string[];
  try {
    lines = readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n');
  } catch (error) {
    if (isOutOfDescriptors(error)) throw error;
    return undefined;
  }
  const pid = Number.parseInt(lines[0] ?? '', 10);
  // A postmaster started by hand in single-user mode writes a negative id.
  if (!(pid > 0)) return undefined;
  return { pid, port: Number.parseInt(lines[3] ?? '0', 10) || 0, isReady: lines[7]?.trim() === 'ready' };
}

function isOver(pid: number, folder: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(folder) && isProcessAlive(pid);
  } catch (error) {
    if (isOutOfDescriptors(error)) throw error;
    return false;
  }
}

/**
 * Waits until no process of a killed server is left over this folder, then removes a pid file whose id is still taken, by
 * another program or a zombie: PostgreSQL itself would take it for a running server. Returns false when processes remain.
 */
export async function clearAfterKill(folder: string, ports: { clock: Clock; sleep: Sleep }, timeoutMs = 15_000): Promise<boolean> {
  const deadlineMs = ports.clock.monotonicMs() + timeoutMs;
  const real = realpathSync(folder);
  while (processesInFolder(real).length > 0) {
    if (ports.clock.monotonicMs() > deadlineMs) return false;
    await ports.sleep.sleep(25);
  }
  const file = readPidFile(folder);
  if (file && holdsProcessId(file.pid)) rmSync(join(folder, 'postmaster.pid'), { force: true });
  return true;
}

/** As PostgreSQL sees it: another program's process and a zombie that nobody has waited for count too. */
function holdsProcessId(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Stops the server and waits until it is gone: `fast` ends sessions and checkpoints, `immediate` is a crash. */
export async function stopPostmaster(
  folder: string,
  ports: { clock: Clock; sleep: Sleep },
  how: 'fast' | 'immediate' = 'fast',
  timeoutMs = 30_000,
): Promise<void> {
  const postmaster = findPostmaster(folder);
  if (!postmaster) return;
  signal(postmaster.pid, how === 'fast' ? 'SIGINT' : 'SIGQUIT');
  const deadlineMs = ports.clock.monotonicMs() + timeoutMs;
  while (isOver(postmaster.pid, folder)) {
    if (ports.clock.monotonicMs() > deadlineMs) signal(postmaster.pid, 'SIGQUIT');
    await ports.sleep.sleep(10);
  }
}

function signal(pid: number, name: 'SIGINT' | 'SIGQUIT'): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone already: that is what was asked for.
  }
}
