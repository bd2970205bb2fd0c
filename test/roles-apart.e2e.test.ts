/** I27: roles in processes of their own; what others do goes on when one is gone, and the work of that one when it is back. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { applyDocument } from '../src/control/flows/applying/apply-document.ts';
import { createApiKey, usualScopes } from '../src/platform/access/api-keys.ts';
import { ensureTenant } from '../src/platform/access/tenants.ts';
import { systemPorts } from '../src/platform/base/system-ports.ts';
import { withTenant } from '../src/platform/tenancy/tenant-scope.ts';
import { freePort, type ServedProcess, startServing } from './simulation/served-process.ts';
import { createTestDatabase, type TestDatabase } from './support/postgres.ts';
import { testFlow, testRows } from './support/running-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-roles-'));
const out = join(folder, 'root/out');
let database: TestDatabase;
let key: string;
let apiPort: number;
const processes = new Map<string, ServedProcess>();

beforeAll(async () => {
  for (const name of ['data', 'root', 'root/in', 'root/out']) mkdirSync(join(folder, name), { mode: 0o700 });
  database = await createTestDatabase();
  const tenantId = await ensureTenant(database.db, systemPorts.ids, { name: 'bank', cell: 'local', region: 'local' });
  const [connection, flow] = testFlow({ root: join(folder, 'root') });
  const drop = '    - { id: drop, type: folder, connection: out, path: in, match: "*.csv", ready: { stableFor: 100ms }, poll: 100ms }\n';
  const texts = [connection!, flow!.replace('  format:', `${drop}  format:`)];
  key = await withTenant(database.db, tenantId, async (tx) => {
    for (const text of texts)
      await applyDocument(tx, systemPorts.ids, text.replaceAll('TENANT', 'bank'), { tenant: 'bank', actor: 'test' });
    return (await createApiKey(tx, systemPorts, { name: 'test', scopes: usualScopes, actor: 'test' })).key;
  });
  apiPort = await freePort();
  for (const roles of ['api', 'ingress', 'worker,scheduler', 'delivery']) await start(roles);
  expect(await processes.get('api')!.waitUntilReady(60_000)).toBe(true);
});
afterAll(async () => {
  for (const served of processes.values()) served.signal('SIGKILL');
  await Promise.all([...processes.values()].map(({ ended }) => ended));
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

async function start(roles: string): Promise<void> {
  const served = startServing({
    port: roles === 'api' ? apiPort : await freePort(),
    logPath: join(folder, `log-${roles}`),
    env: {
      HEADGATE_ROLES: roles,
      HEADGATE_DATA_DIR: join(folder, 'data'),
      HEADGATE_DATABASE_URL: database.url,
      HEADGATE_LEASE_MS: '1500',
      HEADGATE_WORKER_THREADS: '1',
      HEADGATE_DATABASE_CONNECTIONS: '4',
    },
  });
  processes.set(roles, served);
}

async function end(roles: string): Promise<void> {
  const served = processes.get(roles)!;
  served.signal('SIGKILL');
  await served.ended;
}

let files = 0;

/** Whole, under its name at once. */
function dropFile(): void {
  files += 1;
  writeFileSync(join(folder, 'root', `${files}`), testRows(10, 0, files));
  renameSync(join(folder, 'root', `${files}`), join(folder, 'root/in', `${files}.csv`));
}

async function upload(): Promise<void> {
  files += 1;
  const answer = await fetch(`http://127.0.0.1:${apiPort}/v1/files?flow=payments&name=${files}.csv`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: testRows(10, 0, files),
  });
  expect(answer.status).toBe(201);
}

const count = async (what: string) =>
  Number((await database.adminDb.query<{ n: string }>(`/* count */ select count(*) as n from ${what}`)).rows[0]!.n);
const reach = (done: () => Promise<boolean>) => vi.waitUntil(done, { timeout: 60_000, interval: 50 });
const closed = (jobs: number) => reach(async () => (await count('headgate.jobs where closed_at is not null')) === jobs);
const records = () => readdirSync(out).flatMap((name) => readFileSync(join(out, name), 'utf8').split('\n').filter(Boolean));

it('without the API, files go on coming in by folders and out at targets, and those accepted before are finished', async () => {
  await upload();
  await end('api');
  for (let at = 0; at < 5; at++) dropFile();
  await closed(files);
  expect(records()).toHaveLength(10 * files);
});

it('without whoever polls folders, uploads go on; files wait where they are, and are taken when it is back', async () => {
  await start('api');
  expect(await processes.get('api')!.waitUntilReady(60_000)).toBe(true);
  await end('ingress');
  dropFile();
  await upload();
  await closed(files - 1);
  expect(readdirSync(join(folder, 'root/in')).filter((name) => name.endsWith('.csv'))).toEqual([`${files - 1}.csv`]);
  await start('ingress');
  await closed(files);
});

it('without deliveries, files are accepted and processed, and are delivered when they are back', async () => {
  await end('delivery');
  await upload();
  await reach(async () => (await count("headgate.batches where state = 'ready'")) === 1);
  expect(await count('headgate.jobs where closed_at is null')).toBe(1);
  await start('delivery');
  await closed(files);
  expect(records()).toHaveLength(10 * files);
});

it('without workers, files are accepted and wait, and are processed when they are back', async () => {
  await end('worker,scheduler');
  await upload();
  dropFile();
  await reach(async () => (await count('headgate.files')) === files);
  expect(await count('headgate.jobs where closed_at is null')).toBe(2);
  await start('worker,scheduler');
  await closed(files);
  expect(records()).toHaveLength(10 * files);
  expect(new Set(records().map((line) => JSON.parse(line).id)).size).toBe(10 * files);
});
