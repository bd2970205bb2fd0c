/**
 * A whole run with planted secrets and planted content, by failing and working targets, one end by SIGKILL included; then
 * everything that it wrote anywhere is searched for them.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { scopes } from '../../src/platform/access/api-keys.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { startEmbeddedPostgres } from '../../src/platform/postgres/embedded-postgres.ts';
import { openPool } from '../../src/platform/postgres/pool.ts';
import { freePort, type ServedProcess, startServing } from '../simulation/served-process.ts';
import { type CommandResult, runHeadgate } from '../support/headgate-command.ts';
import { createSearch, searchFolder } from '../support/planted-texts.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const token = () => randomBytes(18).toString('base64url');
const signing = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
const secrets: Record<string, string> = {
  'the token of the HTTP connection': `tok-${token()}`,
  'the password of the PostgreSQL connection': `pwd-${token()}`,
  'its first password, which was wrong': `bad-${token()}`,
  'the master key': randomBytes(32).toString('base64'),
  'the signing key': signing.split('\n')[1]!,
};
const content: Record<string, string> = {
  'a card number': '4539578763621486',
  'an IBAN': 'GB33BUKB20201555555555',
  'a note': `note-${token()}`,
};
const [card, iban, note] = Object.values(content) as [string, string, string];

const folder = mkdtempSync(join(tmpdir(), 'headgate-planted-'));
const places = Object.fromEntries(['data', 'drop', 'keys', 'out', 'scratch', 'work'].map((name) => [name, join(folder, name)])) as Record<
  'data' | 'drop' | 'keys' | 'out' | 'scratch' | 'work',
  string
>;
const logPath = join(folder, 'serve.log');
const passwordFile = join(places.data, 'secrets', 'bank', 'ledger');
const received: string[] = [];
const printed: string[] = [];
const answers: string[] = [];
const exports: Buffer[] = [];
let sinkDatabase: TestDatabase;
let sink: Server;
let port: number;
let served: ServedProcess;
let ownKeys: Record<string, string>;

/** Quotes all that it was sent, and refuses: what a badly made service does. */
async function startSink(): Promise<number> {
  sink = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (piece: string) => {
      body += piece;
    });
    request.on('end', () => {
      received.push(JSON.stringify(request.headers) + body);
      const isGood = request.url === '/good';
      const quoted = JSON.stringify({ error: `bad request: ${JSON.stringify(request.headers)} ${body}`, code: card });
      response.writeHead(
        isGood ? 200 : 422,
        isGood ? {} : { 'content-type': 'application/json', 'x-quoted': request.headers.authorization },
      );
      response.end(isGood ? '' : quoted);
    });
  });
  sink.listen(0, '127.0.0.1');
  await once(sink, 'listening');
  return (sink.address() as { port: number }).port;
}

function documents(sinkPort: number, closedPort: number): Record<string, string> {
  const connection = (name: string, spec: string) =>
    `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: bank, name: ${name} }\nspec: ${spec}\n`;
  const auth = 'auth: { type: bearer, token: "env:HEADGATE_SECRET_BANK__SINK" }';
  const target = new URL(inject('testPostgres').adminUrl);
  return {
    'policy.yaml': `apiVersion: headgate/v1
kind: TenantPolicy
metadata: { tenant: bank, name: policy }
spec: { egress: { allowPrivate: ["127.0.0.0/8"], allowPlain: true } }
`,
    'out.yaml': connection('out', `{ type: folder, root: ${places.out} }`),
    'drop.yaml': connection('drop', `{ type: folder, root: ${places.drop} }`),
    'service.yaml': connection('service', `{ type: http, baseUrl: "http://127.0.0.1:${sinkPort}", ${auth} }`),
    'gone.yaml': connection('gone', `{ type: http, baseUrl: "http://127.0.0.1:${closedPort}", ${auth} }`),
    'table.yaml': connection(
      'table',
      `{ type: postgres, host: 127.0.0.1, port: ${target.port}, database: ${sinkDatabase.name}, user: planted_writer, password: "file:${passwordFile}", tls: disable }`,
    ),
    'flow.yaml': `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: bank, service: cards, name: cards, version: 1.0.0 }
spec:
  sources:
    - { id: upload, type: http }
    - { id: drop, type: folder, connection: drop, path: in, match: "*.csv", ready: { stableFor: 100ms }, poll: 200ms }
  format: { type: delimited, header: true }
  schema:
    record:
      key: [id]
      fields:
        id: { type: string, required: true, pattern: "^P[0-9]+$", unique: file }
        card: { type: string, required: true, class: account, mask: last4 }
        iban: { type: string, class: account, mask: last4 }
        amount: { type: decimal, scale: 2, required: true, sum: true }
        note: { type: string, class: personal, mask: all }
  validate:
    - { id: positive, assert: "record.amount > 0", code: AMT01, message: "Amount must be above zero" }
  acceptance: { mode: partial, maxInvalidRatio: 0.9 }
  routes: { default: { to: [out, good, quoting, gone, table] } }
  targets:
    out: { type: file, connection: out, path: cards, rollUp: false }
    good: { type: http, connection: service, path: /good }
    quoting: { type: http, connection: service, path: /quoting }
    gone: { type: http, connection: gone, path: /gone }
    table: { type: postgres, connection: table, table: cards, retry: { max: 60, initial: 200ms, cap: 500ms } }
  targetDefaults: { retry: { max: 2, initial: 100ms, cap: 300ms }, breaker: { minCalls: 1000 } }
`,
  };
}

