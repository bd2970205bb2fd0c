import pg from 'pg';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/postgres.ts';
import { outgoing } from '../connector-contract.fixture.ts';
import { writeBatch } from '../transaction-writes.ts';
import type { PostgresSettings } from './postgres-settings.ts';
import { postgresStatements } from './postgres-sql.ts';
import { createPostgresTransaction, type PostgresQuery } from './postgres-transaction.ts';

let database: TestDatabase;
let client: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase({ isEmpty: true });
  const url = new URL(inject('testPostgres').adminUrl);
  url.pathname = `/${database.name}`;
  client = new pg.Client({ connectionString: url.href });
  await client.connect();
  await database.adminDb.query('/* effects */ create table headgate_effects (delivery_key text primary key, batch_id uuid)');
  await database.adminDb.query("/* rows */ create table payment (id text check (id <> 'bad'))");
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

const batchId = '00000000-0000-7000-8000-000000000001';
const settings = { table: { schema: 'public', name: 'payment' }, mode: 'insert', keys: [], columns: ['id'] } as unknown as PostgresSettings;
const stored = async () => (await client.query('select id from payment order by id')).rows.map(({ id }) => id);
const rowsOf = (...ids: readonly string[]) => ids.map((id, index) => ({ index, json: JSON.stringify({ id }), bytes: id.length }));

/** `after` runs once the statement was answered. */
function transactionWith(after: (sql: string) => Promise<void>) {
  const sent: string[] = [];
  const query: PostgresQuery = async (sql, params = []) => {
    sent.push(/\/\* (.*?) \*\//.exec(sql)![1]!);
    const { rows } = await client.query(sql, params as unknown[]);
    await after(sql);
    return { rows };
  };
  return { sent, transaction: createPostgresTransaction(query, postgresStatements(settings), settings.keys) };
}

it('a batch whose rows are all good takes three statements', async () => {
  const { sent, transaction } = transactionWith(async () => {});
  await transaction.begin(1_000, { checksAtOnce: false });
  expect(await transaction.writeNew(rowsOf('a', 'b'), { keys: ['k1', 'k2'], batchId })).toBe(true);
  await transaction.commit();
  expect(sent).toEqual(['begin delivery', 'write rows with effects', 'commit delivery']);
  expect(await stored()).toEqual(['a', 'b']);
});

it('where one of the keys is there, none of the rows is written with them, and the others can be told', async () => {
  const { transaction } = transactionWith(async () => {});
  await transaction.begin(1_000, { checksAtOnce: false });
  expect(await transaction.writeNew(rowsOf('b', 'c'), { keys: ['k2', 'k3'], batchId })).toBe(false);
  await transaction.rollback();
  await transaction.begin(1_000, { checksAtOnce: false });
  expect(await transaction.claimEffects({ keys: ['k2', 'k3'], batchId })).toEqual(new Set(['k3']));
  await transaction.rollback();
  expect(await stored()).toEqual(['a', 'b']);
});

it('a record that another attempt wrote while a bad one was looked for is not written twice', async () => {
  const other = "/* other attempt */ insert into headgate_effects (delivery_key, batch_id) values ('k4', $1)";
  const { transaction } = transactionWith(async (sql) => {
    if (sql.includes('undo delivery')) await database.adminDb.query(other, [batchId]);
  });
  const batch = outgoing(['d', 'bad', 'e'], { deliveryKeys: async () => ['k4', 'k5', 'k6'] });
  const lines = ['d', 'bad', 'e'].map((id) => Buffer.from(`${JSON.stringify({ id })}\n`));
  const session = { ...transaction, hasEffects: true };
  const refused = await writeBatch(
    session,
    { ...batch, body: { ...batch.body, lines: () => lines } },
    { timeoutMs: 1_000, wasAtFault: false },
  );
  await transaction.commit();
  const message = 'PostgreSQL answered with SQLSTATE 23514';
  expect(refused).toEqual([{ index: 1, status: 'refused', code: 'E_TARGET_RECORD', message }]);
  expect(await stored()).toEqual(['a', 'b', 'e']);
});
