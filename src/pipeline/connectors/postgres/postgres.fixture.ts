/** Tables of a database of their own, for tests of postgres targets. */
import { afterAll, beforeAll, inject } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/postgres.ts';
import { contractPlan, openOptions, outgoing } from '../connector-contract.fixture.ts';
import { postgresConnector } from './postgres-connector.ts';
import { targetDdl } from './target-ddl.ts';

/** Registers its own set-up: one database for the file's tests. */
export function postgresTables() {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase({ isEmpty: true });
  });
  afterAll(() => database.drop());
  let tables = 0;

  /** A table of its own in a schema of its own, with or without the effects table. */
  async function makeTable(withEffects: boolean, settings: Record<string, unknown> = {}): Promise<string> {
    const table = `t${++tables}.payment`;
    const plan = contractPlan({ type: 'postgres', settings: { table, ...settings } });
    const ddl = targetDdl(plan, plan.targets[0]!);
    for (const statement of ddl.split(';\n').filter((text) => text.trim() !== ''))
      await database.adminDb.query(`/* target ddl */ ${statement}`);
    if (!withEffects) await database.adminDb.query(`/* no effects */ drop table t${tables}.headgate_effects`);
    return table;
  }

  function optionsFor(table: string, port: number, settings: Record<string, unknown> = {}, connection: Record<string, unknown> = {}) {
    const admin = new URL(inject('testPostgres').adminUrl);
    return openOptions(postgresConnector, {
      settings: { table, ...settings },
      connection: {
        host: '127.0.0.1',
        port,
        database: database.name,
        user: decodeURIComponent(admin.username),
        password: 'env:HEADGATE_SECRET_BANK__P',
        tls: 'disable',
        ...connection,
      },
      env: { HEADGATE_SECRET_BANK__P: decodeURIComponent(admin.password) },
      target: { timeoutMs: 3_000 },
    });
  }

  const rowsOf = async (table: string) =>
    (await database.adminDb.query<{ id: string; customer: string }>(`/* rows */ select id, customer from ${table} order by id, customer`))
      .rows;
  const idsOf = async (table: string) => (await rowsOf(table)).map(({ id }) => id);

  return {
    get adminDb() {
      return database.adminDb;
    },
    get name() {
      return database.name;
    },
    makeTable,
    optionsFor,
    rowsOf,
    idsOf,
  };
}

export const serverPort = () => Number(new URL(inject('testPostgres').adminUrl).port);

export function withCustomers(...records: readonly (readonly [string, string])[]) {
  const lines = records.map(([id, customer]) => Buffer.from(`${JSON.stringify({ id, customer, amount: '1.00', currency: 'EUR' })}\n`));
  const batch = outgoing(records.map(([id], index) => `${id}${index}`));
  return { ...batch, body: { ...batch.body, lines: () => lines } };
}
