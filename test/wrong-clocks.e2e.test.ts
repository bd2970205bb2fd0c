/** I26: the same files through served processes whose clocks are right, and through ones that are hours and months apart. */
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, it, vi } from 'vitest';
import { applyDocument } from '../src/control/flows/applying/apply-document.ts';
import { createApiKey, usualScopes } from '../src/platform/access/api-keys.ts';
import { ensureTenant } from '../src/platform/access/tenants.ts';
import { systemPorts } from '../src/platform/base/system-ports.ts';
import { withTenant } from '../src/platform/tenancy/tenant-scope.ts';
import { freePort, type ServedProcess, startServing } from './simulation/served-process.ts';
import { createTestDatabase, type TestDatabase } from './support/postgres.ts';

const hourMs = 3_600_000;
const clockUrl = pathToFileURL(join(import.meta.dirname, 'support/wrong-clock.ts')).href;
const folders: string[] = [];
const databases: TestDatabase[] = [];
const processes: ServedProcess[] = [];
afterAll(async () => {
  for (const served of processes) served.signal('SIGKILL');
  await Promise.all(processes.map(({ ended }) => ended));
  for (const database of databases) await database.drop();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A process of a run: what it does, how far its clock is off, and whether it is killed in the middle. */
interface Part {
  readonly roles: string;
  readonly offsetMs: number;
  readonly isKilled?: boolean;
}

const row = (file: number, at: number) => `F${file}-${at},${at % 500}.25,${at % 7 === 0 ? 'EUR' : 'ZAR'}\n`;
const contentOf = (file: number) =>
  `id,amount,currency\n${Array.from({ length: 1_500 }, (_, at) => row(file, at)).join('')}F${file}-x,many,ZAR\nF${file}-0,1.00,ZAR\n`;

const documents = (root: string, sinkPort: number) => [
  `apiVersion: headgate/v1
kind: TenantPolicy
metadata: { tenant: bank, name: policy }
spec: { egress: { allowPrivate: ["127.0.0.0/8"], allowPlain: true } }
`,
  `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: bank, name: files }\nspec: { type: folder, root: ${root} }\n`,
  `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: bank, name: service }\nspec: { type: http, baseUrl: "http://127.0.0.1:${sinkPort}" }\n`,
  `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: bank, service: payments, name: payments, version: 1.0.0 }
spec:
  sources:
    - { id: upload, type: http }
    - { id: drop, type: folder, connection: files, path: in, match: "*.csv", ready: { stableFor: 300ms }, poll: 100ms }
  format: { type: delimited, header: true }
  schema:
    record:
      key: [id]
      fields:
        id: { type: string, required: true, unique: file }
        amount: { type: decimal, scale: 2, required: true, currency: currency, sum: true }
        currency: { type: currency, required: true }
  acceptance: { mode: partial, maxInvalidRatio: 0.5 }
  routes: { default: { to: [out, feed] } }
  targets:
    out: { type: file, connection: files, path: out, format: ndjson }
    feed: { type: http, connection: service, path: /feed, order: file, batch: { size: 400 } }
  targetDefaults: { timeout: 5s, retry: { max: 50, initial: 50ms, cap: 200ms } }
`,
];

/** Refuses for now as often as it takes, so that retries and their pauses take part. */
async function startSink(taken: string[]) {
  let requests = 0;
  const sink = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (piece: string) => {
      body += piece;
    });
    request.on('end', () => {
      const isRefused = requests++ % 3 === 0;
      if (!isRefused)
        taken.push(
          ...body
            .split('\n')
            .filter(Boolean)
            .map((line) => JSON.parse(line).id as string),
        );
      // The date of a server whose clock is wrong as well.
      response.writeHead(isRefused ? 503 : 200, isRefused ? { 'retry-after': new Date(0).toUTCString() } : {}).end();
    });
  });
  sink.listen(0, '127.0.0.1');
  await once(sink, 'listening');
  return { port: (sink.address() as { port: number }).port, close: () => sink.close() };
}

