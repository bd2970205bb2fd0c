/** A MariaDB of the test file, and targets of the mysql connector that write to it. */
import { afterAll, beforeAll } from 'vitest';
import { hasComponent } from '../../../../test/support/components.ts';
import { type MariaDb, startMariaDb } from '../../../../test/support/mariadb.ts';
import type { OutgoingBatch, Target } from '../connector.ts';
import { contractPlan, openOptions, outgoing } from '../connector-contract.fixture.ts';
import { mysqlConnector } from './mysql-connector.ts';
import { mysqlDdl } from './mysql-ddl.ts';

export interface Given {
  readonly table: string;
  readonly port?: number;
  readonly settings?: Record<string, unknown>;
  readonly connection?: Record<string, unknown>;
  readonly env?: Record<string, string>;
  readonly target?: Record<string, unknown>;
}

/** Call it at the top of a test file. The user of the connection may do everything in databases that begin with `t`. */
export function useMariaDb() {
  let maria: MariaDb | undefined;
  let tables = 0;
  beforeAll(async () => {
    if (!hasComponent('mariadb')) return;
    maria = await startMariaDb();
    await maria.sql("grant all on `t%`.* to headgate@'127.0.0.1'");
  });
  afterAll(async () => await maria?.stop());

  function optionsFor({ table, port = maria!.port, settings, connection, env, target }: Given) {
    return openOptions(mysqlConnector, {
      settings: { table, ...settings },
      connection: {
        host: '127.0.0.1',
        port,
        database: 'ledger',
        user: maria!.user,
        password: 'env:HEADGATE_SECRET_BANK__P',
        tls: 'disable',
        ...connection,
      },
      env: { HEADGATE_SECRET_BANK__P: maria!.password, ...env },
      target: { timeoutMs: 3_000, ...target },
    });
  }

  const rowsOf = async (table: string) =>
    await maria!.sql<{ id: string; customer: string }>(`select id, customer from ${table} order by 1, 2`);

  return {
    get maria() {
      return maria!;
    },
    optionsFor,
    /** A table of its own in a database of its own, with or without the effects table. */
    async makeTable(withEffects: boolean, settings: Record<string, unknown> = {}): Promise<string> {
      const table = `t${++tables}.payment`;
      const plan = contractPlan({ type: 'mysql', settings: { table, ...settings } });
      for (const statement of statementsOf(mysqlDdl(plan, plan.targets[0]!))) await maria!.sql(statement);
      if (!withEffects) await maria!.sql(`drop table t${tables}.headgate_effects`);
      return table;
    },
    async withTarget<T>(given: Given, work: (target: Target) => Promise<T>): Promise<T> {
      const target = mysqlConnector.open(optionsFor(given));
      try {
        return await work(target);
      } finally {
        await target.close();
      }
    },
    rowsOf,
    idsOf: async (table: string) => (await rowsOf(table)).map(({ id }) => id),
    async effectsOf(table: string): Promise<number> {
      const [row] = await maria!.sql<{ count: number }>(`select count(*) as count from ${table.replace('payment', 'headgate_effects')}`);
      return Number(row!.count);
    },
  };
}

export function statementsOf(ddl: string): string[] {
  return ddl.split(';\n').filter((text) => text.trim() !== '');
}

/** A batch of records that are written out. */
export function withRecords(...records: readonly Readonly<Record<string, unknown>>[]): OutgoingBatch {
  const lines = records.map((record) => Buffer.from(`${JSON.stringify({ amount: '1.00', currency: 'EUR', ...record })}\n`));
  const batch = outgoing(records.map((_, index) => `r${index}`));
  return { ...batch, body: { ...batch.body, lines: () => lines } };
}
