import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createLogger } from '../../src/platform/telemetry/logger.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type RunningTestServer, startTestServer, type TestTenant, testFlow, testRows } from '../support/running-server.ts';

let database: TestDatabase;
let server: RunningTestServer;
let bankA: TestTenant;
let bankB: TestTenant;
let log = '';

beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 3 });
  server = await startTestServer(
    database,
    { mountedSecretFolders: ['/nowhere/mounted'] },
    createLogger({ level: 'info', destination: { write: (line) => void (log += line) } }),
  );
  bankA = await server.tenant('bank-a');
  bankB = await server.tenant('bank-b');
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

const connection = (root: string, name = 'in') =>
  `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: TENANT, name: ${name} }\nspec:\n  type: folder\n  root: ${JSON.stringify(root)}\n`;

async function post(to: Pick<RunningTestServer, 'request'>, tenant: TestTenant, text: string, dryRun = false) {
  const body = { text: text.replaceAll('TENANT', tenant.name), dryRun };
  return to.request('/v1/flows', { key: tenant.key, method: 'POST', headers: { 'if-match': '*' }, body });
}

describe('a folder connection that a tenant applies (C6)', () => {
  const own = (path: string) => join(server.out, path);

  it.each([
    ["the server's data folder", () => server.settings.dataDir],
    ['a folder in it', () => join(server.settings.dataDir, 'objects')],
    ['a folder that contains it', () => join(server.settings.dataDir, '..')],
    ['a link to it', () => own('link')],
    ['a folder that would lie behind such a link', () => own('link/new')],
    ['the installation', () => join(import.meta.dirname, '../..')],
    ['a folder of the installation', () => import.meta.dirname],
    ['/etc', () => '/etc'],
    ['a folder of mounted secrets', () => '/nowhere/mounted/bank-b'],
    ['/', () => '/'],
    ['a process', () => '/proc/self/root/etc'],
  ])('is refused for %s, with its place', async (_what, root) => {
    if (!existsSync(own('link'))) symlinkSync(server.settings.dataDir, own('link'));
    for (const dryRun of [true, false]) {
      const { status, json } = await post(server, bankB, connection(root()), dryRun);
      expect([status, json.code]).toEqual([422, 'E_FLOW_INVALID']);
      expect(json.errors).toMatchObject([{ code: 'E_FOLDER_NOT_ALLOWED', path: 'spec.root', line: 6, column: 9 }]);
    }
  });

  it("is refused for another tenant's folder, one inside it and one around it, by whatever name, and for its own it isn't", async () => {
    mkdirSync(own('a/deliveries'), { recursive: true });
    symlinkSync(own('a'), own('a-by-link'));
    expect((await post(server, bankA, connection(own('a')))).status).toBe(200);
    for (const root of [own('a'), own('a/deliveries'), own('.'), own('a-by-link'), own('a/new')]) {
      const { status, json } = await post(server, bankB, connection(root));
      expect([root, status, json.errors?.[0]?.code]).toEqual([root, 422, 'E_FOLDER_NOT_ALLOWED']);
      expect(JSON.stringify(json)).not.toContain('bank-a');
    }
    expect((await post(server, bankB, connection(own('b')))).status).toBe(200);
    expect((await post(server, bankA, connection(own('a/deliveries'), 'second'))).status).toBe(200);
  });
});

describe('a folder connection that was applied before it was fenced (C6)', () => {
  const source =
    '{ id: drop, type: folder, connection: in, path: ., match: "*", ready: { stableFor: 0s }, poll: 100ms, afterwards: delete }';

  it('is not polled: nothing is read, and nothing deleted', async () => {
    const taken = join(server.settings.dataDir, 'planted.csv');
    writeFileSync(taken, testRows(1));
    await bankB.apply(
      connection(server.settings.dataDir),
      ...testFlow({ root: join(server.out, 'b') }).map((text) => text.replace('{ id: upload, type: http }', source)),
    );
    await vi.waitUntil(() => /"code":"E_FOLDER_NOT_ALLOWED"/.test(log), { timeout: 60_000, interval: 30 });
    expect(existsSync(taken)).toBe(true);
    expect((await server.request('/v1/files', { key: bankB.key })).json.items).toEqual([]);
  });

  it('gets nothing delivered: the batch waits with the code', async () => {
    const bank = await server.tenant('bank-c');
    await bank.apply(...testFlow({ root: server.settings.dataDir }));
    const before = readdirSync(server.settings.dataDir);
    expect((await server.upload(bank.key, { flow: 'payments', name: 'a.csv', body: testRows(1) })).status).toBe(201);
    const codes = async () =>
      (
        await database.adminDb.query<{ code: string }>(
          '/* codes */ select distinct reason_code as code from headgate.attempts where outcome is not null',
        )
      ).rows;
    await vi.waitUntil(async () => (await codes()).length > 0, { timeout: 60_000, interval: 50 });
    expect(await codes()).toEqual([{ code: 'E_FOLDER_NOT_ALLOWED' }]);
    expect(readdirSync(server.settings.dataDir)).toEqual(before);
  });
});

it('with folderRoots a tenant has the folder of its name and no other, whatever another tenant has (C6)', async () => {
  const fenced = await startTestServer(database, { roles: 'api', folderRoots: [join(server.out, 'roots/{tenant}')] });
  try {
    for (const [root, status] of [
      ['roots/bank-b', 200],
      ['roots/bank-b/in', 200],
      ['roots/bank-a', 422],
      ['roots', 422],
      ['b', 422],
    ] as const)
      expect([root, (await post(fenced, bankB, connection(join(server.out, root)))).status]).toEqual([root, status]);
  } finally {
    await fenced.stop();
  }
});
