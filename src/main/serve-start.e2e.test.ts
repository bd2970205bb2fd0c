import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { runHeadgate, type StartedHeadgate, startHeadgate } from '../../test/support/headgate-command.ts';
import { systemPorts } from '../platform/base/system-ports.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../platform/postgres/embedded-postgres.ts';
import { openDatabase } from '../platform/postgres/open-database.ts';
import { openPool } from '../platform/postgres/pool.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-start-'));
const clusterDir = join(folder, 'cluster');
const dataDir = join(folder, 'data');
const startCluster = (): Promise<EmbeddedPostgres> => startEmbeddedPostgres({ dataDir: clusterDir, ports: systemPorts });
const listening = /headgate listens at (http:\/\/\S+) and waits for its database: (E_[A-Z_]+)/;
/** Of a migrated server that is away when a test begins, and comes back on the same port. */
let url: string;
let adminUrl: string;
let cluster: EmbeddedPostgres | undefined;
let headgate: StartedHeadgate | undefined;

beforeAll(async () => {
  const opened = await openDatabase({ dataDir: clusterDir, applicationName: 'set-up', ports: systemPorts });
  url = opened.url;
  adminUrl = opened.embedded!.adminUrl('headgate');
  await opened.close();
});
afterEach(async () => {
  await headgate?.stop();
  headgate = undefined;
  await cluster?.stop();
  cluster = undefined;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const serve = (databaseUrl: string) => startHeadgate(dataDir, { env: { HEADGATE_DATABASE_URL: databaseUrl } });

async function answerOf(address: string): Promise<[number, unknown]> {
  const response = await fetch(address, { headers: { authorization: `Bearer hg_live_${'a'.repeat(43)}` } });
  return [response.status, await response.json()];
}

describe('a start while the database is away', () => {
  it('listens, answers 503 with the code of what it waits for, and serves when the database comes', async () => {
    headgate = serve(url);
    const [, at, code] = await headgate.said(listening);
    expect(code).toBe('E_DATABASE_UNREACHABLE');
    expect(await answerOf(`${at}/livez`)).toEqual([200, { status: 'ok' }]);
    expect(await answerOf(`${at}/startupz`)).toEqual([503, { status: 'starting', code: 'E_DATABASE_UNREACHABLE' }]);
    const [ready, { checks }] = (await answerOf(`${at}/readyz`)) as [number, { checks: unknown[] }];
    expect(ready).toBe(503);
    expect(checks).toContainEqual({ name: 'database', isOk: false, detail: 'E_DATABASE_UNREACHABLE' });
    expect(await answerOf(`${at}/v1/jobs`)).toMatchObject([
      503,
      { code: 'E_NOT_READY', retryable: true, errors: [{ code: 'E_DATABASE_UNREACHABLE' }] },
    ]);

    cluster = await startCluster();
    await headgate.said(/headgate serves (http:\/\/\S+?),/);
    expect(await answerOf(`${at}/startupz`)).toEqual([200, { status: 'ok' }]);
    expect((await answerOf(`${at}/readyz`))[0]).toBe(200);
    expect((await answerOf(`${at}/v1/jobs`))[0]).toBe(401);

    await cluster.stop();
    await vi.waitUntil(async () => (await answerOf(`${at}/readyz`))[0] === 503, { timeout: 60_000, interval: 50 });
    expect(await answerOf(`${at}/livez`)).toEqual([200, { status: 'ok' }]);
    cluster = await startCluster();
    await vi.waitUntil(async () => (await answerOf(`${at}/readyz`))[0] === 200, { timeout: 60_000, interval: 50 });
  });

  it('ends in order at SIGTERM', async () => {
    headgate = serve(url);
    await headgate.said(listening);
    const { code, seconds } = await headgate.stop();
    expect(code).toBe(0);
    expect(seconds).toBeLessThan(5);
  });

  it('ends with the code of the fault when what comes is not what it may use', async () => {
    headgate = serve(adminUrl);
    const ended = headgate.said(/error (E_[A-Z_]+)/);
    await headgate.said(listening);
    cluster = await startCluster();
    expect((await ended)[1]).toBe('E_ROLE_UNSAFE');
    expect((await headgate.ended()).code).toBe(1);
  });
});

describe('a start on a database that it may not use', () => {
  beforeEach(async () => {
    cluster = await startCluster();
  });

  it.each([
    ['a wrong password', () => url.replace(/:[^:@]+@/, ':wrong@'), 'E_DATABASE_LOGIN'],
    ['no password', () => url.replace(/:[^:@]+@/, '@'), 'E_DATABASE_LOGIN'],
    ['the role of a superuser', () => adminUrl, 'E_ROLE_UNSAFE'],
    ['a database without the schema', () => url.replace(/headgate$/, 'postgres'), 'E_SCHEMA_TOO_OLD'],
    ['a database that does not exist', () => url.replace(/headgate$/, 'nowhere'), 'E_DATABASE_MISSING'],
  ])('ends at once for %s', async (_what, address, code) => {
    const startedMs = performance.now();
    const result = await runHeadgate(['serve', '--port', '0', '--data-dir', dataDir], { env: { HEADGATE_DATABASE_URL: address() } });
    // The server would wait a minute for a login.
    expect(performance.now() - startedMs).toBeLessThan(30_000);
    expect(result.stderr).toContain(`error ${code}`);
    expect(result.stderr).not.toContain('waits for its database');
    expect(result.code).toBe(1);
  });

  it('ends at once for a schema that is too new', async () => {
    const admin = openPool({ url: adminUrl, applicationName: 'set-up', connectionsMax: 1 });
    await admin.query(
      `/* plant version */ insert into headgate.migrations (number, name, sha256, min_compatible_version, applied_at)
       values (99, 'later', '', 99, headgate.clock())`,
    );
    const result = await runHeadgate(['serve', '--port', '0', '--data-dir', dataDir], { env: { HEADGATE_DATABASE_URL: url } });
    await admin.query('/* take version away */ delete from headgate.migrations where number = 99');
    await admin.close();
    expect([result.code, result.stderr]).toEqual([1, expect.stringContaining('error E_SCHEMA_TOO_NEW')]);
  });
});
