/** Runs a command as a whole process: wall time, and the largest VmHWM of the process itself (Linux; 0 elsewhere). */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface TimedRun {
  readonly seconds: number;
  readonly rssBytes: number;
  readonly stdout: string;
}

const pollMs = 15;

export function timedRun(
  command: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv; readonly exitCodes?: readonly number[] } = {},
): Promise<TimedRun> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const child = spawn(command[0], command.slice(1), {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let rssBytes = 0;
    let stdout = '';
    let stderr = '';
    const poll = setInterval(() => {
      rssBytes = Math.max(rssBytes, highWaterBytes(child.pid!));
    }, pollMs);
    child.stdout.on('data', (text) => {
      stdout += text;
    });
    child.stderr.on('data', (text) => {
      stderr = (stderr + text).slice(-4_000);
    });
    child.on('error', reject);
    child.on('close', (code) => {
      clearInterval(poll);
      const seconds = (performance.now() - startedAt) / 1000;
      if ((options.exitCodes ?? [0]).includes(code ?? -1)) resolve({ seconds, rssBytes, stdout });
      else reject(new Error(`${command.join(' ')} ended with ${code}: ${stderr}`));
    });
  });
}

export function highWaterBytes(processId: number): number {
  try {
    const match = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${processId}/status`, 'utf8'));
    return match ? Number(match[1]) * 1024 : 0;
  } catch {
    return 0;
  }
}
