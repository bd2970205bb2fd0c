/** A file that is pulled from an OpenSSH server as an SFTP source pulls it, against the `sftp` command: login included, to a file here. */
import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { seededNumbers } from '../../src/main/demo/demo-files.ts';
import { findProgram } from '../../test/support/debian-programs.ts';
import { startSshd } from '../../test/support/sshd.ts';
import type { BenchContext } from '../bench-context.ts';
import { type BenchRun, compare, type Measured } from '../comparison.ts';
import { timedRun } from '../timed-run.ts';
import type { PullRequest } from './sftp-pull-process.ts';

const name = 'payments.bin';

/** Null where there is no OpenSSH. */
export async function measureSftpPull(context: BenchContext): Promise<BenchRun | null> {
  const program = findProgram('sshd');
  if (program === null) return null;
  const sizeBytes = context.isQuick ? 2_000_000 : 200_000_000;
  const folder = join(context.folder, 'sftp');
  const [remote, here] = [join(folder, 'remote'), join(folder, 'here')];
  for (const path of [remote, here]) mkdirSync(path, { recursive: true });
  await writeRandom(join(remote, name), sizeBytes);
  const sshd = await startSshd({ folder: remote });
  const child = fork(join(import.meta.dirname, 'sftp-pull-process.ts'));
  try {
    const keyFile = join(folder, 'key');
    writeFileSync(keyFile, sshd.clientKey.privateKey, { mode: 0o600 });
    writeFileSync(join(folder, 'known'), `[127.0.0.1]:${sshd.port} ${sshd.hostKey.publicKey}\n`);
    const [ours, theirs] = [join(here, 'ours'), join(here, 'theirs')];
    const server = { port: sshd.port, user: sshd.username, hostKey: sshd.hostKey.publicKey };
    const pull = () => answerOf(child, { remote, name, to: ours, keyFile, server });
    writeFileSync(join(folder, 'commands'), `get ${name} ${theirs}\n`);
    const command = async (): Promise<Measured> => {
      rmSync(theirs, { force: true });
      const options = [
        `UserKnownHostsFile=${join(folder, 'known')}`,
        `IdentityFile=${keyFile}`,
        'IdentitiesOnly=yes',
        'StrictHostKeyChecking=yes',
      ];
      const args = ['-q', '-F', '/dev/null', '-P', String(sshd.port), ...options.flatMap((option) => ['-o', option])];
      return await timedRun(['sftp', ...args, '-b', join(folder, 'commands'), `${sshd.username}@127.0.0.1`], {
        env: { ...process.env, ...program.env },
      });
    };
    await pull();
    await command();
    const [expected, ...hashes] = await Promise.all([join(remote, name), ours, theirs].map(hashOf));
    if (hashes.some((hash) => hash !== expected)) throw new Error('a file that was pulled is not the one at the server');
    return await compare({
      level: 'delivery',
      case: `sftp pull of ${sizeBytes / 1_000_000} MB`,
      against: 'the sftp command',
      units: sizeBytes,
      pairs: context.isQuick ? 1 : 7,
      bar: { kind: 'at-least', value: 0.7 },
      ours: pull,
      theirs: command,
    });
  } finally {
    child.removeAllListeners('exit');
    child.kill();
    await sshd.stop();
  }
}

/** Fails when the process ends before it answers. */
function answerOf(child: ChildProcess, request: PullRequest): Promise<Measured> {
  return new Promise((resolve, reject) => {
    child.once('message', (measured) => {
      child.removeAllListeners('exit');
      resolve(measured as Measured);
    });
    child.once('exit', (code) => reject(new Error(`the process that pulls ended with ${code}`)));
    child.send(request);
  });
}

/** Seeded, and nothing that packs. */
async function writeRandom(path: string, sizeBytes: number): Promise<void> {
  const draw = seededNumbers(11);
  const block = Buffer.from(Array.from({ length: 65_536 }, () => draw.below(256)));
  const file = await open(path, 'w');
  for (let written = 0; written < sizeBytes; written += block.length) {
    block.writeUInt32BE(written >>> 0, 0);
    await file.write(block.subarray(0, Math.min(block.length, sizeBytes - written)));
  }
  await file.close();
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
