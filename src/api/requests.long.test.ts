import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { openConnection } from '../../test/support/raw-http.ts';
import {
  type Answer,
  type Operation,
  type RunningTestServer,
  startTestServer,
  type TestTenant,
  testFlow,
  testRows,
} from '../../test/support/running-server.ts';
import { scopes } from '../platform/access/api-keys.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import { systemPorts } from '../platform/base/system-ports.ts';
import { asHeadgateError, problemOf, statusOf } from './problems.ts';

let database: TestDatabase;
let server: RunningTestServer;
let tenant: TestTenant;
let key: string;

beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
  server = await startTestServer(database);
  tenant = await server.tenant('alpha');
  key = await tenant.makeKey(scopes);
  await tenant.apply(...testFlow({ root: server.out }));
  for (let seed = 0; seed < 3; seed++) await server.upload(key, { flow: 'payments', name: `${seed}.csv`, body: testRows(1, 0, seed) });
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

const get = (path: string, headers?: Record<string, string>) => server.request(path, { key, headers });
const facts = ({ status, json }: Answer) => [status, json?.code];

interface Route {
  readonly path: string;
  readonly operation: Operation;
}

const routes = (method: 'get' | 'post'): Route[] =>
  Object.entries(server.document.paths).flatMap(([path, methods]) =>
    path.startsWith('/v1/') && methods[method]
      ? [
          {
            path: path
              .replace('{id}', systemPorts.ids.next())
              .replace('{number}', '1')
              .replace('{kind}', 'Connection')
              .replace('{name}', 'payments'),
            operation: methods[method],
          },
        ]
      : [],
  );

const queryNames = ({ operation }: Route) =>
  (operation.parameters ?? []).filter((parameter) => parameter.in === 'query').map(({ name }) => name);

describe('a problem', () => {
  it('is problem+json with code, trace and what to do', async () => {
    const { status, type, json, headers } = await get(`/v1/jobs/${systemPorts.ids.next()}`);
    expect([status, type]).toEqual([404, 'application/problem+json']);
    expect(json).toMatchObject({
      type: 'urn:headgate:error:E_NOT_FOUND',
      title: 'E_NOT_FOUND',
      status: 404,
      code: 'E_NOT_FOUND',
      actor: 'caller',
      retryable: false,
    });
    expect(json.actions.length).toBe(1);
    expect(headers.get('traceparent')).toContain(json.traceId);
  });

  it.each([
    ['an unknown address', 'GET', '/v1/nothing', 404],
    ['an unknown address outside', 'GET', '/nothing', 404],
    ['a method that is not known there', 'DELETE', '/v1/jobs', 404],
    ['a question of a browser for another origin', 'OPTIONS', '/v1/jobs', 404],
    ['a way out of the folder', 'GET', '/docs/static/..%2f..%2f..%2fpackage.json', 404],
    ['half an escape', 'GET', '/v1/flows/%E0%A4%A', 400],
    ['a name of 400 bytes', 'GET', `/v1/flows/${'n'.repeat(400)}`, 400],
    ['a name of 700 bytes', 'GET', `/v1/flows/${'n'.repeat(700)}`, 400],
    ['NUL in a name', 'GET', '/v1/flows/a%00b', 400],
    ['an id that is none', 'GET', '/v1/jobs/1', 400],
    ['an id with a quote', 'GET', "/v1/jobs/'%20or%201=1--", 400],
    ['a record number beyond all numbers', 'GET', '/v1/jobs/01900000-0000-7000-8000-000000000001/records/99999999999999999999', 400],
  ])('answers %s', async (_what, method, path, status) => {
    const answer = await server.request(path, { key, method, isUndescribed: true });
    expect([answer.status, answer.type]).toEqual([status, 'application/problem+json']);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });

  it.each([
    ['/v1/flows', {}, '/', 'the field "text" is missing'],
    ['/v1/jobs?limit=0', undefined, '/limit', 'must be from 1 to 200'],
    ['/v1/jobs?limit=100000', undefined, '/limit', 'must be from 1 to 200'],
    [`/v1/jobs?flow=${'n'.repeat(121)}`, undefined, '/flow', 'must have at most 120 characters'],
  ])('says what is wrong with a request: %s', async (path, body, at, message) => {
    const { status, json } = await server.request(path, { key, ...(body && { method: 'POST', body }) });
    expect([status, json.errors[0]]).toEqual([400, { code: 'E_REQUEST', path: at, message }]);
  });

  it('of the product says nothing of its cause', () => {
    const problem = problemOf(asHeadgateError(new Error('password=hunter2 at /srv/secret')));
    expect(problem).toMatchObject({ status: 500, code: 'E_INTERNAL' });
    expect(JSON.stringify(problem)).not.toMatch(/hunter2|secret/);
    const database = problemOf(new HeadgateError('E_DATABASE_VALUE', 'invalid input syntax: "4111111111111111"'));
    expect(JSON.stringify(database)).not.toContain('4111');
    expect(statusOf(new HeadgateError('E_DATABASE_BUSY', '', { retryable: true }))).toBe(503);
  });
});

