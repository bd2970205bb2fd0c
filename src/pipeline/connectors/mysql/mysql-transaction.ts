/** What a transaction target asks of a session, in statements that MySQL and MariaDB share. */
import { HeadgateError } from '../../../platform/base/errors.ts';
import { connectorErrors } from '../connector-errors.ts';
import type { TransactionRow, TransactionSession } from '../transaction-writes.ts';
import type { MysqlConnection } from './mysql-connection.ts';
import { answerOf, duplicateKey, isLoss, isRowFault, serverErrorOf } from './mysql-failure.ts';
import { partsOf, valuesOf } from './mysql-parts.ts';
import type { MysqlSettings } from './mysql-settings.ts';
import type { MysqlStatements } from './mysql-sql.ts';
import { assertUnchanged, hadEffectsAt, type TableFacts } from './mysql-table.ts';

export interface TransactionOptions {
  readonly connection: MysqlConnection;
  readonly facts: TableFacts;
  readonly statements: MysqlStatements;
  readonly settings: MysqlSettings;
}

/** The server takes no statement with more parameters. */
const paramsMax = 65_535;
const partRowsMax = 1_024;
const partBytesMax = 4 * 1024 * 1024;
/** What a statement needs besides values: the JSON of a record is longer than its values are in a packet, but for a bit for each of them. */
const packetReserveBytes = 16 * 1024;

export function createMysqlTransaction(options: TransactionOptions): TransactionSession {
  const { connection, facts, statements, settings } = options;
  const columns = settings.columns.map(({ name }) => name);
  const rowBytesMax = Math.max(512, facts.packetBytesMax - packetReserveBytes);
  const limits = {
    countMax: Math.max(1, Math.min(partRowsMax, Math.floor(paramsMax / columns.length))),
    bytesMax: Math.min(partBytesMax, rowBytesMax),
  };
  const keyParts = (keys: readonly string[]) =>
    partsOf(
      keys.map((key) => ({ key, bytes: Buffer.byteLength(key) + 64 })),
      limits,
    ).map((part) => part.map(({ key }) => key));
  let idleSeconds = 0;

  async function findEffects(keys: readonly string[]): Promise<Set<string>> {
    const found = new Set<string>();
    for (const part of keyParts(keys)) {
      const { rows } = await connection.execute(statements.findEffects(part.length), part);
      for (const { deliveryKey } of rows) found.add(String(deliveryKey));
    }
    return found;
  }

  async function insertEffects(keys: readonly string[], batchId: string): Promise<boolean> {
    try {
      await connection.execute(
        statements.claimEffects(keys.length),
        keys.flatMap((key) => [key, batchId]),
      );
      return true;
    } catch (error) {
      if (serverErrorOf(error)?.number !== duplicateKey) throw error;
      return false;
    }
  }

  async function writeRows(rows: readonly TransactionRow[]): Promise<string | null> {
    if (rows.length === 1 && rows[0]!.bytes > rowBytesMax) return 'the record is larger than a packet that the server takes';
    try {
      const params: (string | boolean | null)[] = [];
      for (const { json } of rows) {
        const values = valuesOf(json, columns);
        const changed = values.findIndex((value, at) => typeof value === 'string' && facts.changes[at]?.(value));
        if (changed >= 0) return `the column ${columns[changed]} would keep a value otherwise than it was sent`;
        params.push(...values);
      }
      const { warnings } = await connection.execute(statements.writeRows(rows.length), params);
      return warnings === 0 ? null : await lossOf(connection, warnings);
    } catch (error) {
      if (!isRowFault(error)) throw error;
      return answerOf(error)!;
    }
  }

  return {
    hasEffects: facts.hasEffects,
    async begin(idleMs) {
      const seconds = Math.floor(idleMs / 1000);
      if (seconds < 1) {
        const message = 'leases or the timeout are too short: a MySQL server ends idle sessions after whole seconds only';
        throw new HeadgateError(connectorErrors.E_TARGET, message);
      }
      if (seconds !== idleSeconds) await connection.query(`/* idle limit */ set session wait_timeout = ${seconds}`);
      idleSeconds = seconds;
      await connection.query('/* begin delivery */ start transaction');
    },
    async rollback() {
      await connection.query('/* undo delivery */ rollback');
    },
    async writeNew(rows, effects) {
      if (effects !== null) for (const part of keyParts(effects.keys)) if (!(await insertEffects(part, effects.batchId))) return false;
      for (const part of partsOf(rows, limits)) if ((await writeRows(part)) !== null) return false;
      return true;
    },
    async claimEffects({ keys, batchId }) {
      const fresh = new Set<string>();
      for (const part of keyParts(keys)) {
        let missing = part;
        if (!(await insertEffects(part, batchId))) {
          const found = await findEffects(part);
          missing = part.filter((key) => !found.has(key));
          for (const some of keyParts(missing)) {
            if (!(await insertEffects(some, batchId)))
              throw new HeadgateError(connectorErrors.E_TARGET_BUSY, 'another attempt writes the same records');
          }
        }
        for (const key of missing) fresh.add(key);
      }
      return fresh;
    },
    async releaseEffects(keys) {
      for (const part of keyParts(keys)) await connection.execute(statements.releaseEffects(part.length), part);
    },
    async countEffects(keys) {
      return (await findEffects(keys)).size;
    },
    hadEffectsAt: (at) => hadEffectsAt(connection, settings, at),
    partsOf: (rows) => partsOf(rows, limits),
    writeRows,
    async mark() {
      await connection.query('/* mark */ savepoint delivery');
    },
    async undo() {
      await connection.query('/* undo */ rollback to savepoint delivery');
    },
    async markOrder() {
      await connection.query('/* mark order */ savepoint delivery_order');
    },
    async undoOrder() {
      await connection.query('/* undo order */ rollback to savepoint delivery_order');
    },
    assertTable: () => assertUnchanged(connection, settings, facts),
    async commit() {
      await connection.query('/* commit delivery */ commit');
    },
  };
}

/** Strict mode rounds decimals and cuts spaces with no more than a note. What the server has not kept a warning of may be one. */
async function lossOf(connection: MysqlConnection, warnings: number): Promise<string | null> {
  const { rows } = await connection.query('/* warnings */ show warnings');
  const loss = rows.map((row) => Number(row['Code'])).find(isLoss);
  if (loss !== undefined) return `the server warned with error ${loss}: it keeps a value otherwise than it was sent`;
  return rows.length < warnings ? 'the server warned of more than it keeps' : null;
}
