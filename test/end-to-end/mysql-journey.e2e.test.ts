/** The whole way of a file to the rows of a database: the product as it serves, and a real MariaDB behind a network that loses answers. */
import { afterAll, beforeAll, describe, expect, onTestFinished, vi } from 'vitest';
import { loadFlow } from '../../src/control/flows/load-flow.ts';
import { mysqlDdl } from '../../src/pipeline/connectors/mysql/mysql-ddl.ts';
import { hasComponent, itWith } from '../support/components.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type RunningTestServer, startTestServer } from '../support/running-server.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

let database: TestDatabase;
let server: RunningTestServer;
let maria: MariaDb;
beforeAll(async () => {
  if (!hasComponent('mariadb')) return;
  maria = await startMariaDb();
  database = await createTestDatabase({ connectionsMax: 12 });
  const secrets = { HEADGATE_SECRET_LOSSY__DB: maria.password, HEADGATE_SECRET_LATE__DB: maria.password };
  server = await startTestServer(database, {}, undefined, secrets);
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
  await maria?.stop();
});

const flowOf = (tenant: string) => `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: ${tenant}, service: payments, name: eft, version: 1.0.0 }
spec:
  sources: [{ id: upload, type: http }]
  format: { type: delimited, header: true }
  schema:
    record:
      key: [account]
      fields:
        account: { type: string, required: true }
        place: { type: int, required: true }
        amount: { type: decimal, scale: 2, required: true, sum: true }
  routes: { default: { to: [ledger] } }
  targets:
    ledger: { type: mysql, connection: ledger, table: ${tenant}_credit, mode: upsert, keys: [place], order: by-key, batch: { size: 50 } }
  targetDefaults: { timeout: 5s, retry: { max: 60, initial: 20ms, cap: 500ms } }
`;

const documents = (tenant: string, port: number) => [
  `apiVersion: headgate/v1
kind: TenantPolicy
metadata: { tenant: TENANT, name: policy }
spec: { egress: { allowPrivate: ["127.0.0.0/8"], allowPlain: true } }
`,
  `apiVersion: headgate/v1
kind: Connection
metadata: { tenant: TENANT, name: ledger }
spec: { type: mysql, host: 127.0.0.1, port: ${port}, database: ${maria.database}, user: ${maria.user}, password: "env:HEADGATE_SECRET_${tenant.toUpperCase()}__DB", tls: disable }
`,
  flowOf(tenant),
];

/** As its owner does who was given the output of `headgate target ddl`. */
async function makeTables(tenant: string): Promise<void> {
  const { plan } = loadFlow(flowOf(tenant));
  await maria.sql(`use ${maria.database}`);
  for (const statement of mysqlDdl(plan!, plan!.targets[0]!).split(';\n')) if (statement.trim() !== '') await maria.sql(statement);
}

async function ingest(name: string, port: number, records: number) {
  const tenant = await server.tenant(name);
  await tenant.apply(...documents(tenant.name, port));
  const lines = Array.from({ length: records }, (_, at) => `A${at % 7},${at},${at}.25\n`);
  const { json } = await server.upload(tenant.key, { flow: 'eft', name: 'eft.csv', body: `account,place,amount\n${lines.join('')}` });
  return { key: tenant.key, jobId: json.jobId as string };
}

async function expectAllOf(tenant: string, records: number): Promise<void> {
  const [found] = await maria.sql(
    `select count(*) as records, cast(sum(amount) as char) as amount from ${maria.database}.${tenant}_credit`,
  );
  const cents = BigInt((records * (records - 1)) / 2) * 100n + BigInt(records) * 25n;
  expect(found).toEqual({ records, amount: `${cents / 100n}.${String(cents % 100n).padStart(2, '0')}000000` });
}

interface BatchItem {
  readonly batchId: string;
  readonly state: string;
  readonly reasonCode: string | null;
}

describe('a file to the rows of a table', () => {
  itWith('mariadb')('is there once, balanced to the cent, although COMMITs lost their answers', async () => {
    const records = 400;
    await makeTables('lossy');
    const proxy = await startTcpProxy({ host: maria.host, port: maria.port });
    onTestFinished(() => proxy.close());
    proxy.arm({ match: /commit delivery/, how: 'forward-and-drop-answer' });
    const { key, jobId } = await ingest('lossy', proxy.port, records);
    const job = await server.settle(key, jobId);
    expect(proxy.faultsUsed).toBe(1);
    expect(job).toMatchObject({ state: 'completed', balanced: true, records: { read: records, valid: records } });
    expect(job.targets['ledger']).toMatchObject({ routed: records, delivered: records, refused: 0, dead: 0 });
    await expectAllOf('lossy', records);
  });

  itWith('mariadb')('waits for a table that is missing, and arrives once it is made', async () => {
    const records = 30;
    const { key, jobId } = await ingest('late', maria.port, records);
    const batches = async () => (await server.request(`/v1/batches?job=${jobId}`, { key })).json.items as readonly BatchItem[];
    await vi.waitUntil(async () => (await batches()).some(({ reasonCode }) => reasonCode === 'E_TARGET_SETUP'), {
      timeout: 60_000,
      interval: 50,
    });
    await makeTables('late');
    // As a person does who made the table: those that wait by now would look for it again in a minute.
    for (const { batchId, state } of await batches()) {
      const body = { decision: 'resend', reason: 'the table is there' };
      if (state === 'held') await server.request(`/v1/batches/${batchId}/resolve`, { key, method: 'POST', body });
    }
    expect(await server.settle(key, jobId)).toMatchObject({ state: 'completed', balanced: true });
    await expectAllOf('late', records);
  });
});
