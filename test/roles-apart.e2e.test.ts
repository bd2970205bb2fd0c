/**
 * I27: roles in processes of their own; what others do goes on when one is gone, and the work of that one when it is back. Then some
 * of them are killed at the worst of moments.
 */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { request as startRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { applyDocument } from '../src/control/flows/applying/apply-document.ts';
import { createApiKey, usualScopes } from '../src/platform/access/api-keys.ts';
import { ensureTenant } from '../src/platform/access/tenants.ts';
import { systemPorts } from '../src/platform/base/system-ports.ts';
import { withTenant } from '../src/platform/tenancy/tenant-scope.ts';
import { freePort, type ServedProcess, startServing } from './simulation/served-process.ts';
import { startHttpSink } from './support/http-sink.ts';
import { createTestDatabase, type TestDatabase } from './support/postgres.ts';
import { testFlow, testRows } from './support/running-server.ts';
import { tarArchive } from './support/tar-archive.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-roles-'));
const out = join(folder, 'root/out');
let database: TestDatabase;
let tenantId: string;
let key: string;
let apiPort: number;
const processes = new Map<string, ServedProcess>();

beforeAll(async () => {
  for (const name of ['data', 'root', 'root/in', 'root/out']) mkdirSync(join(folder, name), { mode: 0o700 });
  database = await createTestDatabase();
  tenantId = await ensureTenant(database.db, systemPorts.ids, { name: 'bank', cell: 'local', region: 'local' });
  const [connection, flow] = testFlow({ root: join(folder, 'root') });
  const drop = '    - { id: drop, type: folder, connection: out, path: in, match: "*.csv", ready: { stableFor: 100ms }, poll: 100ms }\n';
  const texts = [connection!, flow!.replace('  format:', `${drop}  format:`)];
  await apply(texts);
  key = await withTenant(
    database.db,
    tenantId,
    async (tx) => (await createApiKey(tx, systemPorts, { name: 'test', scopes: usualScopes, actor: 'test' })).key,
  );
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

async function apply(texts: readonly string[]): Promise<void> {
  await withTenant(database.db, tenantId, async (tx) => {
    for (const text of texts)
      await applyDocument(tx, systemPorts.ids, text.replaceAll('TENANT', 'bank'), { tenant: 'bank', actor: 'test' });
  });
}

async function start(roles: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
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
      ...env,
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

async function upload({ flow = 'payments', rows = '' } = {}): Promise<void> {
  files += 1;
  const answer = await fetch(`http://127.0.0.1:${apiPort}/v1/files?flow=${flow}&name=${files}.csv`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: rows || testRows(10, 0, files),
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

it('a process that is killed while a breaker is half-open leaves it so; the next one closes it, and sends nothing twice without a label', async () => {
  const sink = await startHttpSink(() => ({ status: 503 }));
  const inBank = (kind: string, name: string, spec: string) =>
    `apiVersion: headgate/v1\nkind: ${kind}\nmetadata: { tenant: TENANT, name: ${name} }\nspec: ${spec}\n`;
  const breaker = 'breaker: { minCalls: 4, probeEvery: 300ms, probes: 2 }';
  const target = `out: { type: http, connection: service, path: /in, concurrency: 2, batch: { size: 5 }, ${breaker} }`;
  await apply([
    inBank('TenantPolicy', 'policy', '{ egress: { allowPrivate: ["127.0.0.0/8"], allowPlain: true } }'),
    inBank('Connection', 'service', `{ type: http, baseUrl: "${sink.url}" }`),
    testFlow({ name: 'calls' })[1]!.replace(/out: \{ type: file.*\}/, target),
  ]);
  await upload({ flow: 'calls', rows: testRows(100, 0, 7) });
  await reach(async () => (await count("headgate.batches where state = 'parked'")) === 20);

  // It answers probes, takes what is sent after one, and whoever sent that is gone before it is answered.
  let isKilling = true;
  const taken: { readonly id: string; readonly isLabelled: boolean }[] = [];
  sink.answer(({ method, body, headers }) => {
    if (method !== 'POST') return {};
    for (const line of body.trim().split('\n'))
      taken.push({ id: JSON.parse(line).id, isLabelled: 'headgate-possible-duplicate' in headers });
    if (isKilling) processes.get('delivery')!.signal('SIGKILL');
    return { isSilent: isKilling };
  });
  await processes.get('delivery')!.ended;
  isKilling = false;
  const moves = async () =>
    (
      await database.adminDb.query<{ from: string; to: string }>(
        "/* moves */ select from_state as from, to_state as to from headgate.events where type like 'breaker.%' order by event_id",
      )
    ).rows.map(({ from, to }) => `${from} ${to}`);
  const before = await moves();
  expect([await count("headgate.breakers where state = 'half_open'"), before.at(-1)]).toEqual([1, 'open half_open']);

  await start('delivery');
  await reach(async () => (await count('headgate.jobs where closed_at is null')) === 0);
  await reach(async () => (await count("headgate.breakers where state = 'closed'")) === 1);
  // Whatever it does, it begins where the other left it.
  expect((await moves()).slice(before.length)[0]).toMatch(/^half_open /);
  expect(new Set(taken.map(({ id }) => id)).size).toBe(100);
  for (const copies of Map.groupBy(taken, ({ id }) => id).values())
    expect(copies.slice(1).every(({ isLabelled }) => isLabelled)).toBe(true);
});

it('a process that is killed while it unpacks has taken nothing; sent again, every member is there once', async () => {
  await apply([testFlow({ name: 'archives', more: ', unpack: tar' })[1]!]);
  const rows = (seed: number) => testRows(8_000, 0, seed);
  const packed = tarArchive([88, 99].map((seed) => ({ name: `part-${seed}.csv`, content: rows(seed) })));
  const sealed = () =>
    readdirSync(join(folder, 'data/objects'), { recursive: true, encoding: 'utf8' }).filter((name) => !name.includes('.incoming')).length;
  const before = { files: await count('headgate.files'), sealed: sealed(), records: records().length };
  const headers = { authorization: `Bearer ${key}`, 'idempotency-key': 'archive', 'content-length': packed.length };
  const path = '/v1/files?flow=archives&name=day.tar';
  const sending = startRequest({ host: '127.0.0.1', port: apiPort, path, method: 'POST', headers });
  sending.on('error', () => {});
  // The first member and some of the second.
  sending.write(packed.subarray(0, packed.length * 0.9));
  await reach(async () => sealed() > before.sealed);
  await end('api');
  expect(await count('headgate.files')).toBe(before.files);

  await start('api');
  expect(await processes.get('api')!.waitUntilReady(60_000)).toBe(true);
  const answer = await fetch(`http://127.0.0.1:${apiPort}${path}`, {
    method: 'POST',
    headers: { authorization: headers.authorization, 'idempotency-key': 'archive' },
    body: packed,
  });
  expect([answer.status, await answer.json()]).toMatchObject([201, { state: 'unpacked' }]);
  await reach(async () => (await count('headgate.jobs where closed_at is null')) === 0);
  expect(await count('headgate.files')).toBe(before.files + 2);
  const ids = records().map((line) => JSON.parse(line).id as string);
  expect(ids.length).toBe(before.records + 16_000);
  expect(new Set(ids).size).toBe(ids.length);
});
