/** postgres against pg: the delivery keys and the rows of a batch in one transaction of a durable server. */
import { join } from 'node:path';
import pg from 'pg';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { startEmbeddedPostgres } from '../../src/platform/postgres/embedded-postgres.ts';
import { fieldTypes } from './delivery-batches.ts';
import { type CaseMaker, lanes, openTarget } from './delivery-case.ts';

const columns = Object.keys(fieldTypes)
  .map((name) => `"${name}"`)
  .join(', ');

export const postgresCase: CaseMaker = {
  connector: 'postgres',
  sizes: { batched: 50_000, single: 2_000 },
  missing: () => null,
  async make(context) {
    const server = await startEmbeddedPostgres({ dataDir: join(context.folder, 'delivery-postgres'), ports: systemPorts });
    const { hostname, port, username, password } = new URL(server.adminUrl('postgres'));
    const secret = decodeURIComponent(password);
    const { target, ddl } = await openTarget({
      target: '{ type: postgres, connection: c, table: payments }',
      connection: `{ type: postgres, host: ${hostname === 'localhost' ? '127.0.0.1' : hostname}, port: ${port}, database: postgres, user: ${username}, password: "env:HEADGATE_SECRET_BENCH__P", tls: disable }`,
      password: secret,
    });
    const clients = Array.from({ length: lanes }, () => new pg.Client({ connectionString: server.adminUrl('postgres') }));
    for (const client of clients) await client.connect();
    const [admin] = clients;
    await admin.query(ddl);
    return {
      connector: 'postgres',
      against: 'pg',
      target,
      async sendBare({ batch, lines, keys }, lane) {
        const client = clients[lane];
        await client.query('begin');
        await client.query('insert into headgate_effects (delivery_key, batch_id) select k, $2::uuid from unnest($1::text[]) as k', [
          keys,
          batch.batchId,
        ]);
        await client.query(`insert into payments (${columns}) select ${columns} from json_populate_recordset(null::payments, $1::json)`, [
          `[${lines.join(',')}]`,
        ]);
        await client.query('commit');
      },
      async taken() {
        const { rows } = await admin.query('select to_json(p)::text as row from payments p order by id');
        const { rows: effects } = await admin.query('select count(*)::int as count from headgate_effects');
        return [...rows.map(({ row }) => row as string), `effects ${effects[0].count}`];
      },
      async reset() {
        await admin.query('truncate payments, headgate_effects');
      },
      async close() {
        await target.close();
        for (const client of clients) await client.end();
        await server.stop();
      },
    };
  },
};
