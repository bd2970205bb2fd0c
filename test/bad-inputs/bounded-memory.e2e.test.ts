/** Inputs that would grow without end in whoever kept them: what the processes of a served product have resident stays bounded. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { applyDocument } from '../../src/control/flows/applying/apply-document.ts';
import { createApiKey, usualScopes } from '../../src/platform/access/api-keys.ts';
import { ensureTenant } from '../../src/platform/access/tenants.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { withTenant } from '../../src/platform/tenancy/tenant-scope.ts';
import { freePort, type ServedProcess, startServing } from '../simulation/served-process.ts';
import { filled, type Pieces } from '../support/hostile-bytes.ts';
import { type HostileFile, hostileFiles, longRecords } from '../support/hostile-files.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { openConnection } from '../support/raw-http.ts';
import { peakBytes, restartPeak } from '../support/resident-peak.ts';
import { testFlow, testRows } from '../support/running-server.ts';

const longestRecordBytes = 16 * 1024 * 1024;
/** V8 looks for buffers that nobody needs any more when so much of them has come (decision 0076). */
const uncollectedBytes = 64 * 1024 * 1024;
const threads = 2;
/**
 * What is promised for a worker, and for a process with the other roles, on a sound file of any size (bench, level memory: 200 MB); as much of
 * the longest record as comes before it is refused; buffers that wait to be collected. The inputs are so big that whoever kept one is beyond it.
 */
const boundBytes = 200_000_000 + longestRecordBytes + uncollectedBytes;
/**
 * A process that has read much keeps what it needed for it. Whatever it has by then, one more input adds no more than this, and the endless
 * ones are 128 MiB: one that is kept is seen.
 */
const addedBytes = 96 * 1024 * 1024;
/** Whatever came before. */
const neverBytes = 2 * boundBytes;
/** The tree of a document of 1 MiB, with a fault at each of its nodes. */
const documentsBytes = 64 * 1024 * 1024;
/** A record that is as long as it may be is in each thread as bytes, text, value, line and output. */
const longRecordsBytes = threads * 5 * longestRecordBytes;

const folder = mkdtempSync(join(tmpdir(), 'headgate-bounded-'));
let database: TestDatabase;
let port: number;
const processes = new Map<string, ServedProcess>();
const keys: Record<string, string> = {};
const residentBefore = new Map<number, number>();
let sent = 0;

beforeAll(async () => {
  for (const name of ['data', 'hostile', 'orderly']) mkdirSync(join(folder, name), { mode: 0o700 });
  database = await createTestDatabase();
  for (const name of ['hostile', 'orderly']) await makeTenant(name);
  port = await freePort();
  for (const roles of ['worker', 'api,ingress,delivery,scheduler'])
    processes.set(
      roles,
      startServing({
        port: roles === 'worker' ? await freePort() : port,
        logPath: join(folder, `log-${roles}`),
        env: {
          HEADGATE_ROLES: roles,
          HEADGATE_DATA_DIR: join(folder, 'data'),
          HEADGATE_DATABASE_URL: database.url,
          HEADGATE_WORKER_THREADS: String(threads),
        },
      }),
    );
  expect(await processes.get('api,ingress,delivery,scheduler')!.waitUntilReady(60_000)).toBe(true);
});
afterAll(async () => {
  for (const served of processes.values()) served.signal('SIGKILL');
  await Promise.all([...processes.values()].map(({ ended }) => ended));
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  for (const { pid } of processes.values()) residentBefore.set(pid, restartPeak(pid));
});
afterEach(async () => {
  for (const [roles, served] of processes) expect([roles, served.hasEnded]).toEqual([roles, false]);
  expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200);
});

async function makeTenant(name: string): Promise<void> {
  const [connection, payments] = testFlow({ root: join(folder, name), acceptance: '{ mode: partial, maxInvalidRatio: 1 }' });
  const policy = `apiVersion: headgate/v1
kind: TenantPolicy
metadata: { tenant: TENANT, name: policy }
spec: { admission: { filesPerMinute: 10000, maxChunksInFlight: 1000 } }
`;
  const flow = (own: string, format: string) =>
    payments!.replace('name: payments,', `name: ${own},`).replace(/format: \{ type: delimited.*\}/, `format: ${format}`);
  const csv = '{ type: delimited, header: true }';
  const pack = (own: string, format: string) =>
    flow(own, format)
      .replace(/ {2}schema:[\s\S]*? {2}acceptance:/, '  acceptance:')
      .replace(/ {2}transform:[\s\S]*? {2}routes:/, '  routes:');
  const widths = { id: 'at: [1, 8]', account: 'at: [9, 10]', amount: 'at: [19, 10], point: implied' };
  const fixed = Object.entries(widths).reduce(
    (text, [field, at]) => text.replace(`        ${field}: {`, `        ${field}: { ${at},`),
    flow('fixed', '{ type: fixed-width }'),
  );
  const texts = [
    policy,
    connection!,
    payments!,
    flow('lines', '{ type: json-lines }'),
    flow('unique', csv).replace('pattern: "^P[0-9]+$"', 'unique: file'),
    fixed,
    pack('pain', '{ type: iso20022, message: pain.001 }'),
    pack('mt', '{ type: swift-mt, messages: statements }'),
    pack('ach', '{ type: nacha }'),
    pack('bai', '{ type: bai2 }'),
    ...['zip', 'tar'].map((unpack) => flow(unpack, csv).replace('type: http', `type: http, unpack: ${unpack}`)),
  ];
  const tenantId = await ensureTenant(database.db, systemPorts.ids, { name, cell: 'local', region: 'local' });
  await withTenant(database.db, tenantId, async (tx) => {
    for (const text of texts) await applyDocument(tx, systemPorts.ids, text.replaceAll('TENANT', name), { tenant: name, actor: 'test' });
    const scopes = [...new Set([...usualScopes, 'flows:write' as const])];
    keys[name] = (await createApiKey(tx, systemPorts, { name: 'test', scopes, actor: 'test' })).key;
  });
}

