/** The key by which clients know the SFTP server: by secret reference, or generated once into a file with mode 0600. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { Rng } from '../../../platform/base/ports.ts';
import type { Settings } from '../../../platform/base/settings-catalogue.ts';
import { writePrivateFileOnce } from '../../../platform/secrets/private-file.ts';
import type { Secret } from '../../../platform/secrets/secret.ts';
import { createSecretFiles } from '../../../platform/secrets/secret-files.ts';
import { createSecretResolver } from '../../../platform/secrets/secret-resolver.ts';
import { makeEd25519Key } from '../../../platform/sftp/new-keys.ts';
import { sftpServerErrors } from './sftp-server-errors.ts';

export interface SftpHostKey {
  readonly privateKey: string;
  /** `SHA256:…`, to be told to those who connect. */
  readonly fingerprint: string;
}

const types = new Set(['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521', 'ssh-rsa']);

/** Where the generated one is. */
export function sftpHostKeyPath(dataDir: string): string {
  return join(dataDir, 'sftp_host_ed25519');
}

/** Fails with E_SECRET_… and E_SFTP_HOST_KEY. */
export function loadSftpHostKey(
  settings: Pick<Settings, 'dataDir' | 'sftpHostKey' | 'mountedSecretFolders'>,
  env: Readonly<Record<string, string | undefined>>,
  rng: Rng,
): SftpHostKey {
  if (settings.sftpHostKey !== undefined) {
    const files = createSecretFiles({ mountedFolders: settings.mountedSecretFolders });
    return readKey(createSecretResolver({ env, files, limits: null }).resolve(settings.sftpHostKey));
  }
  const path = sftpHostKeyPath(settings.dataDir);
  if (!existsSync(path)) writePrivateFileOnce(path, makeEd25519Key().privateKey, rng);
  return readKey(createSecretFiles({ ownerOnly: true }).read(path));
}

function readKey(secret: Secret): SftpHostKey {
  const privateKey = Buffer.from(secret.reveal()).toString('utf8');
  const parsed = ssh2.utils.parseKey(`${privateKey.trim()}\n`);
  const [key] = parsed instanceof Error ? [] : Array.isArray(parsed) ? parsed : [parsed];
  if (key === undefined || !key.isPrivateKey() || !types.has(key.type))
    throw new HeadgateError(sftpServerErrors.E_SFTP_HOST_KEY, 'the host key of the SFTP server can not be read');
  const digest = createHash('sha256').update(key.getPublicSSH()).digest('base64').replace(/=+$/, '');
  return { privateKey: `${privateKey.trim()}\n`, fingerprint: `SHA256:${digest}` };
}
