/** OpenSSH's own `sftp`, for tests of the SFTP server. Ask `itWith('sftp')` first. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { findProgram } from './debian-programs.ts';
import type { SshKeyPair } from './sshd.ts';

export interface SftpTarget {
  readonly port: number;
  /** `<tenant>.<user>`. */
  readonly user: string;
  readonly key: SshKeyPair;
  readonly bandwidthKbits?: number;
  /** Further lines of ssh_config(5). */
  readonly options?: readonly string[];
}

export interface SftpRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartedSftp {
  readonly child: ChildProcess;
  readonly ended: Promise<SftpRun>;
}

/** Commands as in `sftp -b`: the first that fails ends it, with another code than 0. */
export function startSftp(target: SftpTarget, commands: readonly string[]): StartedSftp {
  const program = findProgram('sftp');
  if (program === null) throw new Error('sftp is not here: npm test brings it where it can');
  const folder = mkdtempSync(join(tmpdir(), 'headgate-sftp-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'key'), target.key.privateKey, { mode: 0o600 });
  writeFileSync(join(folder, 'batch'), `${commands.join('\n')}\n`);
  const options = [
    'StrictHostKeyChecking=no',
    `UserKnownHostsFile=${join(folder, 'known_hosts')}`,
    'IdentitiesOnly=yes',
    'IdentityAgent=none',
    'LogLevel=ERROR',
    `User=${target.user}`,
    ...(target.options ?? []),
  ];
  const args = [
    '-F',
    '/dev/null',
    '-i',
    join(folder, 'key'),
    '-P',
    String(target.port),
    ...(target.bandwidthKbits === undefined ? [] : ['-l', String(target.bandwidthKbits)]),
    ...options.flatMap((each) => ['-o', each]),
    '-b',
    join(folder, 'batch'),
    '127.0.0.1',
  ];
  const child = spawn(program.path, args, { env: { ...process.env, ...program.env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<SftpRun>((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
  return { child, ended };
}

export function runSftp(target: SftpTarget, ...commands: readonly string[]): Promise<SftpRun> {
  return startSftp(target, commands).ended;
}
