/** Sessions with an SFTP server: made to an address that the guard let through, with pinned host keys. */
import type { Clock, Sleep } from '../../../platform/base/ports.ts';
import type { SecretResolver } from '../../../platform/secrets/secret-resolver.ts';
import { openSftpSession, type SftpSession } from '../../../platform/sftp/sftp-session.ts';
import type { SshCredentials } from '../../../platform/sftp/ssh-connection.ts';
import type { AddressGuard } from '../address-guard.ts';
import { createSessionPool, type PooledSession, type SessionPool } from '../session-pool.ts';
import type { SftpSettings } from './sftp-settings.ts';

export interface SessionsOptions {
  readonly settings: SftpSettings;
  readonly guard: AddressGuard;
  readonly secrets: SecretResolver;
  readonly idleMax: number;
  readonly timeoutMs: number;
  readonly ports: { readonly clock: Clock; readonly sleep: Sleep };
}

export interface PooledSftpSession extends PooledSession {
  readonly sftp: SftpSession;
}

export function createSftpSessions(options: SessionsOptions): SessionPool<PooledSftpSession> {
  const { settings, secrets, idleMax } = options;
  return createSessionPool({
    idleMax,
    readSecrets: (): SshCredentials => {
      const { password, privateKey, passphrase } = settings;
      if (password !== null) return { kind: 'password', password: secrets.resolve(password).reveal() };
      const phrase = passphrase === null ? null : secrets.resolve(passphrase).reveal();
      return { kind: 'key', privateKey: secrets.resolve(privateKey!).bytes(), passphrase: phrase };
    },
    async connect(credentials, signal) {
      const sftp = await unlessAborted(connect(options, credentials, signal), signal);
      return {
        sftp,
        get isBroken() {
          return sftp.isBroken;
        },
        destroy: () => sftp.end(),
      };
    },
  });
}

async function connect(
  { settings, guard, timeoutMs, ports }: SessionsOptions,
  credentials: SshCredentials,
  signal: AbortSignal,
): Promise<SftpSession> {
  const { host, port, user, hostKeys } = settings;
  const addresses = await guard.addressesOf(host);
  return await openSftpSession({ addresses, port, user, hostKeys, credentials, timeoutMs, signal, ...ports });
}

/** A session that is made too late is ended. */
function unlessAborted(connecting: Promise<SftpSession>, signal: AbortSignal): Promise<SftpSession> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      reject(signal.reason);
      connecting.then(
        (session) => session.end(),
        () => {},
      );
    };
    signal.addEventListener('abort', abort, { once: true });
    connecting.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
