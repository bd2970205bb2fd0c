/**
 * Opens folders of SFTP servers for polls: at addresses that the tenant's policy lets it connect to, with pinned host keys, and
 * with credentials as they are now. A connection is kept for the next poll of its source while nothing about it has changed,
 * and ended when it was idle for a while.
 */
import { createHash } from 'node:crypto';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { Ports } from '../../../platform/base/ports.ts';
import type { ConnectionSecrets } from '../../../platform/secrets/connection-secrets.ts';
import { type HostKeyPin, readHostKeyPin } from '../../../platform/sftp/host-keys.ts';
import { SftpFailure } from '../../../platform/sftp/sftp-failure.ts';
import { openSftpSession, type SftpSession } from '../../../platform/sftp/sftp-session.ts';
import type { SshCredentials } from '../../../platform/sftp/ssh-connection.ts';
import { createAddressGuard } from '../../connectors/address-guard.ts';
import type { ResolveHost } from '../../connectors/connector.ts';
import { connectorErrors } from '../../connectors/connector-errors.ts';
import { arrivalErrors } from '../arrival-errors.ts';
import type { SftpSourcePlan } from '../arrival-plan.ts';
import type { OnTurn, SourcePlace } from '../source-place.ts';
import { isFailure, withSourceFailures } from './sftp-failures.ts';
import { realSourceFolder } from './sftp-paths.ts';
import { createSftpPlace } from './sftp-place.ts';

export interface SftpPlaces {
  /** `key` is one for each source. Fails with the codes of `E_SOURCE…`, of secrets, and with E_SSRF. */
  open(request: { readonly key: string; readonly source: SftpSourcePlan; readonly onTurn: OnTurn }): Promise<SourcePlace>;
  /** Ends all connections, those in use too. */
  close(): void;
}

export interface SftpPlacesOptions {
  readonly secrets: ConnectionSecrets;
  readonly resolveHost: ResolveHost;
  readonly ports: Pick<Ports, 'clock' | 'sleep'>;
  readonly idleMs?: number;
  readonly keptMax?: number;
}

interface Kept {
  readonly session: SftpSession;
  /** Of all that it was opened with. */
  readonly state: string;
  readonly idle: AbortController;
}

const connectMs = 10_000;
const resolveMs = 5_000;
const reconnectsMax = 4;
const reconnectPauseMs = 500;

export function createSftpPlaces(options: SftpPlacesOptions): SftpPlaces {
  const { secrets, ports, idleMs = 60_000, keptMax = 128 } = options;
  const kept = new Map<string, Kept>();
  const inUse = new Set<SftpSession>();
  let isClosed = false;

  async function connect(source: SftpSourcePlan, credentials: SshCredentials): Promise<SftpSession> {
    const { host, port, user, hostKeys } = source.server;
    const addresses = await addressesOf(source, host);
    const session = await openSftpSession({
      addresses,
      port,
      user,
      hostKeys: hostKeys.map(pinOf),
      credentials,
      timeoutMs: connectMs,
      sleep: ports.sleep,
      clock: ports.clock,
    });
    if (isClosed) session.end();
    for (const other of inUse) if (other.isBroken) inUse.delete(other);
    inUse.add(session);
    return session;
  }

  /** A read that is far on is worth some patience. */
  async function connectAgain(source: SftpSourcePlan, credentials: SshCredentials, onTurn: OnTurn): Promise<SftpSession> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await connect(source, credentials);
      } catch (error) {
        if (attempt >= reconnectsMax || !isFailure(error, 'unreachable', 'timeout')) throw error;
        await onTurn();
        await ports.sleep.sleep(reconnectPauseMs * attempt);
      }
    }
  }

  /** The guard's own refusal passes; a name that can not be found is a server that can not be reached. */
  async function addressesOf({ egress }: SftpSourcePlan, host: string): Promise<readonly string[]> {
    const done = new AbortController();
    const late = ports.sleep.sleep(resolveMs, done.signal).then(() => {
      throw new SftpFailure('unreachable', 'the name of the server was not resolved in time');
    });
    late.catch(() => {});
    try {
      return await Promise.race([createAddressGuard(egress, options.resolveHost).addressesOf(host), late]);
    } catch (error) {
      if (error instanceof HeadgateError && error.code === connectorErrors.E_TARGET_UNREACHABLE)
        throw new SftpFailure('unreachable', 'the name of the server has no address', error);
      throw error;
    } finally {
      done.abort();
    }
  }

  function take(key: string, state: string): SftpSession | undefined {
    const found = kept.get(key);
    if (!found) return undefined;
    drop(key, found);
    if (found.session.isBroken || found.state !== state) {
      found.session.end();
      return undefined;
    }
    inUse.add(found.session);
    return found.session;
  }

  function keep(key: string, state: string, session: SftpSession): void {
    inUse.delete(session);
    if (session.isBroken || isClosed) {
      session.end();
      return;
    }
    const other = kept.get(key);
    if (other) end(key, other);
    const idle = new AbortController();
    const entry: Kept = { session, state, idle };
    kept.set(key, entry);
    if (kept.size > keptMax) end(...kept.entries().next().value!);
    void ports.sleep.sleep(idleMs, idle.signal).then(() => {
      if (kept.get(key) === entry) end(key, entry);
    });
  }

  function drop(key: string, { idle }: Kept): void {
    kept.delete(key);
    idle.abort();
  }

  function end(key: string, entry: Kept): void {
    drop(key, entry);
    entry.session.end();
  }

  return {
    open: ({ key, source, onTurn }) =>
      withSourceFailures('open a connection', async () => {
        const credentials = credentialsOf(source, secrets);
        const state = stateOf(source, credentials);
        const session = take(key, state) ?? (await connect(source, credentials));
        try {
          const folder = await realSourceFolder(session, source);
          const reopen = () => withSourceFailures('open a connection again', () => connectAgain(source, credentials, onTurn));
          return createSftpPlace({ session, reopen, folder, onTurn, clock: ports.clock, onClose: (last) => keep(key, state, last) });
        } catch (error) {
          keep(key, state, session);
          throw error;
        }
      }),
    close() {
      isClosed = true;
      for (const [key, entry] of kept) end(key, entry);
      for (const session of inUse) session.end();
    },
  };
}

function credentialsOf({ tenant, server }: SftpSourcePlan, secrets: ConnectionSecrets): SshCredentials {
  const resolver = secrets.of(tenant);
  if (server.password !== null) return { kind: 'password', password: resolver.resolve(server.password).reveal() };
  return {
    kind: 'key',
    privateKey: resolver.resolve(server.privateKey!).bytes(),
    passphrase: server.passphrase === null ? null : resolver.resolve(server.passphrase).reveal(),
  };
}

/** Holds no secret that could be read back. */
function stateOf({ server, root, egress }: SftpSourcePlan, credentials: SshCredentials): string {
  const secret = credentials.kind === 'password' ? credentials.password : [credentials.privateKey.toString(), credentials.passphrase];
  return createHash('sha256')
    .update(JSON.stringify([server, root, egress, secret]))
    .digest('hex');
}

function pinOf(text: string): HostKeyPin {
  const pin = readHostKeyPin(text);
  if (pin === null) throw new HeadgateError(arrivalErrors.E_SOURCE_HOST_KEY, 'a host key of the connection is none that is taken');
  return pin;
}
