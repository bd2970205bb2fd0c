/**
 * The Db port over a pool of PostgreSQL connections. It names and prepares statements, translates errors, keeps a broken
 * connection from being used again, and treats a COMMIT without an answer (a lost connection, or a cancelled wait for
 * synchronous replication) as unknown. After every transaction it makes sure that no tenant is left set on the connection.
 */
import { createHash } from 'node:crypto';
import pg from 'pg';
import { HeadgateError } from '../base/errors.ts';
import { type ArrayTypes, arrayTypesOf, encodeArrays } from './array-parameters.ts';
import { ClosingClient } from './closing-client.ts';
import { type Db, nameOfStatement, type QueryResult, type TransactionOptions, type Tx } from './database.ts';
import {
  CommitUnknownError,
  endsSession,
  isServerError,
  isStaleSession,
  postgresErrors,
  translatePostgresError,
} from './postgres-errors.ts';
import { serverRun, transactionName } from './server-run.ts';

export interface PoolOptions {
  readonly url: string;
  readonly applicationName: string;
  readonly connectionsMax?: number;
  readonly connectTimeoutMs?: number;
  /** 0 turns a limit off. */
  readonly statementTimeoutMs?: number;
  readonly lockTimeoutMs?: number;
  readonly idleInTransactionTimeoutMs?: number;
  /** `set role` for every connection of this pool; for migrations and tests. */
  readonly role?: string;
  /** Called after each statement; must not throw. Unknown: a COMMIT without an answer. */
  readonly observe?: (statement: string, outcome: 'ok' | 'failed' | 'unknown') => void;
}

const typeParsers = new Map<number, (text: string) => unknown>([
  [20, parseInt8],
  [1082, (text) => text],
]);

function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value))
    throw new HeadgateError(postgresErrors.E_DATABASE_VALUE, 'an int8 beyond 2^53 was read: cast it to text');
  return value;
}

const types = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    const own = format === 'binary' ? undefined : typeParsers.get(oid);
    return own ?? (pg.types.getTypeParser as (oid: number, format?: string) => (text: string) => unknown)(oid, format);
  },
};

/**
 * Opens nothing until the first statement. Fails then with E_DATABASE_UNREACHABLE or E_DATABASE_LOGIN. Once it was let in, a login that is
 * refused is a passing failure, E_DATABASE_UNREACHABLE: a password is being exchanged, or the server's rules of access are being mended.
 */
export function openPool(options: PoolOptions): Db {
  const pool = new pg.Pool({
    Client: ClosingClient,
    connectionString: options.url,
    application_name: options.applicationName,
    max: options.connectionsMax ?? 10,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 10_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    options: serverOptions(options),
    types: types as pg.CustomTypesConfig,
  });
  // An idle connection that breaks is dropped by the pool; the next statement reports whether the server is gone.
  pool.on('error', () => {});
  return new PooledDb(pool, options);
}

function serverOptions(options: PoolOptions): string {
  const settings = [
    `statement_timeout=${options.statementTimeoutMs ?? 60_000}`,
    `lock_timeout=${options.lockTimeoutMs ?? 20_000}`,
    `idle_in_transaction_session_timeout=${options.idleInTransactionTimeoutMs ?? 120_000}`,
    // A database and a role may have settings of their own; what is written and read here takes these for granted.
    'timezone=UTC',
    'datestyle=ISO',
    'extra_float_digits=1',
    'array_nulls=on',
    'standard_conforming_strings=on',
    'row_security=on',
    // The warning that a COMMIT's wait for its standby was cancelled must arrive.
    'client_min_messages=warning',
    'jit=off',
    // Every statement has an index. A plan that was made while a table was small is kept when it has grown: it must not read it whole.
    'enable_seqscan=off',
    'default_transaction_isolation=read\\ committed',
    ...(options.role === undefined ? [] : [`role=${options.role}`]),
  ];
  return settings.map((setting) => `-c ${setting}`).join(' ');
}

interface Prepared {
  /** Undefined: it is planned for its values each time. */
  readonly name: string | undefined;
  readonly arrays: ArrayTypes;
}

const preparedMax = 2_000;
const prepared = new Map<string, Prepared>();
/** Conditions that only some calls set. A plan that is kept serves both, and so uses no index for them. */
const hasOptionalConditions = /\$\d+(::[a-z0-9_[\]]+)? is null or /;

/** Prepared statements are named by text, so that two statements that share a name never meet on one connection. */
function prepare(sql: string, statement: string): Prepared {
  const known = prepared.get(sql);
  if (known !== undefined) return known;
  const arrays = arrayTypesOf(sql);
  if (prepared.size >= preparedMax || hasOptionalConditions.test(sql)) return { name: undefined, arrays };
  const name = `${statement.replaceAll(' ', '_').slice(0, 40)}_${createHash('sha256').update(sql).digest('hex').slice(0, 12)}`;
  prepared.set(sql, { name, arrays });
  return { name, arrays };
}

/** What every transaction ends with: the answer tells whether a tenant was left on the session. */
const sessionTenant = "select coalesce(current_setting('headgate.tenant', true), '') as tenant";

class PooledDb implements Db {
  readonly #pool: pg.Pool;
  readonly #options: PoolOptions;
  /** Connections that must not be used again. */
  readonly #spoiled = new WeakSet<pg.PoolClient>();
  /** Of each connection, since its first transaction: a connection does not outlive the run of its server. */
  readonly #serverRuns = new WeakMap<pg.PoolClient, string>();
  #wasLetIn = false;

  constructor(pool: pg.Pool, options: PoolOptions) {
    this.#pool = pool;
    this.#options = options;
  }

