/** mysql against mysql2 on a MariaDB: the delivery keys and the rows of a batch in one transaction, a statement of many rows for each. */
import { type Connection, createConnection } from 'mysql2/promise';
import { findProgram } from '../../test/support/debian-programs.ts';
import { startMariaDb } from '../../test/support/mariadb.ts';
import { fieldTypes } from './delivery-batches.ts';
import { type CaseMaker, lanes, openTarget } from './delivery-case.ts';

const names = Object.keys(fieldTypes) as (keyof typeof fieldTypes)[];
const columns = names.map((name) => `\`${name}\``).join(', ');

export const mysqlCase: CaseMaker = {
  connector: 'mysql',
  sizes: { batched: 50_000, single: 2_000 },
  missing: () => (findProgram('mariadb') === null ? 'mariadb' : null),
  async make() {
    const maria = await startMariaDb();
    const { target, ddl } = await openTarget({
      target: '{ type: mysql, connection: c, table: ledger.payments }',
      connection: `{ type: mysql, host: 127.0.0.1, port: ${maria.port}, database: ledger, user: ${maria.user}, password: "env:HEADGATE_SECRET_BENCH__P", tls: disable }`,
      password: maria.password,
    });
    for (const statement of statementsOf(ddl)) await maria.sql(statement);
    const clients: Connection[] = [];
    for (let lane = 0; lane < lanes; lane++)
      clients.push(
        await createConnection({ host: '127.0.0.1', port: maria.port, user: maria.user, password: maria.password, database: 'ledger' }),
      );
    return {
      connector: 'mysql',
      against: 'mysql2',
      target,
      async sendBare({ batch, records, keys }, lane) {
        const client = clients[lane];
        await client.query('start transaction');
        await client.query('insert into headgate_effects (delivery_key, batch_id) values ?', [keys.map((key) => [key, batch.batchId])]);
        await client.query(`insert into payments (${columns}) values ?`, [records.map((record) => names.map((name) => record[name]))]);
        await client.query('commit');
      },
      async taken() {
        const rows = await maria.sql(`select ${columns} from ledger.payments order by id`);
        const [effects] = await maria.sql<{ count: unknown }>('select count(*) as count from ledger.headgate_effects');
        return [...rows.map((row) => JSON.stringify(row)), `effects ${effects.count}`];
      },
      /** Rows that were deleted one by one would be purged while the other side is timed. */
      async reset() {
        await maria.sql('truncate table ledger.payments');
        await maria.sql('truncate table ledger.headgate_effects');
      },
      async close() {
        await target.close();
        for (const client of clients) await client.end();
        await maria.stop();
      },
    };
  },
};

function statementsOf(ddl: string): string[] {
  const sql = ddl.replace(/^--.*$/gm, '');
  return sql
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}