let rows = 0;
/** The planted texts in a good place, and in every place where a finding speaks of them. */
function fileOf(count: number): string {
  const good = Array.from({ length: count }, () => `P${++rows},${card},${iban},${rows % 90}.50,${note}\n`).join('');
  return `id,card,iban,amount,note
${good}${card},${card},${iban},1.00,${note}
P${++rows},${card},${iban},${card}x,${note}
P${++rows},${card},${iban},-1.00,${note}
P${++rows},${card},${iban},1.00,${note},${card}
P${++rows},${card},${iban},1.00,${note}"${iban}
P${rows},${card},${iban},1.00,${note}
`;
}

function serve(): ServedProcess {
  return startServing({
    port,
    logPath,
    env: {
      TMPDIR: places.scratch,
      HEADGATE_DATA_DIR: places.data,
      HEADGATE_LOG_LEVEL: 'trace',
      HEADGATE_CHUNK_BYTES: '65536',
      HEADGATE_WORKER_THREADS: '1',
      HEADGATE_LEASE_MS: '2000',
      ...ownKeys,
      HEADGATE_SECRET_BANK__SINK: secrets['the token of the HTTP connection']!,
    },
  });
}

async function headgate(...argv: string[]): Promise<CommandResult> {
  const result = await runHeadgate([...argv, '--key-file', join(folder, 'key')], {
    env: { HEADGATE_URL: `http://127.0.0.1:${port}` },
    cwd: places.work,
  });
  printed.push(result.stdout, result.stderr);
  return result;
}

async function administer(...argv: string[]): Promise<string> {
  const { stdout, stderr } = await runHeadgate([...argv, '--data-dir', places.data], { env: { ...ownKeys, TMPDIR: places.scratch } });
  printed.push(stderr);
  return stdout;
}

async function makeKey(tenant: string): Promise<string> {
  return JSON.parse(await administer('key', 'create', tenant, '--scopes', scopes.join(','), '--json')).key as string;
}

const headersOf = (key: string) => ({ authorization: `Bearer ${key}` });

/** Every list and every single thing that the API shows; exports apart, which are content in the clear by their purpose. */
async function readWholeApi(key: string): Promise<void> {
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: headersOf(key) });
    const text = await response.text();
    answers.push(JSON.stringify([...response.headers]) + text);
    return response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : {};
  };
  const idsOf = async (path: string, name: string): Promise<string[]> =>
    ((await get(path)).items as Record<string, string>[]).map((item) => item[name]!);
  for (const id of await idsOf('/v1/jobs', 'jobId')) {
    const archive = await fetch(`http://127.0.0.1:${port}/v1/jobs/${id}/export`, { headers: headersOf(key) });
    exports.push(Buffer.from(await archive.arrayBuffer()));
    for (const path of ['', '/errors', '/receipt', '/records', '/records/1', '/records/3', '/records/9000'])
      await get(`/v1/jobs/${id}${path}`);
  }
  for (const [path, name] of [
    ['/v1/files', 'fileId'],
    ['/v1/arrivals', 'arrivalId'],
    ['/v1/dead-letters', 'deadLetterId'],
    ['/v1/flows', 'name'],
  ] as const)
    for (const id of await idsOf(path, name)) await get(`${path}/${id}`);
  for (const path of ['/v1/flows/cards/source', '/v1/definitions', '/v1/keys', '/v1/events?limit=1000', '/metrics', '/readyz'])
    await get(path);
  for (const { kind, name } of (await get('/v1/definitions')).items ?? []) await get(`/v1/definitions/${kind}/${name}`);
}

