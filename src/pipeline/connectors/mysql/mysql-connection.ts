/** One connection to a MySQL or MariaDB server at an address that was judged: strict, in UTC and UTF-8, and bounded in time. */
import { connect as connectSocket } from 'node:net';
import { createConnection } from 'mysql2';
import type { PooledSession, SessionSecrets } from '../session-pool.ts';
import type { MysqlSettings } from './mysql-settings.ts';

export interface MysqlConnection extends PooledSession {
  query(sql: string): Promise<MysqlAnswer>;
  /** A prepared statement, kept for the next time. */
  execute(sql: string, params: readonly (string | boolean | null)[]): Promise<MysqlAnswer>;
}

export interface MysqlAnswer {
  /** None of statements that return none. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** How many warnings and notes it has left. */
  readonly warnings: number;
}

export interface ConnectionOptions {
  readonly settings: MysqlSettings;
  readonly address: string;
  readonly secrets: SessionSecrets;
  readonly timeoutMs: number;
}

/** Each takes a server some MiB: of the rows and of the keys of the sizes that batches have. */
const preparedMax = 8;

export async function openMysqlConnection(options: ConnectionOptions, signal: AbortSignal): Promise<MysqlConnection> {
  const { settings, address, secrets, timeoutMs } = options;
  const socket = connectSocket({ host: address, port: settings.port, noDelay: true, keepAlive: true });
  let isBroken = false;
  const destroy = () => {
    isBroken = true;
    socket.destroy();
  };
  signal.addEventListener('abort', destroy, { once: true });
  try {
    const client = createConnection({
      // Certificates are for the name; the socket goes to the address.
      host: settings.host,
      stream: () => socket,
      database: settings.database,
      user: settings.user,
      password: secrets.password,
      ...tlsOf(settings, secrets),
      connectTimeout: timeoutMs,
      maxPreparedStatements: preparedMax,
      dateStrings: true,
      supportBigNumbers: true,
      disableEval: true,
      // A server must not ask for files of this machine.
      flags: ['-LOCAL_FILES'],
      connectAttributes: { program_name: 'headgate' },
    });
    await new Promise<void>((resolve, reject) => {
      client.on('error', (error) => {
        isBroken = true;
        reject(error);
      });
      client.on('end', () => {
        isBroken = true;
      });
      client.connect((error) => (error ? reject(error) : resolve()));
    });
    const answerTo = (ask: (done: (error: unknown, result: unknown) => void) => void) =>
      new Promise<MysqlAnswer>((resolve, reject) => {
        ask((error, result) => {
          if (error) reject(error);
          else if (Array.isArray(result)) resolve({ rows: result, warnings: 0 });
          else resolve({ rows: [], warnings: (result as { warningStatus?: number }).warningStatus ?? 0 });
        });
      });
    const connection: MysqlConnection = {
      get isBroken() {
        return isBroken;
      },
      destroy,
      query: (sql) => answerTo((done) => client.query(sql, done)),
      execute: (sql, params) => answerTo((done) => client.execute(sql, [...params], done)),
    };
    for (const statement of sessionStatements(timeoutMs)) await connection.query(statement);
    return connection;
  } catch (error) {
    destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', destroy);
  }
}

/** What the server waits for at most is less than the attempt may take, in whole seconds. Only MariaDB ends statements by time. */
function sessionStatements(timeoutMs: number): string[] {
  const lockSeconds = Math.max(1, Math.floor(timeoutMs / 1000) - 1);
  const modes = ['STRICT_ALL_TABLES', 'NO_ZERO_DATE', 'NO_ZERO_IN_DATE', 'ERROR_FOR_DIVISION_BY_ZERO', 'NO_AUTO_VALUE_ON_ZERO'];
  return [
    `/* session */ set names utf8mb4, time_zone = '+00:00', sql_mode = '${modes.join(',')},NO_ENGINE_SUBSTITUTION', autocommit = 1,
      innodb_lock_wait_timeout = ${lockSeconds}, lock_wait_timeout = ${lockSeconds} /*M!100100 , max_statement_time = ${timeoutMs / 1000} */`,
    // Keys that are not there are not locked, so that batches do not wait for each other.
    '/* isolation */ set session transaction isolation level read committed',
  ];
}

function tlsOf({ tls }: MysqlSettings, { certificateAuthority }: SessionSecrets) {
  if (tls === 'disable') return {};
  const isVerified = tls === 'verify-full';
  const ca = certificateAuthority === null ? {} : { ca: certificateAuthority };
  return { ssl: { rejectUnauthorized: isVerified, verifyIdentity: isVerified, ...ca } };
}