describe('a trace', () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c';

  it("of the caller is continued, in the answer and in the file's job", async () => {
    const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
    const answer = await server.upload(key, { flow: 'payments', name: 'traced.csv', body: testRows(1, 0, 77), headers });
    expect(answer.headers.get('traceparent')).toMatch(new RegExp(`^00-${traceId}-(?!b7ad6b7169203331)[0-9a-f]{16}-01$`));
    expect((await get(`/v1/jobs/${answer.json.jobId}`)).json.traceId).toBe(traceId);
    expect((await get(`/v1/arrivals/${answer.json.arrivalId}`)).json.traceId).toBe(traceId);
  });

  it.each([
    'nonsense',
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `ff-${traceId}-b7ad6b7169203331-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
  ])('that is none is replaced: %s', async (traceparent) => {
    const answer = await get('/v1/jobs', { traceparent });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('traceparent')).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
    expect(answer.headers.get('traceparent')).not.toContain(traceId);
  });
});

describe('a body', () => {
  const send = (body: string, type = 'application/json', path = '/v1/flows') =>
    server.request(path, { key, method: 'POST', body, headers: { 'content-type': type, 'if-match': '*' } });

  it.each([
    ['nothing', '', 400],
    ['broken JSON', '{"text":', 400],
    ['a list', '[]', 400],
    ['a text', '"text"', 400],
    ['a prototype', '{"text":"a: 1","__proto__":{"isAdmin":true}}', 400],
    ['a constructor', '{"text":"a: 1","constructor":{"prototype":{"isAdmin":true}}}', 400],
    ['a number for a text', '{"text":1}', 400],
    ['a text for a switch', '{"text":"a: 1","dryRun":"true"}', 400],
    ['a field that is there twice', '{"text":"a: 1","dryRun":true,"dryRun":false}', 400],
    ['too deep a nest', `{"text":${'['.repeat(50_000)}${']'.repeat(50_000)}}`, 400],
    ['more than the limit', JSON.stringify({ text: 'a'.repeat(3_000_000) }), 413],
  ])('of %s is refused', async (_what, body, status) => {
    expect((await send(body)).status).toBe(status);
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });

  it.each(['application/xml', 'text/plain', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded'])(
    'of the type %s is refused with 415',
    async (type) => {
      expect(facts(await send('a=1', type))).toEqual([415, 'E_MEDIA_TYPE']);
    },
  );

  it('may not name what is not its to decide, on any route', async () => {
    const good: Readonly<Record<string, object>> = {
      applyDocument: { text: 'a: 1' },
      createKey: { name: 'k', scopes: ['jobs:read'] },
      releaseJob: { reason: 'r' },
      rejectJob: { reason: 'r' },
      cancelJob: { reason: 'r' },
      retryCloseJob: { reason: 'r' },
      retryAcknowledgement: { reason: 'r' },
      acceptArrival: { reason: 'r' },
      refuseArrival: { reason: 'r' },
      resolveBatch: { reason: 'r', decision: 'resend' },
      releaseBlockedKeys: { reason: 'r', target: 't' },
      redriveDeadLetters: { reason: 'r', target: 't' },
      discardDeadLetters: { reason: 'r', target: 't' },
      decideBreaker: { reason: 'r', action: 'auto' },
      probeTarget: { reason: 'r' },
      probeHealth: {},
      enableFlow: {},
      disableFlow: {},
      revokeKey: {},
    };
    // A file, and what services of others say in words of their own.
    const foreign = ['uploadFile', 'tellSource'];
    const withBodies = routes('post').filter(({ operation }) => !foreign.includes(operation.operationId));
    expect(withBodies.map(({ operation }) => operation.operationId).sort()).toEqual(Object.keys(good).sort());
    for (const { path, operation } of withBodies) {
      for (const field of ['tenantId', 'tenant_id', 'role', 'state', 'approvedBy', '$where']) {
        const body = { ...good[operation.operationId], [field]: 'x' };
        const answer = await server.request(path, { key, method: 'POST', body });
        expect(facts(answer), `${operation.operationId} with ${field}`).toEqual([400, 'E_REQUEST']);
        expect(answer.json.errors[0].message).toContain(field);
      }
    }
  });

  it('of a document lists its mistakes with their places', async () => {
    const [, flow] = testFlow();
    const text = flow!.replaceAll('TENANT', 'alpha').replace('record.amount"', 'record.amont"');
    const { status, json } = await server.request('/v1/flows', { key, method: 'POST', body: { text, dryRun: true } });
    expect([status, json.code]).toEqual([422, 'E_FLOW_INVALID']);
    expect(json.errors[0]).toMatchObject({
      line: expect.any(Number),
      column: expect.any(Number),
      path: expect.stringContaining('spec.transform'),
    });
  });

  it('of a document of another tenant is refused', async () => {
    const body = { text: testFlow()[1]!.replaceAll('TENANT', 'beta') };
    expect(facts(await send(JSON.stringify(body)))).toEqual([422, 'E_FLOW_INVALID']);
  });

  it('of the same version with another content is a conflict', async () => {
    const text = testFlow({ acceptance: '{ mode: partial, maxInvalidRatio: 0.5 }' })[1]!.replaceAll('TENANT', 'alpha');
    expect(facts(await send(JSON.stringify({ text })))).toEqual([409, 'E_VERSION_CONFLICT']);
  });
});

/** What some reader takes for a whole number within bounds. */
const otherNumbers = ['0x1', '0b1', '0o7', '1e1', '%201', '1%20', '+1', '%2B1', '1.0', '1_0', '1n', 'true', '%D9%A1'];

describe('a question', () => {
  it.each(otherNumbers)('or an address with the number %s is refused', async (number) => {
    const jobId = '01900000-0000-7000-8000-000000000001';
    for (const path of [`/v1/jobs/${jobId}/records/${number}`, `/v1/jobs/${jobId}/records?after=${number}`, `/v1/events?after=${number}`])
      expect(facts(await get(path)), path).toEqual([400, 'E_REQUEST']);
  });

  it('with an unknown parameter is refused on every route', async () => {
    for (const route of [...routes('get'), ...routes('post')]) {
      if (queryNames(route).length === 0) continue;
      const required = route.operation.operationId === 'uploadFile' ? 'flow=payments&name=a.csv&' : '';
      const answer = await server.request(`${route.path}?${required}tenantId=1`, {
        key,
        method: routes('get').includes(route) ? 'GET' : undefined,
      });
      if (required === '') expect(facts(answer), route.path).toEqual([400, 'E_REQUEST']);
    }
    const upload = await server.request('/v1/files?flow=payments&name=a.csv&tenant=beta', { key, method: 'POST', body: 'x' });
    expect(facts(upload)).toEqual([400, 'E_REQUEST']);
  });

  it.each(['1000000000', '0', '-1', '1.5', 'all', '', '1e9', '9007199254740993', '10&limit=20', ...otherNumbers])(
    'for a page of %s is refused on every list',
    async (limit) => {
      const lists = routes('get').filter((route) => queryNames(route).includes('limit'));
      expect(lists.length).toBeGreaterThan(7);
      for (const { path } of lists) expect(facts(await get(`${path}?limit=${limit}`)), path).toEqual([400, 'E_REQUEST']);
    },
  );

  it('after a cursor that was not made by the list is refused on every list', async () => {
    const lists = routes('get').filter((route) => queryNames(route).includes('cursor'));
    expect(lists.length).toBeGreaterThan(6);
    const encode = (text: string) => Buffer.from(text).toString('base64url');
    for (const { path } of lists) {
      for (const cursor of ['!', encode("' or 1=1 --"), encode('\u0000'), encode('ffff'), encode('1.2.3.4'), 'x'.repeat(201), '%00']) {
        const { status, json } = await get(`${path}?cursor=${cursor}`);
        expect([status, ['E_CURSOR', 'E_REQUEST'].includes(json.code)], `${path} after ${cursor}`).toEqual([400, true]);
      }
    }
  });

  it.each(["' or 1=1 --", '%', '_', '*', '"; drop table headgate.jobs; --', '$1', '\\'])(
    'for a name such as %j finds just that name',
    async (name) => {
      for (const list of ['jobs', 'files', 'arrivals'])
        expect(facts(await get(`/v1/${list}?flow=${encodeURIComponent(name)}`)), list).toEqual([404, 'E_FLOW_UNKNOWN']);
      expect((await get(`/v1/dead-letters?target=${encodeURIComponent(name)}`)).json.items).toEqual([]);
      expect((await get(`/v1/flows/${encodeURIComponent(name)}`)).status).toBe(404);
      expect((await get('/v1/jobs')).json.items.length).toBeGreaterThan(2);
    },
  );

  it.each(['a%00b', 'a%0d%0ab', '%ed%a0%80', 'a%7f'])('with %s in a text is refused or finds nothing', async (text) => {
    for (const question of [
      `/v1/jobs?flow=${text}`,
      `/v1/dead-letters?target=${text}`,
      `/v1/flows/${text}`,
      `/v1/flows/payments/source?version=${text}`,
    ]) {
      const { status } = await get(question);
      expect([200, 400, 404], question).toContain(status);
    }
  });

  it('goes page by page through a list, newest first, each item once', async () => {
    const seen: string[] = [];
    for (let cursor = ''; ; ) {
      const { json } = await get(`/v1/jobs?limit=1${cursor}`);
      seen.push(...json.items.map(({ jobId }: { jobId: string }) => jobId));
      if (json.nextCursor === null) break;
      cursor = `&cursor=${json.nextCursor}`;
    }
    expect(seen.length).toBeGreaterThan(2);
    expect([...seen].sort().reverse()).toEqual(seen);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('takes no cursor of another list', async () => {
    const { nextCursor } = (await get('/v1/jobs?limit=1')).json;
    for (const list of ['files', 'arrivals', 'batches', 'dead-letters', 'keys', 'flows', 'targets'])
      expect(facts(await get(`/v1/${list}?cursor=${nextCursor}`)), list).toEqual([400, 'E_CURSOR']);
  });

  it('goes through flows by name', async () => {
    await tenant.apply(testFlow({ name: 'zz-last' })[1]!, testFlow({ name: 'aa-first' })[1]!);
    const first = await get('/v1/flows?limit=2');
    const second = await get(`/v1/flows?limit=2&cursor=${first.json.nextCursor}`);
    expect([...first.json.items, ...second.json.items].map(({ name }) => name)).toEqual(['aa-first', 'payments', 'zz-last']);
    expect(second.json.nextCursor).toBeNull();
  });
});

describe('health', () => {
  it.each(['/livez', '/startupz', '/readyz', '/version'])('%s needs no key and shows no tenant', async (path) => {
    const answer = await server.request(path);
    expect(answer.status).toBe(200);
    expect(answer.body).not.toMatch(/alpha|payments|hg_live/);
  });

  it('of metrics counts requests by route, never by id or key', async () => {
    await get(`/v1/jobs/${systemPorts.ids.next()}`);
    const { body, type } = await server.request('/metrics');
    expect(type).toBe('text/plain');
    expect(body).toMatch(/headgate_http_requests_total\{method="GET",route="\/v1\/jobs\/:id",status="404"\} [1-9]/);
    expect(body).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-|hg_live/);
  });

  it('says what is missing when the database is gone, while the process lives', async () => {
    const lost = await createTestDatabase({ connectionsMax: 2 });
    const orphan = await startTestServer(lost, { roles: 'api' });
    try {
      const owner = await orphan.tenant('alpha');
      expect((await orphan.request('/readyz')).json.status).toBe('ok');
      await lost.drop();
      const ready = await orphan.request('/readyz');
      expect([ready.status, ready.json.status]).toEqual([503, 'not ready']);
      expect(ready.json.checks.find(({ isOk }: { isOk: boolean }) => !isOk)).toMatchObject({ name: 'database' });
      expect((await orphan.request('/livez')).status).toBe(200);
      const jobs = await orphan.request('/v1/jobs', { key: owner.key, isUndescribed: true });
      expect([jobs.status, jobs.type]).toEqual([jobs.status >= 500 ? jobs.status : 'an error', 'application/problem+json']);
      expect(jobs.body).not.toMatch(/postgres|headgate_test_/);
    } finally {
      await orphan.stop();
    }
  });
});

it('a disk without room is a reason to take no uploads and not to be ready, and for nothing else', async () => {
  const full = await startTestServer(database, { freeDiskBytesMin: '500000000000000', roles: 'api' });
  try {
    const owner = await full.tenant('full-disk');
    await owner.apply(...testFlow({ root: full.out }));
    const ready = await full.request('/readyz');
    expect(ready.status).toBe(503);
    expect(ready.json.checks.filter(({ isOk }: { isOk: boolean }) => !isOk)).toEqual([
      { name: 'disk', isOk: false, detail: 'has less than 500000000000000 bytes free' },
    ]);
    const answer = await full.upload(owner.key, { flow: 'payments', name: 'a.csv', body: testRows(1) });
    expect(facts(answer)).toEqual([507, 'E_STORAGE_FULL']);
    const unknown = await full.upload(owner.key, { flow: 'nobody', name: 'a.csv', body: testRows(1) });
    expect(facts(unknown)).toEqual([404, 'E_FLOW_UNKNOWN']);
    expect((await full.request('/v1/arrivals', { key: owner.key })).json.items).toEqual([]);
    expect((await full.request('/livez')).status).toBe(200);
  } finally {
    await full.stop();
  }
});

describe('a stop', () => {
  it('cuts an upload that does not come to its end, and is not kept waiting by idle connections', async () => {
    const stopping = await startTestServer(database, { drainMs: '200', roles: 'api' });
    const owner = await stopping.tenant('stopping');
    await owner.apply(...testFlow({ root: stopping.out }));
    const idle = openConnection(stopping.port);
    const slow = openConnection(stopping.port);
    await slow.write(
      `POST /v1/files?flow=payments&name=slow.csv HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${owner.key}\r\ncontent-length: 100\r\n\r\nid`,
    );
    await stopping.request('/v1/jobs', { key: owner.key });
    const startedMs = systemPorts.clock.monotonicMs();
    await stopping.stop();
    expect(systemPorts.clock.monotonicMs() - startedMs).toBeLessThan(5_000);
    await Promise.all([slow.closed, idle.closed]);
    const { rows } = await database.adminDb.query('/* arrivals */ select 1 from headgate.arrivals where tenant_id = $1', [owner.tenantId]);
    expect(rows).toEqual([]);
  });
});