async function run(parts: readonly Part[]) {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-clocks-'));
  folders.push(folder);
  for (const name of ['data', 'root', 'root/in', 'root/out']) mkdirSync(join(folder, name), { mode: 0o700 });
  const database = await createTestDatabase();
  databases.push(database);
  const taken: string[] = [];
  const sink = await startSink(taken);
  const tenantId = await ensureTenant(database.db, systemPorts.ids, { name: 'bank', cell: 'local', region: 'local' });
  const key = await withTenant(database.db, tenantId, async (tx) => {
    for (const text of documents(join(folder, 'root'), sink.port))
      await applyDocument(tx, systemPorts.ids, text, { tenant: 'bank', actor: 'test' });
    return (await createApiKey(tx, systemPorts, { name: 'test', scopes: usualScopes, actor: 'test' })).key;
  });
  const [{ before }] = (await database.adminDb.query<{ before: Date }>('/* start */ select clock_timestamp() as before')).rows as [
    { before: Date },
  ];
  const ports: number[] = [];
  const own: ServedProcess[] = [];
  for (const { roles, offsetMs } of parts) {
    const port = await freePort();
    ports.push(port);
    own.push(
      startServing({
        port,
        logPath: join(folder, `log-${ports.length}`),
        env: {
          NODE_OPTIONS: `--import=${clockUrl}`,
          HEADGATE_TEST_CLOCK_OFFSET_MS: String(offsetMs),
          HEADGATE_ROLES: roles,
          HEADGATE_DATA_DIR: join(folder, 'data'),
          HEADGATE_DATABASE_URL: database.url,
          HEADGATE_LEASE_MS: '1500',
          HEADGATE_CHUNK_BYTES: '4096',
          HEADGATE_WORKER_THREADS: '1',
          HEADGATE_DATABASE_CONNECTIONS: '4',
        },
      }),
    );
  }
  processes.push(...own);
  const api = `http://127.0.0.1:${ports[0]}`;
  expect(await own[0]!.waitUntilReady(60_000)).toBe(true);
  for (const file of [1, 2]) {
    const answer = await fetch(`${api}/v1/files?flow=payments&name=file-${file}.csv`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'idempotency-key': `file-${file}` },
      body: contentOf(file),
    });
    expect(answer.status).toBe(201);
  }
  writeFileSync(join(folder, 'root/three'), contentOf(3));
  renameSync(join(folder, 'root/three'), join(folder, 'root/in/file-3.csv'));
  await vi.waitUntil(() => taken.length > 0, { timeout: 60_000, interval: 20 });
  for (const [at, part] of parts.entries()) if (part.isKilled) own[at]!.signal('SIGKILL');
  const closedJobs = async () =>
    (await database.adminDb.query('/* closed */ select from headgate.jobs where closed_at is not null')).rowCount === 3;
  await vi.waitUntil(closedJobs, { timeout: 90_000, interval: 100 });
  for (const served of own) served.signal('SIGTERM');
  await Promise.all(own.map(({ ended }) => ended));
  sink.close();
  const out = join(folder, 'root/out');
  const delivered = readdirSync(out).flatMap((name) => readFileSync(join(out, name), 'utf8').split('\n').filter(Boolean));
  return { database, before, taken, delivered: delivered.toSorted(), ledger: await readLedger(database) };
}

/** How far ahead of the database the clock was that the ids of batches were made by, in hours: the least and the most. */
async function hoursOfIds({ database, before }: { readonly database: TestDatabase; readonly before: Date }): Promise<number[]> {
  const { rows } = await database.adminDb.query<{ id: string }>(
    '/* ids */ select batch_id as id from headgate.batches union select file_id from headgate.files',
  );
  const hours = rows.map(({ id }) => Math.round((Number.parseInt(id.replace('-', '').slice(0, 12), 16) - before.getTime()) / hourMs));
  return [Math.min(...hours), Math.max(...hours)];
}

/** What the ledger says, without ids and times: jobs with counts and amounts per stage and target, findings, records of batches. */
async function readLedger(database: TestDatabase) {
  const rows = async (sql: string) => (await database.adminDb.query<Record<string, unknown>>(`/* ledger */ ${sql}`)).rows;
  const receipts = (await rows('select body from headgate.receipts')).map(({ body }) => {
    const { records, amounts, targets, errors, file } = JSON.parse(String(body));
    return { name: file.member.name, sha256: file.member.sha256, records, amounts, targets, errors };
  });
  return {
    receipts: receipts.toSorted((a, b) => String(a.name).localeCompare(String(b.name))),
    jobs: await rows(`select f.name, j.state, f.accepted_number::text as number from headgate.jobs j
      join headgate.files f using (tenant_id, file_id) order by f.accepted_number`),
    batches: await rows('select target_id, state, sum(records)::text as records from headgate.batches group by 1, 2 order by 1, 2'),
  };
}

/** Columns of time in the tables of the product that hold something before or after what the database's clock showed, "never" apart. Migrations are older: the database is a copy. */
async function timesOutside(database: TestDatabase, before: Date): Promise<string[]> {
  const { rows: columns } = await database.adminDb.query<{ table: string; column: string }>(
    `/* times */ select table_name as table, column_name as column from information_schema.columns join information_schema.tables using (table_schema, table_name)
     where table_schema = 'headgate' and table_type = 'BASE TABLE' and table_name <> 'migrations' and data_type like 'timestamp%'`,
  );
  expect(columns.length).toBeGreaterThan(20);
  const outside: string[] = [];
  for (const { table, column } of columns) {
    const { rowCount } = await database.adminDb.query(
      `/* outside */ select from headgate.${table} where isfinite(${column}) and ${column} not between $1::timestamptz - interval '10 minutes' and clock_timestamp() + interval '1 hour'`,
      [before],
    );
    if (rowCount! > 0) outside.push(`${table}.${column}`);
  }
  return outside;
}

it('workers whose clocks are hours and months apart give the ledger, the outputs and the order that right clocks give', async () => {
  const right = await run([{ roles: 'api,ingress,worker,delivery,scheduler', offsetMs: 0 }]);
  const wrong = await run([
    { roles: 'api,ingress,scheduler', offsetMs: 30 * hourMs },
    { roles: 'worker,delivery', offsetMs: -30 * hourMs, isKilled: true },
    { roles: 'worker,delivery,scheduler', offsetMs: 400 * 24 * hourMs },
  ]);
  expect(await hoursOfIds(right)).toEqual([0, 0]);
  const [least, most] = await hoursOfIds(wrong);
  expect([least! <= 30, most! >= 30, least === most && most === 0], 'clocks were wrong').toEqual([true, true, false]);
  expect(wrong.ledger).toEqual(right.ledger);
  expect(right.ledger.receipts.map(({ records }) => records.valid)).toHaveLength(3);
  expect(wrong.delivered).toEqual(right.delivered);
  expect(right.delivered.length).toBeGreaterThan(4_400);
  // In order of acceptance; what came again after an unknown outcome is taken out.
  expect([...new Set(wrong.taken)]).toEqual([...new Set(right.taken)]);
  expect(await timesOutside(right.database, right.before)).toEqual([]);
  expect(await timesOutside(wrong.database, wrong.before)).toEqual([]);
});
