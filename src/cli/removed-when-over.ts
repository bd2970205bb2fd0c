/**
 * What must not outlive this process, because it is content in the clear, however the process ends: while nothing here listens to signals,
 * and by SIGKILL too. A small process in a session of its own, which Ctrl-C does not reach, removes it when our end of a pipe is closed.
 * Only what ends all processes of a machine or a container at once ends that one as well.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { resolve } from 'node:path';

/** A line for each path, as `printf %b` reads it. */
const script = `trap '' HUP INT TERM
while IFS= read -r path; do set -- "$@" "$path"; done
for path; do rm -rf -- "$(printf %b "$path")"; done`;

let guardian: ChildProcess | undefined;

/**
 * The path need not be there yet, and must be a name that nothing else ever has: it is removed also after whoever made it has. Where no
 * process can be started, only that is left.
 */
export function removeWhenOver(path: string): void {
  try {
    guardian ??= startGuardian();
  } catch {
    return;
  }
  guardian.stdin?.write(`${resolve(path).replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`);
}

/** Nothing waits for it, and nothing of this process's environment reaches it: that may hold a key. */
function startGuardian(): ChildProcess {
  const child = spawn('/bin/sh', ['-c', script], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
  });
  child.on('error', () => {});
  child.stdin?.on('error', () => {});
  child.unref();
  (child.stdin as Socket | null)?.unref();
  return child;
}
