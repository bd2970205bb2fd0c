/** Servers that tests start as processes of their own: a free port, the line that says it is ready, an end that leaves nothing. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';

export interface ChildServer {
  readonly pid: number;
  /** All it has written so far. */
  log(): string;
  /** SIGKILL to it and every process that came of it; resolves when it is gone. */
  kill(): Promise<void>;
  /** The signal to itself, the rest of `kill` if it is not gone within the time. */
  end(signal: NodeJS.Signals, msMax: number): Promise<void>;
}

export interface ChildServerOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What it writes when it is ready. */
  readonly ready: RegExp;
  readonly readyMsMax: number;
}

/** A port of the loopback interface that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

/** Rejects with what it wrote when it ends before it is ready, or is not ready in time. */
export async function startChildServer(options: ChildServerOptions): Promise<ChildServer> {
  const { command, args, cwd, env, ready, readyMsMax } = options;
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()));
  const isReady = new Promise<boolean>((resolve) => {
    const take = (text: string) => {
      log = (log + text).slice(-logCharactersMax);
      if (ready.test(log)) resolve(true);
    };
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    child.once('error', (error) => take(`${error.message}\n`));
    void ended.then(() => resolve(false));
    setTimeout(() => resolve(false), readyMsMax).unref();
  });
  const kill = async () => {
    for (const pid of descendants(child)) signalProcess(pid, 'SIGKILL');
    child.kill('SIGKILL');
    await ended;
  };
  const end = async (signal: NodeJS.Signals, msMax: number) => {
    child.kill(signal);
    await Promise.race([ended, new Promise<void>((resolve) => setTimeout(resolve, msMax).unref())]);
    await kill();
  };
  if (!(await isReady)) {
    await kill();
    throw new Error(`${command} did not become ready:\n${log}`);
  }
  return { pid: child.pid!, log: () => log, kill, end };
}

const logCharactersMax = 1024 * 1024;

/** Also those that have a session or process group of their own. */
function descendants(child: ChildProcess): number[] {
  if (child.pid === undefined) return [];
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (Number.isInteger(pid)) parents.set(pid, parentOf(pid));
  }
  const found = new Set([child.pid]);
  for (let before = 0; before !== found.size; ) {
    before = found.size;
    for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid);
  }
  found.delete(child.pid);
  return [...found];
}

function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return 0;
  }
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}
