import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { itWith } from '../../../../test/support/components.ts';
import { findProgram } from '../../../../test/support/debian-programs.ts';
import { temporaryFolder } from '../../../../test/support/temporary-store.ts';
import { systemPorts } from '../../../platform/base/system-ports.ts';
import { makeEd25519Key } from '../../../platform/sftp/new-keys.ts';
import { loadSftpHostKey } from './sftp-host-key.ts';

const load = (options: { readonly dataDir?: string; readonly sftpHostKey?: string }, env: Record<string, string> = {}) =>
  loadSftpHostKey({ dataDir: temporaryFolder(), sftpHostKey: undefined, mountedSecretFolders: [], ...options }, env, systemPorts.rng);

describe('the host key', () => {
  itWith('sftp')('is made at the first start, for its owner only, and stays', () => {
    const dataDir = join(temporaryFolder(), 'data');
    const made = load({ dataDir });
    const path = join(dataDir, 'sftp_host_ed25519');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(load({ dataDir })).toEqual(made);
    expect(readFileSync(path, 'utf8')).toMatch(/^-----BEGIN OPENSSH PRIVATE KEY-----\n/);
    expect(execFileSync('ssh-keygen', ['-lf', path], { env: { ...process.env, ...findProgram('sftp')?.env }, encoding: 'utf8' })).toContain(
      made.fingerprint,
    );
  });

  it('comes by reference, from a variable or a file', () => {
    const { privateKey } = makeEd25519Key();
    const path = join(temporaryFolder(), 'key');
    writeFileSync(path, privateKey, { mode: 0o600 });
    const byVariable = load({ sftpHostKey: 'env:HEADGATE_SECRET_HOST_KEY' }, { HEADGATE_SECRET_HOST_KEY: privateKey });
    expect(load({ sftpHostKey: `file:${path}` })).toEqual(byVariable);
  });

  it.each(['', 'no key', makeEd25519Key().publicKey])('%j is none, and is not repeated', (text) => {
    const attempt = () => load({ sftpHostKey: 'env:HEADGATE_SECRET_HOST_KEY' }, { HEADGATE_SECRET_HOST_KEY: text });
    expect(attempt).toThrow(expect.objectContaining({ code: text === '' ? 'E_SECRET_MISSING' : 'E_SFTP_HOST_KEY' }));
  });
});
