/** Targets of the postgres connector: what a transaction target asks of a session, in PostgreSQL's statements. */
import { HeadgateError } from '../../../platform/base/errors.ts';
import { createAddressGuard } from '../address-guard.ts';
import type { OpenOptions, Target } from '../connector.ts';
import { createTransactionTarget, type TransactionRow } from '../transaction-target.ts';
import { isRowFault, refusedBy, sqlStateOf } from './postgres-failure.ts';
import { createPostgresSessions, type PostgresQuery } from './postgres-sessions.ts';
import { readPostgresSettings } from './postgres-settings.ts';
import { type PostgresStatements, postgresStatements } from './postgres-sql.ts';

/** Fails with E_TARGET on settings that can't work. */
export function openPostgresTarget(options: OpenOptions): Target {
  const settings = readPostgresSettings(options);
  const statements = postgresStatements(settings);
  const { timeoutMs, concurrency } = options.target;
  const sessions = createPostgresSessions({
    settings,
    describe: statements.describe,
    transaction: (query) => transactionOf(query, statements, settings.keys),
    guard: createAddressGuard(options.egress, options.ports.resolveHost),
    secrets: options.secrets,
    idleMax: concurrency,
    timeoutMs,
  });
  return createTransactionTarget({
    sessions,
    timeoutMs,
    clock: options.ports.clock,
    refusedBy,
    // An ERROR at COMMIT is the server's verdict.
    isRolledBack: (error) => sqlStateOf(error) !== undefined,
  });
}

function transactionOf(query: PostgresQuery, statements: PostgresStatements, keys: readonly string[]) {
  // Released with the next one or by the end of the transaction, which saves a round trip.
  let isMarked = false;
  return {
    async begin(idleMs: number) {
      isMarked = false;
      await query(`/* begin delivery */ begin; set local idle_in_transaction_session_timeout = ${idleMs}`);
    },
    async claimEffects(deliveryKeys: readonly string[], batchId: string) {
      const { rows } = await query<{ count: number; fresh: string[] | null }>(statements.claimEffects, [deliveryKeys, batchId]);
      const { count, fresh } = rows[0]!;
      return new Set(count === deliveryKeys.length ? deliveryKeys : fresh);
    },
    async releaseEffects(deliveryKeys: readonly string[]) {
      await query(statements.releaseEffects, [deliveryKeys]);
    },
    async countEffects(deliveryKeys: readonly string[]) {
      const { rows } = await query<{ count: number }>(statements.countEffects, [deliveryKeys]);
      return rows[0]!.count;
    },
    partsOf: (rows: readonly TransactionRow[]) => wavesOf(rows, keys),
    async writeRows(rows: readonly TransactionRow[]) {
      await query(isMarked ? '/* mark again */ release savepoint delivery; savepoint delivery' : '/* mark */ savepoint delivery');
      isMarked = true;
      try {
        await query(statements.writeRows, [`[${rows.map(({ json }) => json).join(',')}]`]);
        return true;
      } catch (error) {
        if (error instanceof HeadgateError || !isRowFault(error)) throw error;
        await query('/* undo */ rollback to savepoint delivery');
        return false;
      }
    },
    async markOrder() {
      await query('/* mark order */ savepoint delivery_order');
    },
    async undoOrder() {
      await query('/* undo order */ rollback to savepoint delivery_order');
      isMarked = false;
    },
    async commit() {
      await query('/* commit delivery */ commit');
    },
  };
}

/** One statement can't change a row twice: a key that comes again starts the next one, so the last record of a key wins. */
function wavesOf(rows: readonly TransactionRow[], keys: readonly string[]): TransactionRow[][] {
  if (keys.length === 0) return rows.length === 0 ? [] : [[...rows]];
  const waves: TransactionRow[][] = [];
  let seen = new Set<string>();
  for (const row of rows) {
    const values = JSON.parse(row.json) as Record<string, unknown>;
    const key = JSON.stringify(keys.map((name) => values[name] ?? null));
    if (waves.length === 0 || seen.has(key)) {
      waves.push([]);
      seen = new Set();
    }
    seen.add(key);
    waves.at(-1)!.push(row);
  }
  return waves;
}
