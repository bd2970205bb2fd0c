/** The command line as its users have it: `headgate …` as a process of its own, and a served one to talk to. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { join } from 'node:path';

/** As it is installed: a few files where they were made since the last change, else the sources. */
const program = join(import.meta.dirname, '../../bin/headgate');

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** None of this process's own settings. */
function environmentOf(env: Readonly<Record<string, string>> = {}): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith('HEADGATE_'),
  );
  return { ...Object.fromEntries(kept), ...env };
}

export function runHeadgate(argv: readonly string[], { env, cwd }: CommandOptions = {}): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = execFile(program, [...argv], { cwd, env: environmentOf(env), maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
    child.stdin?.end();
  });
}

export interface StartedCommand {
  /** Resolves when it has written something to stderr that matches; rejects with what it wrote when it ends first. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
  /** As Ctrl-C does. */
  interrupt(): void;
  signal(name: NodeJS.Signals): void;
  /** `code` is null when a signal ended it. */
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
}

/** `headgate …`, not waited for. */
export function startCommand(argv: readonly string[], { env, cwd }: CommandOptions = {}): StartedCommand {
  const child = spawn(program, argv, {
    cwd,
    env: environmentOf(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return {
    said: (pattern) => saidBy(child, pattern, () => stderr),
    interrupt: () => void child.kill('SIGINT'),
    signal: (name) => void child.kill(name),
    ended: new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr }))),
  };
}

export interface ServedHeadgate {
  readonly url: string;
  /** SIGTERM by default, and how it ended. */
  stop(
    signal?: NodeJS.Signals,
  ): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly seconds: number }>;
}

export interface StartedHeadgate {
  /** Resolves when it has written something that matches; rejects with what it wrote when it ends first. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
  stop: ServedHeadgate['stop'];
  /** How it ends by itself. */
  ended(): ReturnType<ServedHeadgate['stop']>;
}

/** `headgate serve`, not waited for. */
export function startHeadgate(dataDir: string, options: CommandOptions = {}): StartedHeadgate {
  const child = spawn(program, ['serve', '--port', '0', '--data-dir', dataDir], {
    cwd: options.cwd,
    env: environmentOf({ HEADGATE_LOG_LEVEL: 'warn', ...options.env }),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let written = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    written += text;
  });
  return {
    said: (pattern) => saidBy(child, pattern, () => written),
    stop: (signal = 'SIGTERM') => end(child, signal),
    ended: () => end(child, null),
  };
}

function saidBy(child: ChildProcess, pattern: RegExp, written: () => string): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const match = pattern.exec(written());
      if (match !== null) resolve(match);
    };
    child.once('close', () => reject(new Error(`headgate ended: ${written()}`)));
    child.stderr!.on('data', look);
    look();
  });
}

/** Resolves when it says where it serves; rejects with what it wrote when it ends first. */
export async function serveHeadgate(dataDir: string, options: CommandOptions = {}): Promise<ServedHeadgate> {
  const started = startHeadgate(dataDir, options);
  const said = await started.said(/headgate serves (http:\/\/\S+?),/);
  return { url: said[1]!, stop: started.stop };
}

function end(child: ChildProcess, by: NodeJS.Signals | null): ReturnType<ServedHeadgate['stop']> {
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const ended = () => resolve({ code: child.exitCode, signal: child.signalCode, seconds: (performance.now() - startedMs) / 1000 });
    if (child.exitCode !== null || child.signalCode !== null) return ended();
    child.once('exit', ended);
    if (by !== null) child.kill(by);
  });
}

/** A flow of the tenant `bank` for uploads, to one target. */
export function uploadFlow(name: string, target: { type: string; connection: string; more?: string }): string {
  return `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: bank, service: payments, name: ${name}, version: 1.0.0 }
spec:
  sources:
    - { id: upload, type: http }
  format: { type: delimited, header: true }
  schema:
    record:
      key: [id]
      fields:
        id: { type: string, required: true, unique: file }
        account: { type: string, required: true, class: account, mask: last4 }
        amount: { type: decimal, scale: 2, required: true, sum: true }
        note: { type: string }
  acceptance: { mode: partial, maxInvalidRatio: 0.5, onExceed: hold }
  routes: { default: { to: [ledger] } }
  targets:
    ledger: { type: ${target.type}, connection: ${target.connection}, path: ${name}${target.more ? `, ${target.more}` : ''} }
`;
}
