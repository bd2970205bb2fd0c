/**
 * One `headgate serve` as its operator sees it: started with settings from the environment, asked whether it is ready,
 * signalled, and its end told apart. What it writes goes to a log file.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const projectRoot = join(import.meta.dirname, '../..');

export interface ServeOptions {
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  readonly logPath: string;
}

export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ServedProcess {
  readonly pid: number;
  /** True when it takes requests; false when it ended first or `timeoutMs` passed. */
  waitUntilReady(timeoutMs: number): Promise<boolean>;
  signal(name: NodeJS.Signals): void;
  readonly hasEnded: boolean;
  /** It has been stopped by SIGSTOP, and not woken yet. */
  readonly isStopped: boolean;
  /** We sent it SIGKILL: it did not end by its own hand. */
  readonly wasKilledByUs: boolean;
  readonly ended: Promise<ProcessEnd>;
}

const readyPollMs = 25;
const serving = new Set<ChildProcess>();

export function startServing({ port, env, logPath }: ServeOptions): ServedProcess {
  const log = openSync(logPath, 'a', 0o600);
  const child = spawn(join(projectRoot, 'bin/headgate'), ['serve'], {
    cwd: projectRoot,
    stdio: ['ignore', log, log],
    env: { ...withoutProductSettings(process.env), ...env, HEADGATE_PORT: String(port) },
  });
  closeSync(log);
  serving.add(child);
  child.once('exit', () => serving.delete(child));
  return describeChild(child, port);
}

/** Kills every process that still serves: when the soak itself is ended. */
export function endAllServing(): void {
  for (const child of serving) child.kill('SIGKILL');
}

function describeChild(child: ChildProcess, port: number): ServedProcess {
  let end: ProcessEnd | undefined;
  let wasKilledByUs = false;
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.once('exit', (code, signal) => resolve((end = { code, signal })));
    child.once('error', () => resolve((end = { code: 127, signal: null })));
  });
  return {
    pid: child.pid ?? 0,
    ended,
    get hasEnded() {
      return end !== undefined;
    },
    get isStopped() {
      return end === undefined && isStoppedProcess(child.pid ?? 0);
    },
    get wasKilledByUs() {
      return wasKilledByUs;
    },
    signal(name) {
      if (end !== undefined) return;
      if (name === 'SIGKILL') wasKilledByUs = true;
      child.kill(name);
    },
    async waitUntilReady(timeoutMs) {
      const deadlineMs = performance.now() + timeoutMs;
      while (end === undefined && performance.now() < deadlineMs) {
        if (await isReady(port)) return true;
        await sleep(readyPollMs);
      }
      return false;
    },
  };
}

/** State T of proc(5); the name of a program, in brackets before it, may hold anything. */
function isStoppedProcess(pid: number): boolean {
  try {
    return /\) T [^)]*$/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function isReady(port: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(1_000) });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}

/** The settings of whoever runs the soak must not reach the product. */
function withoutProductSettings(env: NodeJS.ProcessEnv): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('HEADGATE_') && !name.startsWith('OTEL_')));
}

/** A loopback port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