beforeAll(async () => {
  for (const place of Object.values(places)) mkdirSync(place, { mode: 0o700 });
  mkdirSync(join(places.drop, 'in'));
  mkdirSync(join(places.data, 'secrets', 'bank'), { recursive: true, mode: 0o700 });
  writeFileSync(passwordFile, secrets['its first password, which was wrong']!, { mode: 0o600 });
  writeFileSync(join(places.keys, 'signing.pem'), signing, { mode: 0o600 });
  ownKeys = {
    HEADGATE_MASTER_KEY: '1=env:HEADGATE_SECRET_MASTER',
    HEADGATE_SECRET_MASTER: secrets['the master key']!,
    HEADGATE_SIGNING_KEY: `file:${join(places.keys, 'signing.pem')}`,
  };
  sinkDatabase = await createTestDatabase({ isEmpty: true });
  const run = (sql: string) => sinkDatabase.adminDb.query(`/* make the target */ ${sql}`);
  await run('drop role if exists planted_writer');
  await run(`create role planted_writer login password '${secrets['the password of the PostgreSQL connection']}'`);
  await run('create table public.cards (id text, card text, iban text, amount numeric, note text)');
  await run('grant select, insert on public.cards to planted_writer');
  port = await freePort();
  for (const [name, text] of Object.entries(documents(await startSink(), await freePort()))) writeFileSync(join(places.work, name), text);
  served = serve();
  expect(await served.waitUntilReady(90_000)).toBe(true);
  await administer('tenant', 'create', 'bank');
  secrets['an API key'] = await makeKey('bank');
  writeFileSync(join(folder, 'key'), secrets['an API key'], { mode: 0o600 });
});

afterAll(async () => {
  served?.signal('SIGKILL');
  sink?.close();
  const server = await startEmbeddedPostgres({ dataDir: places.data, ports: systemPorts });
  await server.stop();
  await sinkDatabase?.adminDb.query('/* unmake */ drop owned by planted_writer');
  await sinkDatabase?.adminDb.query('/* unmake */ drop role planted_writer');
  await sinkDatabase?.drop();
  rmSync(folder, { recursive: true, force: true });
});

