/**
 * GnuPG of Debian with a home of its own: keys of recipients and signers, and what it says of a message. Ask `itWith('gpg')`
 * first.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from './debian-programs.ts';

export interface Gnupg {
  /** A key with which can be signed and that can be encrypted to. `expires` as in `--quick-generate-key`. */
  makeKey(user: string, options?: { readonly passphrase?: string; readonly expires?: string }): void;
  /** From now on the key is good until another time; its parts too. */
  renewKey(user: string, expires: string): void;
  /** Armored. */
  publicKey(user: string): string;
  privateKey(user: string, passphrase?: string): string;
  /** `status`: lines of --status-fd, without their prefix. */
  decrypt(message: Uint8Array): { readonly content: Buffer; readonly status: readonly string[] };
  /** Binary unless `args` say otherwise; to nobody, where no recipient is given. */
  encrypt(
    content: Uint8Array,
    options: { readonly recipients?: readonly string[]; readonly signer?: string; readonly args?: readonly string[] },
  ): Buffer;
  close(): void;
}

export function startGnupg(): Gnupg {
  const program = findProgram('gpg');
  if (program === null) throw new Error('gpg is not here: npm test brings it where it can');
  // Its agent listens in the home, whose path has to be short.
  const home = mkdtempSync(join(tmpdir(), 'hg-gpg-'));
  const env = { ...process.env, ...program.env, GNUPGHOME: home };
  const agent = ['--agent-program', join(program.root, 'usr/bin/gpg-agent')];
  const run = (...args: string[]) =>
    execFileSync(program.path, ['--batch', '--quiet', '--pinentry-mode', 'loopback', ...agent, ...args], { env, stdio: 'pipe' }).toString();
  return {
    makeKey(user, { passphrase = '', expires = 'never' } = {}) {
      run('--passphrase', passphrase, '--quick-generate-key', user, 'default', 'default', expires);
    },
    renewKey(user, expires) {
      const fingerprint = /^fpr:+([0-9A-F]+):/m.exec(run('--with-colons', '--list-keys', user))![1]!;
      run('--passphrase', '', '--quick-set-expire', fingerprint, expires);
      run('--passphrase', '', '--quick-set-expire', fingerprint, expires, '*');
    },
    publicKey: (user) => run('--armor', '--export', user),
    privateKey: (user, passphrase = '') => run('--passphrase', passphrase, '--armor', '--export-secret-keys', user),
    decrypt(message) {
      const args = ['--batch', ...agent, '--status-fd', '2', '--decrypt'];
      const { stdout, stderr } = spawnSync(program.path, args, { env, input: message, maxBuffer: 256 * 1024 * 1024 });
      const status = stderr
        .toString()
        .split('\n')
        .filter((line) => line.startsWith('[GNUPG:] '));
      return { content: stdout, status: status.map((line) => line.slice('[GNUPG:] '.length)) };
    },
    encrypt(content, { recipients = [], signer, args = [] }) {
      const to = recipients.flatMap((recipient) => ['--recipient', recipient]);
      const by = signer === undefined ? [] : ['--local-user', signer, '--sign'];
      const how = recipients.length > 0 ? [...to, '--encrypt'] : [];
      const usual = ['--batch', '--quiet', '--trust-model', 'always', '--pinentry-mode', 'loopback', ...agent];
      const { status, stdout, stderr } = spawnSync(program.path, [...usual, ...args, ...by, ...how], {
        env,
        input: content,
        maxBuffer: 512 * 1024 * 1024,
      });
      if (status !== 0) throw new Error(stderr.toString());
      return stdout;
    },
    // The agent ends when its home is gone.
    close: () => rmSync(home, { recursive: true, force: true }),
  };
}
