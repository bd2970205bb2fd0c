/**
 * Connections to a target database: made to an address that the guard let through, never to a database of Headgate, kept
 * for the next batch, and dropped whenever something was odd.
 */
import { isIP } from 'node:net';
import pg from 'pg';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { SecretResolver } from '../../../platform/secrets/secret-resolver.ts';
import type { AddressGuard } from '../address-guard.ts';
import { connectorErrors } from '../connector-errors.ts';
import type { PostgresSettings } from './postgres-settings.ts';

export interface PostgresSession {
  readonly hasEffects: boolean;
  query<Row>(sql: string, params?: readonly unknown[]): Promise<{ readonly rows: Row[]; readonly rowCount: number }>;
}

export interface PostgresSessions {
  /** Runs `work` with a session that nobody else has. It is kept only if `work` resolves. `signal` ends the connection. */
  use<T>(signal: AbortSignal, work: (session: PostgresSession) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface SessionsOptions {
  readonly settings: PostgresSettings;
  readonly describe: string;
  readonly guard: AddressGuard;
  readonly secrets: SecretResolver;
  readonly idleMax: number;
  readonly timeoutMs: number;
}

interface OpenSession extends PostgresSession {
  readonly client: pg.Client;
  readonly password: string;
  isBroken: boolean;
}

export function createPostgresSessions(options: SessionsOptions): PostgresSessions {
  const { settings, secrets, idleMax } = options;
  const idle: OpenSession[] = [];

  async function take(): Promise<OpenSession> {
    const password = secrets.resolve(settings.password).reveal();
    for (let session = idle.pop(); session !== undefined; session = idle.pop()) {
      if (!session.isBroken && session.password === password) return session;
      destroy(session);
    }
    return await connect(options, password);
  }
  return {
    async use(signal, work) {
      const session = await take();
      const end = () => destroy(session);
      signal.addEventListener('abort', end, { once: true });
      let isKept = false;
      try {
        signal.throwIfAborted();
        const result = await work(session);
        isKept = !session.isBroken && !signal.aborted && idle.length < idleMax;
        return result;
      } finally {
        signal.removeEventListener('abort', end);
        if (isKept) idle.push(session);
        else destroy(session);
      }
    },
    async close() {
      for (const session of idle.splice(0)) destroy(session);
    },
  };
}

/** At once and without a farewell: nobody waits for a server that does not answer. */
function destroy(session: OpenSession): void {
  session.isBroken = true;
  (session.client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}

/** Tries every address in order; each is one that the guard let through now. */
async function connect(options: SessionsOptions, password: string): Promise<OpenSession> {
  const { settings, guard } = options;
  const addresses = await guard.addressesOf(settings.host);
  for (const [index, address] of addresses.entries()) {
    try {
      return await connectTo(options, address, password);
    } catch (error) {
      if (index + 1 === addresses.length || error instanceof HeadgateError) throw error;
    }
  }
  throw new HeadgateError(connectorErrors.E_TARGET_UNREACHABLE, 'the host name of the target has no address');
}

async function connectTo(
  { settings, secrets, describe, timeoutMs }: SessionsOptions,
  address: string,
  password: string,
): Promise<OpenSession> {
  const client = new pg.Client({
    host: address,
    port: settings.port,
    database: settings.database,
    user: settings.user,
    password,
    ssl: tlsOf(settings, secrets),
    application_name: 'headgate',
    connectionTimeoutMillis: timeoutMs,
    statement_timeout: timeoutMs,
    idle_in_transaction_session_timeout: timeoutMs,
  });
  const session: OpenSession = {
    client,
    password,
    isBroken: false,
    hasEffects: false,
    async query<Row>(sql: string, params: readonly unknown[] = []) {
      const result = await client.query(sql, params as unknown[]);
      return { rows: result.rows as Row[], rowCount: result.rowCount ?? 0 };
    },
  };
  client.on('error', () => {
    session.isBroken = true;
  });
  try {
    await client.connect();
    const { rows } = await session.query<{ hasTable: boolean; hasEffects: boolean; isOurs: boolean }>(describe);
    const { hasTable, hasEffects, isOurs } = rows[0]!;
    if (isOurs) throw new HeadgateError(connectorErrors.E_TARGET, 'the database of the target belongs to Headgate');
    if (!hasTable) throw new HeadgateError(connectorErrors.E_TARGET_SETUP, 'the table of the target does not exist or can not be seen');
    return Object.assign(session, { hasEffects });
  } catch (error) {
    destroy(session);
    throw error;
  }
}

function tlsOf({ tls, host, certificateAuthority }: PostgresSettings, secrets: SecretResolver) {
  if (tls === 'disable') return false;
  const ca = certificateAuthority === null ? {} : { ca: secrets.resolve(certificateAuthority).reveal() };
  return { rejectUnauthorized: tls === 'verify-full', ...(isIP(host) === 0 ? { servername: host } : {}), ...ca };
}
