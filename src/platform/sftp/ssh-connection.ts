/**
 * A connection to an SSH server, up to the channel that speaks SFTP: to given addresses only, with pinned host keys, with
 * algorithms that are trusted today, within one deadline. Nothing is sent before the server has proved its key. No shell and
 * no command is ever asked for.
 */
import type { Socket } from 'node:net';
import type { Client, ClientChannel, ConnectConfig } from 'ssh2';
import type { Sleep } from '../base/ports.ts';
import { fingerprintOf, type HostKeyPin, keyTypes, signatureAlgorithms } from './host-keys.ts';
import { connectReading } from './reading-socket.ts';
import { SftpFailure } from './sftp-failure.ts';
import { sshAlgorithms } from './ssh-algorithms.ts';

export type SshCredentials =
  | { readonly kind: 'password'; readonly password: string }
  | { readonly kind: 'key'; readonly privateKey: Uint8Array; readonly passphrase: string | null };

export interface SshOptions {
  /** Tried in order; each may be connected to. */
  readonly addresses: readonly string[];
  readonly port: number;
  readonly user: string;
  readonly hostKeys: readonly HostKeyPin[];
  readonly credentials: SshCredentials;
  /** For each address, until the channel is open. */
  readonly timeoutMs: number;
  readonly sleep: Sleep;
  /** Ends what is being made, at once. */
  readonly signal?: AbortSignal;
}

export interface SshChannel {
  readonly channel: ClientChannel;
  /** Ends the connection at once. */
  end(): void;
}

const addressesMax = 3;
const keepaliveMs = 15_000;
const unansweredKeepalivesMax = 3;

/** Fails with an SftpFailure of the connection. */
export async function connectSsh(options: SshOptions): Promise<SshChannel> {
  const { Client: SshClient } = (await import('ssh2')).default;
  const addresses = options.addresses.slice(0, addressesMax);
  for (const [index, address] of addresses.entries()) {
    try {
      return await connectTo(address, options, new SshClient());
    } catch (error) {
      const isNextTried = error instanceof SftpFailure && (error.kind === 'unreachable' || error.kind === 'timeout');
      if (!isNextTried || index + 1 === addresses.length) throw error;
    }
  }
  throw new SftpFailure('unreachable', 'the server has no address');
}

async function connectTo(address: string, options: SshOptions, client: Client): Promise<SshChannel> {
  const { timeoutMs, sleep, signal } = options;
  const done = new AbortController();
  let refusedKey: string | null = null;
  // From then on every byte is deciphered as it comes.
  let isReady = false;
  // Ended by us: the driver leaves one open, and goes on reading it, of which it has closed its own half.
  const sock = connectReading({ host: address, port: options.port }, () => isReady);
  try {
    return await new Promise<SshChannel>((resolve, reject) => {
      const onAbort = () => reject(new SftpFailure('lost', 'nobody waits for the connection any more'));
      signal?.addEventListener('abort', onAbort, { signal: done.signal });
      if (signal?.aborted) onAbort();
      client.on('error', (error) => reject(failureOf(error, refusedKey, options.hostKeys)));
      client.on('close', () => reject(new SftpFailure('unreachable', 'the server closed the connection before it was ready')));
      client.on('ready', () => {
        isReady = true;
        // Requests are small, and each is waited for.
        client.setNoDelay(true);
        client.subsys('sftp', (error, channel) => {
          if (error) reject(new SftpFailure('answer', 'the server offers no SFTP to this user', error));
          else resolve({ channel, end: () => void sock.destroy() });
        });
      });
      void sleep
        .sleep(timeoutMs, done.signal)
        .then(() => reject(new SftpFailure('timeout', `the server was not ready within ${timeoutMs} ms`)));
      const onRefusedKey = (fingerprint: string): void => {
        refusedKey = fingerprint;
      };
      client.connect(configOf(sock, options, onRefusedKey));
    });
  } catch (error) {
    sock.destroy();
    if (error instanceof SftpFailure) throw error;
    throw new SftpFailure('credentials', 'the private key can not be read: its form, its type or its passphrase is wrong', error);
  } finally {
    done.abort();
  }
}

function configOf(sock: Socket, options: SshOptions, onRefusedKey: (fingerprint: string) => void): ConnectConfig {
  const { credentials, hostKeys } = options;
  const pinned = new Set(hostKeys.map(({ fingerprint }) => fingerprint));
  return {
    sock,
    username: options.user,
    ...(credentials.kind === 'password'
      ? { password: credentials.password, authHandler: ['password'] }
      : {
          privateKey: Buffer.from(credentials.privateKey),
          ...(credentials.passphrase === null ? {} : { passphrase: credentials.passphrase }),
          authHandler: ['publickey'],
        }),
    hostVerifier: (key: Buffer) => {
      const fingerprint = fingerprintOf(key);
      if (pinned.has(fingerprint)) return true;
      onRefusedKey(fingerprint);
      return false;
    },
    // The deadline is ours: this one ends before the channel is asked for.
    readyTimeout: 0,
    keepaliveInterval: keepaliveMs,
    keepaliveCountMax: unansweredKeepalivesMax,
    algorithms: {
      ...sshAlgorithms,
      serverHostKey: signatureAlgorithms(hostKeys),
    } as ConnectConfig['algorithms'],
  };
}

/** The only place that reads the driver's words. */
function failureOf(
  error: Error & { readonly level?: string; readonly code?: string },
  refusedKey: string | null,
  hostKeys: readonly HostKeyPin[],
): SftpFailure {
  if (refusedKey !== null)
    return new SftpFailure('host-key', `the server shows the host key ${refusedKey}, to which the connection is not pinned`, error);
  if (error.level === 'client-authentication')
    return new SftpFailure('credentials', 'the server refused the user or its credentials', error);
  // The server does not say whether it has no such key any more, or signs with it in no way that is trusted.
  if (error.level === 'handshake' && /no matching host key/i.test(error.message))
    return new SftpFailure(
      'algorithms',
      `the server has no host key of a type to which the connection is pinned (${keyTypes(hostKeys)}), or signs with it in no way that is trusted; it may have another key now`,
      error,
    );
  if (error.level === 'handshake' && /no matching/i.test(error.message))
    return new SftpFailure('algorithms', 'the server and Headgate have no algorithm in common that both trust', error);
  return new SftpFailure(
    'unreachable',
    `no connection to the server could be made${error.code === undefined ? '' : ` (${error.code})`}`,
    error,
  );
}
