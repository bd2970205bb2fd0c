/** Connections to a target database: made to an address that the guard let through, never to a database of Headgate. */
import { isIP } from 'node:net';
import pg from 'pg';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { SecretResolver } from '../../../platform/secrets/secret-resolver.ts';
import type { AddressGuard } from '../address-guard.ts';
import { connectorErrors } from '../connector-errors.ts';
import { createSessionPool, type PooledSession, type SessionPool, type SessionSecrets } from '../session-pool.ts';
import type { TransactionSession } from '../transaction-writes.ts';
import type { ColumnTypes } from './postgres-columns.ts';
import { connectFailure } from './postgres-failure.ts';
import type { PostgresSettings } from './postgres-settings.ts';
import type { PostgresQuery } from './postgres-transaction.ts';

type Transaction = Omit<TransactionSession, 'hasEffects'>;

interface PostgresSession extends PooledSession, TransactionSession {}

interface Description {
  readonly hasTable: boolean;
  readonly hasEffects: boolean;
  readonly isOurs: boolean;
  readonly columnTypes: ColumnTypes;
}

export interface SessionsOptions {
  readonly settings: PostgresSettings;
  readonly describe: string;
  readonly findEffectsTable: string;
  /** Fails with E_TARGET_SETUP where the columns can't be. */
  readonly transaction: (query: PostgresQuery, columnTypes: ColumnTypes) => Transaction;
  readonly guard: AddressGuard;
  readonly secrets: SecretResolver;
  readonly idleMax: number;
  readonly timeoutMs: number;
}

export function createPostgresSessions(options: SessionsOptions): SessionPool<PostgresSession> {
  const { password, certificateAuthority } = options.settings;
  const { secrets, idleMax } = options;
  return createSessionPool({
    idleMax,
    readSecrets: () => ({
      password: secrets.resolve(password).reveal(),
      certificateAuthority: certificateAuthority === null ? null : secrets.resolve(certificateAuthority).reveal(),
    }),
    connect: (now, signal) => connect(options, now, signal),
  });
}

/** Tries every address in order; each is one that the guard let through now. */
async function connect(options: SessionsOptions, secrets: SessionSecrets, signal: AbortSignal): Promise<PostgresSession> {
  const { settings, guard } = options;
  const addresses = await guard.addressesOf(settings.host);
  for (const [index, address] of addresses.entries()) {
    try {
      return await connectTo(options, address, secrets, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      if (index + 1 === addresses.length || error instanceof HeadgateError) throw connectFailure(error);
    }
  }
  throw new HeadgateError(connectorErrors.E_TARGET_UNREACHABLE, 'the host name of the target has no address');
}

async function connectTo(
  { settings, describe, findEffectsTable, transaction, timeoutMs }: SessionsOptions,
  address: string,
  secrets: SessionSecrets,
  signal: AbortSignal,
): Promise<PostgresSession> {
  const client = new pg.Client({
    host: address,
    port: settings.port,
    database: settings.database,
    user: settings.user,
    password: secrets.password,
    ssl: tlsOf(settings, secrets),
    application_name: 'headgate',
    connectionTimeoutMillis: timeoutMs,
    statement_timeout: timeoutMs,
    idle_in_transaction_session_timeout: timeoutMs,
  });
  let isBroken = false;
  const destroy = () => {
    isBroken = true;
    (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  };
  const query: PostgresQuery = async <Row>(sql: string, params: readonly unknown[] = []) => {
    const result = await client.query(sql, params as unknown[]);
    return { rows: result.rows as Row[] };
  };
  client.on('error', () => {
    isBroken = true;
  });
  signal.addEventListener('abort', destroy, { once: true });
  try {
    signal.throwIfAborted();
    await client.connect();
    const { rows } = await query<Description>(describe);
    const { hasTable, hasEffects, isOurs, columnTypes } = rows[0]!;
    if (isOurs) throw new HeadgateError(connectorErrors.E_TARGET, 'the database of the target belongs to Headgate');
    const name = `${settings.table.schema}.${settings.table.name}`;
    if (!hasTable)
      throw new HeadgateError(connectorErrors.E_TARGET_SETUP, `the table of the target, "${name}", does not exist or can not be seen`);
    return {
      get isBroken() {
        return isBroken;
      },
      hasEffects,
      destroy,
      ...transaction(query, columnTypes),
      async assertTable() {
        if (hasEffects) return;
        const { rows } = await query<{ hasEffects: boolean }>(findEffectsTable);
        if (!rows[0]!.hasEffects) return;
        throw new HeadgateError(connectorErrors.E_TARGET_BUSY, 'the effects table was made meanwhile: the batch is written with its keys');
      },
    };
  } catch (error) {
    destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', destroy);
  }
}

function tlsOf({ tls, host }: PostgresSettings, { certificateAuthority }: SessionSecrets) {
  if (tls === 'disable') return false;
  const ca = certificateAuthority === null ? {} : { ca: certificateAuthority };
  return { rejectUnauthorized: tls === 'verify-full', ...(isIP(host) === 0 ? { servername: host } : {}), ...ca };
}