  async query<Row>(sql: string, params: readonly unknown[] = []): Promise<QueryResult<Row>> {
    const statement = nameOfStatement(sql);
    const client = await this.#connect(statement);
    try {
      return await this.#run<Row>(client, sql, statement, params);
    } finally {
      client.release(this.#spoiled.has(client));
    }
  }

  async transaction<T>(fn: (tx: Tx) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    const client = await this.#connect('begin');
    const notices: pg.DatabaseError[] = [];
    const onNotice = (notice: unknown) => notices.push(notice as pg.DatabaseError);
    client.on('notice', onNotice);
    let broken = true;
    let isOpen = true;
    try {
      const xid = await this.#begin(client, options);
      let result: T;
      try {
        result = await fn({
          xid,
          query: (sql, params = []) => {
            if (!isOpen) throw new Error('a transaction was used after it had ended');
            return this.#run(client, sql, nameOfStatement(sql), params);
          },
        });
      } catch (error) {
        isOpen = false;
        broken = !(await this.#rollback(client));
        throw error;
      }
      isOpen = false;
      await this.#commit(client, xid, notices);
      broken = false;
      return result;
    } finally {
      client.off('notice', onNotice);
      client.release(broken || this.#spoiled.has(client));
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #connect(statement: string): Promise<pg.PoolClient> {
    try {
      const client = await this.#pool.connect();
      this.#wasLetIn = true;
      return client;
    } catch (error) {
      const refusal = translatePostgresError(error, statement);
      throw this.#wasLetIn && refusal.code === postgresErrors.E_DATABASE_LOGIN
        ? new HeadgateError(postgresErrors.E_DATABASE_UNREACHABLE, `no new connection is let in: ${refusal.message}`, {
            cause: refusal.cause,
          })
        : refusal;
    }
  }

  async #run<Row>(client: pg.PoolClient, sql: string, statement: string, params: readonly unknown[]): Promise<QueryResult<Row>> {
    try {
      const { name, arrays } = prepare(sql, statement);
      const result = await client.query({ name, text: sql, values: encodeArrays(arrays, params) });
      this.#options.observe?.(statement, 'ok');
      return { rows: result.rows as Row[], rowCount: result.rowCount ?? 0 };
    } catch (error) {
      this.#options.observe?.(statement, 'failed');
      if (endsSession(error) || isStaleSession(error)) this.#spoiled.add(client);
      throw translatePostgresError(error, statement);
    }
  }

  /** One round trip for BEGIN, the settings and the transaction's id. An id without a write costs no flush at COMMIT. */
  async #begin(client: pg.PoolClient, options: TransactionOptions): Promise<string | undefined> {
    const settings = Object.entries(options.localSettings ?? {}).map(
      ([name, value]) => `set_config(${pg.escapeLiteral(name)}, ${pg.escapeLiteral(value)}, true)`,
    );
    const knownRun = this.#serverRuns.get(client);
    const runColumn = options.readOnly || knownRun !== undefined ? [] : [`${serverRun} as run`];
    const columns = [options.readOnly ? 'null as xid' : 'pg_current_xact_id()::text as xid', ...runColumn, ...settings];
    const mode = `${options.isolation ? ` isolation level ${options.isolation}` : ''}${options.readOnly ? ' read only' : ''}`;
    try {
      const results = (await client.query(`/* begin */ begin${mode}; select ${columns.join(', ')}`)) as unknown as pg.QueryResult[];
      const { xid, run = knownRun } = results[1]!.rows[0] as { xid: string | null; run?: string };
      if (xid === null) return undefined;
      this.#serverRuns.set(client, run!);
      return transactionName(xid, run!);
    } catch (error) {
      throw translatePostgresError(error, 'begin');
    }
  }

  async #commit(client: pg.PoolClient, xid: string | undefined, notices: readonly pg.DatabaseError[]): Promise<void> {
    let results: pg.QueryResult[];
    try {
      results = (await client.query(`/* commit */ commit; ${sessionTenant}`)) as unknown as pg.QueryResult[];
    } catch (error) {
      // An ERROR is the server's verdict: rolled back. Anything that ended the session leaves the outcome open.
      // What only read has nothing that could be in doubt.
      const isCertain = xid === undefined || (isServerError(error) && !endsSession(error));
      this.#options.observe?.('commit', isCertain ? 'failed' : 'unknown');
      if (isCertain) throw translatePostgresError(error, 'commit');
      throw new CommitUnknownError(xid, error);
    }
    const cancelledWait = notices.find(isCancelledReplicationWait);
    if (cancelledWait !== undefined) {
      this.#options.observe?.('commit', 'unknown');
      throw new CommitUnknownError(xid, cancelledWait);
    }
    if (results[0]!.command !== 'COMMIT') {
      throw new HeadgateError(
        postgresErrors.E_TRANSACTION_ABORTED,
        'a transaction with a failed statement was committed: it was rolled back',
      );
    }
    assertNoTenant(results[1]!);
    this.#options.observe?.('commit', 'ok');
  }

  /** Returns false when the connection must not be used again. */
  async #rollback(client: pg.PoolClient): Promise<boolean> {
    try {
      const results = (await client.query(`/* rollback */ rollback; ${sessionTenant}`)) as unknown as pg.QueryResult[];
      return (results[1]!.rows[0] as { tenant: string }).tenant === '';
    } catch {
      // The connection is gone, and with it the transaction; the caller gets the error that led here.
      return false;
    }
  }
}

function isCancelledReplicationWait(notice: pg.DatabaseError): boolean {
  return notice.routine === 'SyncRepWaitForLSN' || /wait for synchronous replication/.test(notice.message ?? '');
}

function assertNoTenant(result: pg.QueryResult): void {
  const { tenant } = result.rows[0] as { tenant: string };
  if (tenant !== '') throw new Error('a session-wide tenant setting outlived its transaction; the connection is dropped');
}
