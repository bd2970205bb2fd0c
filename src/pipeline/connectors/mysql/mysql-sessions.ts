/** Sessions with a target database: made to an address that the guard let through, with a table that loses nothing. */

import { HeadgateError } from '../../../platform/base/errors.ts';
import type { SecretResolver } from '../../../platform/secrets/secret-resolver.ts';
import type { AddressGuard } from '../address-guard.ts';
import { connectorErrors } from '../connector-errors.ts';
import { createSessionPool, type PooledSession, type SessionPool, type SessionSecrets } from '../session-pool.ts';
import type { TransactionSession } from '../transaction-writes.ts';
import type { MysqlConnection } from './mysql-connection.ts';
import { connectFailure, serverErrorOf } from './mysql-failure.ts';
import type { MysqlSettings } from './mysql-settings.ts';
import { type MysqlStatements, mysqlStatements } from './mysql-sql.ts';
import { describeTable } from './mysql-table.ts';
import { createMysqlTransaction } from './mysql-transaction.ts';

export interface SessionsOptions {
  readonly settings: MysqlSettings;
  readonly guard: AddressGuard;
  readonly secrets: SecretResolver;
  readonly idleMax: number;
  readonly timeoutMs: number;
}

interface MysqlSession extends PooledSession, TransactionSession {}

export function createMysqlSessions(options: SessionsOptions): SessionPool<MysqlSession> {
  const { settings, secrets, idleMax } = options;
  const { password, certificateAuthority } = settings;
  const statements = mysqlStatements(settings);
  return createSessionPool({
    idleMax,
    readSecrets: () => ({
      password: secrets.resolve(password).reveal(),
      certificateAuthority: certificateAuthority === null ? null : secrets.resolve(certificateAuthority).reveal(),
    }),
    connect: async (now, signal) => {
      const connection = await connect(options, now, signal);
      const end = () => connection.destroy();
      signal.addEventListener('abort', end, { once: true });
      try {
        signal.throwIfAborted();
        return await describe(connection, settings, statements);
      } catch (error) {
        connection.destroy();
        throw error;
      } finally {
        signal.removeEventListener('abort', end);
      }
    },
  });
}

/** Tries every address in order; each is one that the guard let through now. */
async function connect(
  { settings, guard, timeoutMs }: SessionsOptions,
  secrets: SessionSecrets,
  signal: AbortSignal,
): Promise<MysqlConnection> {
  const addresses = await guard.addressesOf(settings.host);
  // The driver is loaded with the first connection: few servers have such targets.
  const { openMysqlConnection } = await import('./mysql-connection.ts');
  for (const [index, address] of addresses.entries()) {
    try {
      return await openMysqlConnection({ settings, address, secrets, timeoutMs }, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      if (index + 1 === addresses.length || serverErrorOf(error) !== undefined) throw connectFailure(error);
    }
  }
  throw new HeadgateError(connectorErrors.E_TARGET_UNREACHABLE, 'the host name of the target has no address');
}

async function describe(connection: MysqlConnection, settings: MysqlSettings, statements: MysqlStatements): Promise<MysqlSession> {
  const facts = await describeTable(connection, settings);
  return {
    get isBroken() {
      return connection.isBroken;
    },
    destroy: () => connection.destroy(),
    ...createMysqlTransaction({ connection, facts, statements, settings }),
  };
}