// biome-ignore lint/suspicious/noExplicitAny: answers of any shape
type Answer = { readonly status: number; readonly json: any };

async function ask(tenant: string, path: string, init: RequestInit & { readonly duplex?: 'half' } = {}): Promise<Answer> {
  const headers = { authorization: `Bearer ${keys[tenant]}`, ...init.headers };
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { ...init, headers });
  return { status: response.status, json: await response.json() };
}

function upload(tenant: string, flow: string, pieces: Pieces, encoding?: string): Promise<Answer> {
  sent += 1;
  return ask(tenant, `/v1/files?flow=${flow}&name=${sent}.dat`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream', ...(encoding !== undefined && { 'content-encoding': encoding }) },
    body: ReadableStream.from(pieces) as never,
    duplex: 'half',
  });
}

const settled = (tenant: string, jobId: string) =>
  vi.waitUntil(
    async () => {
      const { json } = await ask(tenant, `/v1/jobs/${jobId}`);
      return json.closedAt !== null || json.state === 'held' ? json : null;
    },
    { timeout: 150_000, interval: 50 },
  );

/** A small file of the other tenant, sent meanwhile. */
async function expectOthersServed(): Promise<void> {
  const { json } = await upload('orderly', 'payments', [Buffer.from(testRows(500, 0, sent))]);
  expect(await settled('orderly', json.jobId)).toMatchObject({ state: 'completed', records: { valid: 500 } });
}

/** `more`: what this kind of input takes beside what every other does. */
function expectBounded(more = 0): void {
  for (const [roles, { pid }] of processes) {
    const bytesMax = Math.max(boundBytes, residentBefore.get(pid)! + addedBytes) + more;
    expect(peakBytes(pid), roles).toBeLessThanOrEqual(Math.min(bytesMax, neverBytes));
  }
}

/** The code of what became of it. */
async function codeOf({ flow, make, encoding }: HostileFile): Promise<string> {
  const { status, json } = await upload('hostile', flow, make(), encoding);
  if (json.jobId === undefined) {
    // Refused, and kept in quarantine as it came.
    const { items } = (await ask('hostile', '/v1/arrivals?limit=1')).json;
    expect([status, items[0].state, items[0].reasonCode]).toEqual([422, 'quarantined', json.code]);
    return json.code;
  }
  const job = await settled('hostile', json.jobId);
  const findings = (await ask('hostile', `/v1/jobs/${json.jobId}/errors?limit=1`)).json.items;
  return job.reasonCode ?? findings[0]?.code ?? '';
}

it.each(Object.entries(hostileFiles))(
  '%s comes to its code in bounded memory, and another tenant is served meanwhile',
  async (_what, file) => {
    const [code] = await Promise.all([codeOf(file), expectOthersServed()]);
    expect(code).toBe(file.code);
    expectBounded();
  },
);

it('many small files at once are taken in bounded memory', async () => {
  const files = Array.from({ length: 150 }, (_, at) => upload('hostile', 'payments', [Buffer.from(testRows(20, 0, 1_000 + at))]));
  const answers = await Promise.all(files);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
  await Promise.all([expectOthersServed(), ...answers.map(({ json }) => settled('hostile', json.jobId))]);
  expectBounded();
});

it('documents and bodies beyond their limits are refused in bounded memory', async () => {
  const json = { 'content-type': 'application/json' };
  const aliases = Array.from({ length: 30_000 }, (_, at) => `a${at + 1}: &a${at + 1} [*a${at}, *a${at}]`).join('\n');
  const bomb = JSON.stringify({ text: `a0: &a0 [x]\n${aliases.slice(0, 900_000)}`, dryRun: true });
  const refused = await ask('hostile', '/v1/flows', { method: 'POST', headers: json, body: bomb });
  expect([refused.status, refused.json.code]).toEqual([422, 'E_FLOW_INVALID']);
  const nested = await ask('hostile', '/v1/flows', { method: 'POST', headers: json, body: `{"text":${'['.repeat(1_000_000)}` });
  expect([nested.status, nested.json.code]).toEqual([400, 'E_REQUEST']);
  const tooBig = await statusOf({ ...json, 'content-length': String(256 * 1024 * 1024) }, filled(' ', 256 * 1024 * 1024));
  expect(tooBig).toBe(413);
  const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`x-header-${at}`, 'value']));
  expect(await statusOf(many)).toBe(431);
  await expectOthersServed();
  expectBounded(documentsBytes);
});

/** Of a POST whose body goes on behind the answer, for as long as somebody takes it. */
async function statusOf(headers: Record<string, string>, body: Iterable<Uint8Array> = []): Promise<number | undefined> {
  const lines = Object.entries({ host: '127.0.0.1', authorization: `Bearer ${keys['hostile']}`, ...headers });
  const connection = openConnection(port);
  await connection.write(`POST /v1/flows HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
  const answer = await connection.answer();
  for (const piece of body) if (!(await connection.write(piece))) break;
  connection.socket.destroy();
  return answer?.status;
}

it.each(Object.entries(longRecords))('%s are read, each in memory that is known', async (_what, file) => {
  const [code] = await Promise.all([codeOf(file), expectOthersServed()]);
  expect(code).toBe('');
  expectBounded(longRecordsBytes);
});

it('no engine thread ended meanwhile', () => {
  expect(readFileSync(join(folder, 'log-worker'), 'utf8')).not.toContain('E_THREAD_DIED');
});
