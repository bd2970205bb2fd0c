/**
 * Mutual exclusion between processes over one folder, and the list of processes that use it. The lock is a listener on an
 * abstract socket named after the folder: the kernel frees it when its holder dies, so it can never be left behind.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { HeadgateError } from '../base/errors.ts';
import type { Clock, Sleep } from '../base/ports.ts';
import { embeddedErrors } from './embedded-errors.ts';
import { processStartTime } from './process-identity.ts';

export interface LockPorts {
  readonly clock: Clock;
  readonly sleep: Sleep;
}

/** Runs `fn` while no other process does so for the same folder. Fails with E_DATA_FOLDER_BUSY after `timeoutMs`. */
export async function withFolderLock<T>(folder: string, ports: LockPorts, fn: () => Promise<T>, timeoutMs = 120_000): Promise<T> {
  const name = `\0headgate-${createHash('sha256').update(realpathSync(folder)).digest('hex').slice(0, 32)}`;
  const deadlineMs = ports.clock.monotonicMs() + timeoutMs;
  let lock = await tryListen(name);
  while (!lock) {
    if (ports.clock.monotonicMs() > deadlineMs) {
      throw new HeadgateError(
        embeddedErrors.E_DATA_FOLDER_BUSY,
        `the database of ${folder} is being started or stopped by another process`,
      );
    }
    await ports.sleep.sleep(20);
    lock = await tryListen(name);
  }
  const held = lock;
  try {
    return await fn();
  } finally {
    await new Promise<void>((resolve) => held.close(() => resolve()));
  }
}

function tryListen(name: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen(name, () => resolve(server));
  });
}

/** Notes that this process uses the folder. Call under the lock. Each call needs its own `release`. */
export function joinFolder(folder: string, token: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, `${process.pid}-${processStartTime(process.pid)}-${token}`), '', { mode: 0o600 });
}

/** Takes this use back and tells how many uses by living processes remain. Call under the lock. */
export function leaveFolder(folder: string, token: string): number {
  rmSync(join(folder, `${process.pid}-${processStartTime(process.pid)}-${token}`), { force: true });
  return countUses(folder);
}

function countUses(folder: string): number {
  let uses = 0;
  for (const entry of readdirSync(folder)) {
    const [pid, startTime] = entry.split('-');
    if (processStartTime(Number(pid)) === startTime) uses += 1;
    else rmSync(join(folder, entry), { force: true });
  }
  return uses;
}
