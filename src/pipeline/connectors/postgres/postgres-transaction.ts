/** What a transaction target asks of a session, in PostgreSQL's statements. */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { TransactionRow, TransactionSession } from '../transaction-writes.ts';
import { type ColumnChanges, changedColumn, noColumnChanges } from './postgres-columns.ts';
import { answerOf, isRowFault } from './postgres-failure.ts';
import type { PostgresStatements } from './postgres-sql.ts';

export type PostgresQuery = <Row>(sql: string, params?: readonly unknown[]) => Promise<{ readonly rows: Row[] }>;

type Transaction = Omit<TransactionSession, 'hasEffects'>;

export function createPostgresTransaction(
  query: PostgresQuery,
  statements: PostgresStatements,
  keys: readonly string[],
  changes: ColumnChanges = noColumnChanges,
): Transaction {
  // Released with the next one or by the end of the transaction, which saves a round trip.
  let isMarked = false;

  /** Null: no column would change a value without a word. */
  function changeOf(rows: readonly TransactionRow[]): string | null {
    for (const { json } of rows) {
      const column = changedColumn(changes, json);
      if (column !== undefined) return `the column ${column} would keep a value otherwise than it was sent`;
    }
    return null;
  }

  async function write(sql: string, params: readonly unknown[]): Promise<string | null> {
    try {
      await query(sql, params);
      return null;
    } catch (error) {
      if (error instanceof HeadgateError || !isRowFault(error)) throw error;
      return answerOf(error)!;
    }
  }

  return {
    async begin(idleMs, { checksAtOnce }) {
      isMarked = false;
      const checks = checksAtOnce ? '; set constraints all immediate' : '';
      await query(
        `/* begin delivery */ begin; set local idle_in_transaction_session_timeout = ${idleMs}; set local timezone = 'UTC'${checks}`,
      );
    },
    async rollback() {
      await query('/* undo delivery */ rollback');
    },
    async writeNew(rows, effects) {
      if (changeOf(rows) !== null) return false;
      for (const [index, wave] of wavesOf(rows, keys).entries()) {
        const withKeys = effects !== null && index === 0;
        const params = withKeys ? [effects.keys, effects.batchId, jsonOf(wave)] : [jsonOf(wave)];
        if ((await write(withKeys ? statements.writeNew : statements.writeRows, params)) !== null) return false;
      }
      return true;
    },
    async claimEffects({ keys: deliveryKeys, batchId }) {
      const { rows } = await query<{ count: number; fresh: string[] | null }>(statements.claimEffects, [deliveryKeys, batchId]);
      const { count, fresh } = rows[0]!;
      return new Set(count === deliveryKeys.length ? deliveryKeys : fresh);
    },
    async releaseEffects(deliveryKeys) {
      await query(statements.releaseEffects, [deliveryKeys]);
    },
    async countEffects(deliveryKeys) {
      const { rows } = await query<{ count: number }>(statements.countEffects, [deliveryKeys]);
      return rows[0]!.count;
    },
    async hadEffectsAt(at) {
      const { rows } = await query<{ hadEffects: boolean }>(statements.hadEffectsAt, [at.toISOString()]);
      return rows[0]!.hadEffects;
    },
    partsOf: (rows) => wavesOf(rows, keys),
    async writeRows(rows) {
      return changeOf(rows) ?? (await write(statements.writeRows, [jsonOf(rows)]));
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