describe('a whole run (F1, E8)', () => {
  it('goes its way past failing targets, a wrong password and SIGKILL', async () => {
    const names = ['policy.yaml', 'out.yaml', 'drop.yaml', 'service.yaml', 'gone.yaml', 'table.yaml', 'flow.yaml'];
    expect((await headgate('flow', 'apply', ...names, '--yes')).code).toBe(0);
    writeFileSync(join(places.work, 'first.csv'), fileOf(20));
    writeFileSync(join(places.work, 'second.csv'), fileOf(3_000));
    writeFileSync(join(places.drop, 'in', 'third.csv'), fileOf(30));
    await headgate('ingest', join(places.work, 'first.csv'), '--flow', 'cards', '--json');
    await headgate('ingest', join(places.work, 'second.csv'), '--flow', 'cards', '--json');
    served.signal('SIGKILL');
    await served.ended;
    served = serve();
    expect(await served.waitUntilReady(90_000)).toBe(true);
    const isSeen = (text: string) => readFileSync(logPath, 'utf8').includes(text);
    await vi.waitUntil(() => isSeen('E_TARGET_FORBIDDEN') && isSeen('E_TARGET_UNREACHABLE'), { timeout: 90_000, interval: 100 });
    writeFileSync(passwordFile, secrets['the password of the PostgreSQL connection']!, { mode: 0o600 });
    const jobs = await vi.waitUntil(
      async () => {
        const { stdout } = await headgate('job', 'list', '--json');
        const found = JSON.parse(stdout) as { state: string; closedAt: string | null; jobId: string; records: { rejected: number } }[];
        return found.length === 3 && found.every(({ closedAt }) => closedAt !== null) ? found : null;
      },
      { timeout: 120_000, interval: 500 },
    );
    const inTable = await sinkDatabase.adminDb.query('/* count */ select from public.cards');
    expect(inTable.rowCount).toBeGreaterThanOrEqual(3_050);
    expect(jobs.map(({ state }) => state)).toEqual(jobs.map(() => 'completed_with_failures'));
    for (const { records } of jobs) expect(Number(records.rejected)).toBeGreaterThanOrEqual(5);
    await readWholeApi(secrets['an API key']!);
    for (const { jobId } of jobs) for (const verb of ['get', 'errors']) await headgate('job', verb, jobId);
    for (const argv of [['list'], ['export']]) await headgate('dead-letter', ...argv);
    await headgate('record', 'list', jobs[0]!.jobId, '--limit', '20');
    await headgate('record', 'get', jobs[0]!.jobId, '1', '--json');
    await headgate('flow', 'get', 'cards', '--source');
    await administer('doctor', '--json');
  });

  it('leaves the folder for scratch files empty, and what it leaves of a tenant is sealed', async () => {
    served.signal('SIGTERM');
    expect((await served.ended).code).toBe(0);
    expect(readdirSync(places.scratch)).toEqual([]);
    const search = createSearch(content);
    expect(searchFolder(places.out, search).length, 'the content was there to be found').toBeGreaterThanOrEqual(3);
    expect(searchFolder(places.data, search)).toEqual([]);
  });

  it('wrote no secret anywhere: data folder with database and its logs, own logs, exports, answers, what commands print', async () => {
    const search = createSearch(secrets);
    expect(received.some((request) => search('sink', request).includes('the token of the HTTP connection in sink'))).toBe(true);
    expect(searchFolder(places.data, search, [passwordFile])).toEqual([]);
    for (const place of [places.out, places.scratch]) expect(searchFolder(place, search)).toEqual([]);
    expect(search('the log', readFileSync(logPath))).toEqual([]);
    expect(printed.flatMap((text) => search(`what a command printed: ${text.slice(0, 200)}`, text))).toEqual([]);
    expect(answers.flatMap((text) => search(`an answer: ${text.slice(0, 200)}`, text))).toEqual([]);
    expect(exports.flatMap((archive) => createSearch(content)('an export', archive)).length, 'content is in exports').toBe(9);
    expect(exports.flatMap((archive) => search('an export', archive))).toEqual([]);
    // What was searched was all there.
    expect([answers.length > 60, printed.length > 20, readFileSync(logPath).length > 2_000]).toEqual([true, true, true]);
  });

  it('repeats no card number, account or note in logs, metrics, errors and lists', () => {
    const search = createSearch(content);
    expect(search('the log', readFileSync(logPath))).toEqual([]);
    expect(printed.flatMap((text) => search(`what a command printed: ${text.slice(0, 200)}`, text))).toEqual([]);
    expect(answers.flatMap((text) => search(`an answer: ${text.slice(0, 200)}`, text))).toEqual([]);
  });

  it('has none of it in any row of any table', async () => {
    const search = createSearch({ ...secrets, ...content });
    const server = await startEmbeddedPostgres({ dataDir: places.data, ports: systemPorts });
    const db = openPool({ url: server.adminUrl('headgate'), applicationName: 'headgate planted', connectionsMax: 1 });
    try {
      const { rows: tables } = await db.query<{ name: string }>(
        `/* list tables */ select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`,
      );
      expect(tables.length).toBeGreaterThan(20);
      let seen = 0;
      for (const { name } of tables) {
        const { rows: all } = await db.query<{ row: string }>(`/* dump */ select t::text as row from ${name} t`);
        seen += all.length;
        expect(all.flatMap(({ row }) => search(`${name}: ${row.slice(0, 300)}`, row))).toEqual([]);
      }
      expect(seen).toBeGreaterThan(100);
    } finally {
      await db.close();
      await server.stop();
    }
  });

  it('and a search that finds nothing would find what is planted', () => {
    const search = createSearch({ ...secrets, ...content });
    const planted = join(places.data, 'planted');
    for (const text of Object.values({ ...secrets, ...content })) {
      const forms = [text, Buffer.from(`x${text}y`).toString('base64'), Buffer.from(text).toString('hex')];
      for (const form of forms) {
        writeFileSync(planted, randomBytes(100));
        appendFileSync(planted, form);
        expect(search('planted', readFileSync(planted)).length, form.length.toString()).toBeGreaterThan(0);
      }
    }
    rmSync(planted);
  });
});
