/**
 * The Db port: what code above may ask of PostgreSQL. Statements are plain SQL constants that open with their name,
 * `/* claim chunks *\/ select …`, so that logs and pg_stat_statements point back to the code. Production gives `pool.ts`.
 *
 * Values as they arrive: int8 and int4 as number (a value beyond 2^53 fails: cast it to text), numeric as decimal string,
 * timestamptz as Date, date as `YYYY-MM-DD`, bytea as Buffer, json and jsonb parsed, uuid as lower-case string.
 */
export interface QueryResult<Row> {
  readonly rows: Row[];
  /** Rows inserted, updated, deleted or returned. */
  readonly rowCount: number;
}

export interface Queryable {
  /** Runs one named statement. Fails with the codes of postgres-errors.ts. */
  query<Row = Record<string, unknown>>(sql: string, params?: readonly unknown[]): Promise<QueryResult<Row>>;
}

/** An open transaction. Valid only until the function it was given to has settled. */
export interface Tx extends Queryable {
  /** Names the transaction for `resolveCommit`; undefined when it is read only. */
  readonly xid: string | undefined;
}

export interface TransactionOptions {
  /** A read-only transaction takes no transaction id and refuses writes. */
  readonly readOnly?: boolean;
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable';
  /** Settings for this transaction only (`set_config(name, value, true)`), made in the round trip of BEGIN. */
  readonly localSettings?: Readonly<Record<string, string>>;
}

export interface Db extends Queryable {
  /**
   * Runs `fn` in one transaction: commits when it resolves, rolls back when it rejects. A COMMIT without an answer rejects
   * with CommitUnknownError (E_COMMIT_UNKNOWN): ask `resolveCommit`, or look the work up by its key.
   */
  transaction<T>(fn: (tx: Tx) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Waits for running statements, then closes the connections. */
  close(): Promise<void>;
}

const statementName = /^\s*\/\*\s*([A-Za-z0-9][A-Za-z0-9 _.:-]{0,62})\s*\*\//;
const namesByText = new Map<string, string>();

/** The name in the leading comment. A statement without one is a programmer's error. */
export function nameOfStatement(sql: string): string {
  const known = namesByText.get(sql);
  if (known !== undefined) return known;
  const name = statementName.exec(sql)?.[1]?.trim();
  if (name === undefined)
    throw new Error(`an SQL statement has no name: start it with a comment like /* claim chunks */: ${sql.slice(0, 60)}`);
  if (namesByText.size < 5_000) namesByText.set(sql, name);
  return name;
}
