import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { type RunningTestServer, startTestServer, type TestTenant, testFlow, testRows } from '../../test/support/running-server.ts';
import { scopes } from '../platform/access/api-keys.ts';
import { exportsAtOnceMax } from './job-export.ts';

let database: TestDatabase;
let server: RunningTestServer;
let tenant: TestTenant;
let key: string;
let ids: Readonly<Record<'job' | 'file' | 'arrival', string>>;

beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
  server = await startTestServer(database);
  tenant = await server.tenant('alpha');
  key = await tenant.makeKey(scopes);
  await tenant.apply(...testFlow({ root: server.out }));
  const { json } = await server.upload(key, { flow: 'payments', name: 'a.csv', body: testRows(3, 1) });
  await server.settle(key, json.jobId);
  const file = (await server.request(`/v1/files/${json.fileId}`, { key })).json;
  ids = { job: json.jobId, file: json.fileId, arrival: file.arrivalId };
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

const ask = (method: string, path: string, by: string | undefined = key) =>
  fetch(server.url + path, { method, headers: by === undefined ? {} : { authorization: `Bearer ${by}` } });
const exports = async () =>
  (await database.adminDb.query("/* exports */ select count(*) as events from headgate.events where type = 'job.exported'")).rows[0];

const named = ['content-type', 'content-disposition', 'cache-control', 'x-content-type-options', 'etag', 'www-authenticate', 'retry-after'];
const headOf = ({ status, headers }: Response) => [status, ...named.map((name) => headers.get(name))];

/** With every GET of the API: ids of the one job, and of nothing where there is none. */
function addresses(): string[] {
  const id = (path: string) =>
    path.includes('/jobs/') ? ids.job : path.includes('/files/') ? ids.file : path.includes('/arrivals/') ? ids.arrival : ids.job;
  return Object.entries(server.document.paths)
    .filter(([, methods]) => methods['get'] !== undefined)
    .map(([path]) =>
      path
        .replace('{id}', id(path))
        .replace('{number}', '1')
        .replace('{kind}', 'Connection')
        .replace('{name}', path.includes('definitions') ? 'out' : 'payments')
        .replace('{target}', 'out')
        .replace('{group}', '0'.repeat(32)),
    );
}

describe('HEAD answers as GET does, without a body', () => {
  it('at every address', async () => {
    const asked = ['/livez', '/readyz', '/version', '/metrics', '/docs/', '/docs/json', '/v1/nothing', ...addresses()];
    expect(asked.length).toBeGreaterThan(35);
    let found = 0;
    for (const path of asked) {
      const [head, got] = [await ask('HEAD', path), await ask('GET', path)];
      expect(headOf(head), path).toEqual(headOf(got));
      expect(await head.text(), path).toBe('');
      if (got.status === 200) found++;
      await got.body?.cancel();
    }
    expect(found).toBeGreaterThan(25);
  });

  it('with how long the body would be', async () => {
    const [head, got] = [await ask('HEAD', '/v1/jobs'), await ask('GET', '/v1/jobs')];
    expect(head.headers.get('content-length')).toBe(String((await got.arrayBuffer()).byteLength));
  });

  it('to nobody who may not see it', async () => {
    const [reader, other] = [await tenant.makeKey(['jobs:read']), await (await server.tenant('beta')).makeKey(scopes)];
    const paths = [
      `/v1/jobs/${ids.job}`,
      `/v1/jobs/${ids.job}/export`,
      `/v1/jobs/${ids.job}/records/1`,
      `/v1/files/${ids.file}/acknowledgement`,
    ];
    for (const path of paths) {
      expect((await ask('HEAD', path, 'hg_live_none')).status, path).toBe(401);
      expect((await ask('HEAD', path, other)).status, path).toBe(404);
      expect((await ask('HEAD', path, reader)).status, path).toBe(path === `/v1/jobs/${ids.job}` ? 200 : 403);
    }
  });

  it('also where an acknowledgement can not be made', async () => {
    const { json } = await server.upload(key, { flow: 'payments', name: 'b.csv', body: testRows(3, 1, 9) });
    await server.settle(key, json.jobId);
    const path = `/v1/files/${json.fileId}/acknowledgement?level=record`;
    expect((await ask('HEAD', path)).status).toBe(200);
    const objects = join(server.settings.dataDir, 'objects');
    renameSync(objects, `${objects}.away`);
    const [head, got] = [await ask('HEAD', path), await ask('GET', path)];
    renameSync(`${objects}.away`, objects);
    expect(((await got.json()) as { code: string }).code).toBe('E_OBJECT_MISSING');
    expect(headOf(head)).toEqual(headOf(got));
  });

  it('for an export and an acknowledgement without making them', async () => {
    const before = await exports();
    for (let times = 0; times <= exportsAtOnceMax; times++) {
      expect((await ask('HEAD', `/v1/jobs/${ids.job}/export`)).status).toBe(200);
      expect((await ask('HEAD', `/v1/files/${ids.file}/acknowledgement?format=csv`)).status).toBe(200);
    }
    expect((await ask('HEAD', `/v1/files/${ids.file}/acknowledgement?format=nacha`)).status).toBe(400);
    expect(await exports()).toEqual(before);
  });
});
