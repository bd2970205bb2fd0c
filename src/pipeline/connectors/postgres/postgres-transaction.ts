/** What a transaction target asks of a session, in PostgreSQL's statements. */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { TransactionRow, TransactionSession } from '../transaction-writes.ts';
import { isRowFault } from './postgres-failure.ts';
import type { PostgresStatements } from './postgres-sql.ts';

export type PostgresQuery = <Row>(sql: string, params?: readonly unknown[]) => Promise<{ readonly rows: Row[] }>;

type Transaction = Omit<TransactionSession, 'hasEffects'>;

export function createPostgresTransaction(query: PostgresQuery, statements: PostgresStatements, keys: readonly string[]): Transaction {
  // Released with the next one or by the end of the transaction, which saves a round trip.
  let isMarked = false;

  /** Null: one of the rows that it writes is at fault. */
  async function unlessAtFault<Row>(sql: string, params: readonly unknown[]): Promise<Row[] | null> {
    try {
      return (await query<Row>(sql, params)).rows;
    } catch (error) {
      if (error instanceof HeadgateError || !isRowFault(error)) throw error;
      return null;
    }
  }

  return {
    async begin(idleMs) {
      isMarked = false;
      await query(`/* begin delivery */ begin; set local idle_in_transaction_session_timeout = ${idleMs}`);
    },
    async rollback() {
      await query('/* undo delivery */ rollback');
    },
    async claimEffects(deliveryKeys, batchId, rows) {
      const isWithRows = rows !== null && wavesOf(rows, keys).length === 1;
      const claimed = isWithRows
        ? await unlessAtFault<Claimed>(statements.claimAndWrite, [deliveryKeys, batchId, jsonOf(rows)])
        : (await query<Claimed>(statements.claimEffects, [deliveryKeys, batchId])).rows;
      if (claimed === null) return null;
      const { count, fresh } = claimed[0]!;
      const areAllFresh = count === deliveryKeys.length;
      return { fresh: new Set(areAllFresh ? deliveryKeys : fresh), isWritten: areAllFresh && isWithRows };
    },
    async releaseEffects(deliveryKeys) {
      await query(statements.releaseEffects, [deliveryKeys]);
    },
    async countEffects(deliveryKeys) {
      const { rows } = await query<{ count: number }>(statements.countEffects, [deliveryKeys]);
      return rows[0]!.count;
    },
    partsOf: (rows) => wavesOf(rows, keys),
    async writeRows(rows) {
      return (await unlessAtFault(statements.writeRows, [jsonOf(rows)])) !== null;
    },
    async mark() {
      await query(isMarked ? '/* mark again */ release savepoint delivery; savepoint delivery' : '/* mark */ savepoint delivery');
      isMarked = true;
    },
    async undo() {
      await query('/* undo */ rollback to savepoint delivery');
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

interface Claimed {
  readonly count: number;
  /** Null where it is none or all. */
  readonly fresh: readonly string[] | null;
}

function jsonOf(rows: readonly TransactionRow[]): string {
  return `[${rows.map(({ json }) => json).join(',')}]`;
}

/** One statement can't change a row twice: a key that comes again starts the next one, so the last record of a key wins. */
function wavesOf(rows: readonly TransactionRow[], keys: readonly string[]): (readonly TransactionRow[])[] {
  if (keys.length === 0) return rows.length === 0 ? [] : [rows];
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
