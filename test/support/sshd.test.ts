import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished } from 'vitest';
import { itWith } from './components.ts';
import { findProgram } from './debian-programs.ts';
import { makeSshKey, type Sshd, type SshKeyPair, startSshd } from './sshd.ts';
import { temporaryFolder } from './temporary-store.ts';

describe('the SSH server of the tests', () => {
  async function start(options: Partial<Parameters<typeof startSshd>[0]> = {}): Promise<Sshd & { folder: string }> {
    const folder = temporaryFolder();
    const sshd = await startSshd({ folder, ...options });
    onTestFinished(() => sshd.stop());
    return { ...sshd, folder };
  }

  /** The machine's own client, with the server's host key as the only known one. */
  function sftp(sshd: Sshd, commands: string, key: SshKeyPair = sshd.clientKey) {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'key'), key.privateKey, { mode: 0o600 });
    writeFileSync(join(folder, 'known'), `[${sshd.host}]:${sshd.port} ${sshd.hostKey.publicKey}\n`);
    const options = [`UserKnownHostsFile=${join(folder, 'known')}`, 'StrictHostKeyChecking=yes', 'IdentitiesOnly=yes', 'BatchMode=yes'];
    const named = options.flatMap((option) => ['-o', option]);
    const args = ['-b', '-', '-i', join(folder, 'key'), ...named, '-P', `${sshd.port}`, `${sshd.username}@${sshd.host}`];
    return spawnSync('sftp', args, { input: commands, encoding: 'utf8', env: { ...process.env, ...findProgram('sshd')!.env } });
  }

  itWith('sshd')('gives each key its own folder, by SFTP alone', async () => {
    const reader = makeSshKey('ecdsa');
    const other = temporaryFolder();
    const sshd = await start({ keys: [{ publicKey: reader.publicKey, folder: other, isReadOnly: true }] });
    const source = join(sshd.folder, 'a.txt');
    writeFileSync(source, 'a file');
    mkdirSync(join(sshd.folder, 'in'));
    expect(sftp(sshd, `put ${source} in/b.txt\n`).status).toBe(0);
    expect(readFileSync(join(sshd.folder, 'in/b.txt'), 'utf8')).toBe('a file');
    const refused = sftp(sshd, `put ${source} c.txt\n`, reader);
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining('Permission denied')]);
    expect(sftp(sshd, 'ls\n', makeSshKey()).status).toBe(255);
  });

  itWith('sshd')('comes back on its port with its host key', async () => {
    const first = await start();
    await first.stop();
    expect(sftp(first, 'ls\n').stderr).toContain('Connection refused');
    const { port, hostKey } = first;
    const second = await start({ port, hostKey });
    expect([second.port, second.hostKey]).toEqual([port, hostKey]);
    expect(sftp(second, 'ls\n').status).toBe(0);
  });

  itWith('sshd')('ends the sessions that are open when it stops', async () => {
    const sshd = await start();
    const session = connect(sshd.port, sshd.host);
    expect(String((await once(session, 'data'))[0])).toContain('SSH-2.0');
    const ended = once(session, 'close');
    await sshd.stop();
    await ended;
  });
});
