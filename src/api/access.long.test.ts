import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import {
  type Answer,
  type Operation,
  type RunningTestServer,
  startTestServer,
  type TestTenant,
  testFlow,
  testRows,
} from '../../test/support/running-server.ts';
import { type Scope, scopes, usualScopes } from '../platform/access/api-keys.ts';
import { systemPorts } from '../platform/base/system-ports.ts';
import { failuresMax } from './authentication.ts';
import { writeCursor } from './paging.ts';

let database: TestDatabase;
let server: RunningTestServer;
let alpha: TestTenant;
let beta: TestTenant;
let alphaKey: string;
let betaKey: string;
let ofBeta: Readonly<Record<string, string>>;

beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
  server = await startTestServer(database);
  alpha = await server.tenant('alpha');
  beta = await server.tenant('beta');
  alphaKey = await alpha.makeKey(scopes);
  betaKey = await beta.makeKey(scopes);
  await beta.apply(...testFlow({ root: server.out, name: 'secret-flow' }));
  const { json } = await server.upload(betaKey, { flow: 'secret-flow', name: 'secret.csv', body: testRows(3, 1) });
  await server.settle(betaKey, json.jobId);
  const { json: keys } = await server.request('/v1/keys', { key: betaKey });
  ofBeta = {
    file: json.fileId,
    arrival: json.arrivalId,
    job: json.jobId,
    key: keys.items[0].keyId,
    batch: (await server.request(`/v1/batches?job=${json.jobId}`, { key: betaKey })).json.items[0].batchId,
    'dead letter': await plantDeadLetter(json.jobId),
    tenant: beta.tenantId,
  };
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

async function plantDeadLetter(jobId: string): Promise<string> {
  const id = systemPorts.ids.next();
  await database.adminDb.query(
    `/* plant dead letter */ insert into headgate.dead_letters (tenant_id, dead_letter_id, job_id, flow_id, target_id, batch_id, record_number, cause, code, message, may_be_there, group_id, shape, delivery_key, created_at, changed_at)
     select j.tenant_id, $2, j.job_id, j.flow_id, 'out', $2, 1, 'refused', 'E_REFUSED', '', false, repeat('0', 32), '', 'k', headgate.clock(), headgate.clock() from headgate.jobs j where j.job_id = $1`,
    [jobId, id],
  );
  return id;
}

const operations = (): { path: string; method: string; operation: Operation }[] =>
  Object.entries(server.document.paths)
    .filter(([path]) => path.startsWith('/v1/'))
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
    );

const bodies: Readonly<Record<string, unknown>> = {
  releaseJob: { reason: 'probe' },
  rejectJob: { reason: 'probe' },
  cancelJob: { reason: 'probe' },
  retryCloseJob: { reason: 'probe' },
  retryAcknowledgement: { reason: 'probe' },
  acceptArrival: { reason: 'probe' },
  refuseArrival: { reason: 'probe' },
  resolveBatch: { reason: 'probe', decision: 'discard' },
  releaseBlockedKeys: { reason: 'probe', target: 'out' },
  redriveDeadLetters: { reason: 'probe', target: 'out' },
  decideBreaker: { reason: 'probe', action: 'auto' },
  probeTarget: { reason: 'probe' },
  discardDeadLetters: { reason: 'probe', target: 'none' },
  createKey: { name: 'probe', scopes: ['files:read'] },
  tellSource: { Records: [] },
  applyDocument: { text: 'a: 1' },
};

interface Call {
  readonly path: string;
  readonly method: string;
  readonly operation: Operation;
}

function call({ path, method, operation }: Call, key: string | undefined, parameters: Readonly<Record<string, string>>): Promise<Answer> {
  const address = path.replaceAll(/\{([^}]+)\}/g, (_, name: string) => encodeURIComponent(parameters[name] ?? defaults[name]!));
  const query = (operation.parameters ?? [])
    .filter((parameter) => parameter.in === 'query' && parameter.required)
    .map(({ name }) => `${name}=${encodeURIComponent(defaults[name]!)}`);
  const body = method === 'POST' ? (bodies[operation.operationId] ?? (operation.operationId === 'uploadFile' ? 'id\n' : {})) : undefined;
  return server.request(query.length === 0 ? address : `${address}?${query.join('&')}`, { key, method, body });
}

const defaults: Readonly<Record<string, string>> = {
  id: systemPorts.ids.next(),
  number: '1',
  kind: 'Connection',
  name: 'no-such-name',
  flow: 'no-such-flow',
  target: 'out',
  source: 'bank',
  group: '0'.repeat(32),
};

/** What may differ: the trace. */
const comparable = ({ status, type, json }: Answer) => ({ status, type, json: { ...json, traceId: '' } });

describe("another tenant's things", () => {
  it('answer by id as if they did not exist, on every route', async () => {
    const routes = operations().filter(({ path }) => path.includes('{id}'));
    expect(routes.length).toBeGreaterThan(10);
    let probes = 0;
    for (const route of routes) {
      const unknown = await call(route, alphaKey, { id: systemPorts.ids.next() });
      expect(unknown.status, route.operation.operationId).toBe(404);
      for (const [kind, id] of Object.entries(ofBeta)) {
        const probe = await call(route, alphaKey, { id });
        expect(comparable(probe), `${route.operation.operationId} of ${kind}`).toEqual(comparable(unknown));
        expect(probe.body).not.toContain(id);
        probes++;
      }
    }
    expect(probes).toBe(routes.length * Object.keys(ofBeta).length);
  });

  it('are there for the tenant itself, so that the probes had something to find', async () => {
    const own: [string, string][] = [
      ['getFile', ofBeta['file']!],
      ['acknowledgeFile', ofBeta['file']!],
      ['getArrival', ofBeta['arrival']!],
      ['getJob', ofBeta['job']!],
      ['listRecords', ofBeta['job']!],
      ['getRecord', ofBeta['job']!],
      ['listFindings', ofBeta['job']!],
      ['getReceipt', ofBeta['job']!],
      ['getLineage', ofBeta['job']!],
      ['exportJob', ofBeta['job']!],
      ['getDeadLetter', ofBeta['dead letter']!],
      ['getBatch', ofBeta['batch']!],
    ];
    for (const [operationId, id] of own) {
      const route = operations().find(({ operation }) => operation.operationId === operationId)!;
      expect((await call(route, betaKey, { id })).status, operationId).toBe(200);
    }
    const flow = operations().find(({ operation }) => operation.operationId === 'getFlow')!;
    expect((await call(flow, betaKey, { name: 'secret-flow' })).status).toBe(200);
  });

  it('answer by name as if they did not exist, on every route', async () => {
    const routes = operations().filter(({ path }) => path.includes('{name}'));
    expect(routes.length).toBeGreaterThan(3);
    for (const route of routes) {
      const unknown = await call(route, alphaKey, { name: 'no-such-name' });
      expect(unknown.status, route.operation.operationId).toBe(404);
      for (const name of ['secret-flow', 'out'])
        expect(comparable(await call(route, alphaKey, { name })), `${route.operation.operationId} of ${name}`).toEqual(comparable(unknown));
    }
  });

  it('take no files, and are in no list', async () => {
    const upload = (flow: string) => server.upload(alphaKey, { flow, name: 'a.csv', body: testRows(1) });
    expect(comparable(await upload('secret-flow'))).toEqual(comparable(await upload('no-such-flow')));
    const probes = (flow: string) => server.request(`/v1/health/probes?flow=${flow}&kind=target&id=out`, { key: alphaKey });
    expect(comparable(await probes('secret-flow'))).toEqual(comparable(await probes('no-such-flow')));
    const lists = operations().filter(({ path, method }) => method === 'GET' && !path.includes('{') && path !== '/v1/health/probes');
    expect(lists.length).toBeGreaterThan(6);
    for (const list of lists) {
      const { status, body } = await call(list, alphaKey, {});
      expect(status, list.path).toBe(200);
      for (const [kind, id] of Object.entries(ofBeta)) expect(body, `${list.path} shows a ${kind}`).not.toContain(id);
      expect(body).not.toContain('secret');
    }
    const cursor = writeCursor({ routeOptions: { url: '/v1/jobs' }, params: {} }, ofBeta['job']!);
    expect((await server.request(`/v1/jobs?cursor=${cursor}`, { key: alphaKey })).json.items).toEqual([]);
    expect((await server.request(`/v1/dead-letters?job=${ofBeta['job']}`, { key: alphaKey })).json.items).toEqual([]);
  });
});

/** What each route needs. A route that is not here, and a scope that lets in more, fails. */
const needed: Readonly<Record<string, Scope>> = {
  uploadFile: 'files:write',
  listFiles: 'files:read',
  getFile: 'files:read',
  acknowledgeFile: 'files:read',
  listArrivals: 'files:read',
  getArrival: 'files:read',
  acceptArrival: 'jobs:operate',
  refuseArrival: 'jobs:operate',
  listJobs: 'jobs:read',
  getJob: 'jobs:read',
  listFindings: 'jobs:read',
  getReceipt: 'jobs:read',
  getLineage: 'jobs:read',
  releaseJob: 'jobs:operate',
  rejectJob: 'jobs:operate',
  cancelJob: 'jobs:operate',
  retryCloseJob: 'jobs:operate',
  retryAcknowledgement: 'jobs:operate',
  listBatches: 'jobs:read',
  getBatch: 'jobs:read',
  listRefusals: 'jobs:read',
  resolveBatch: 'jobs:operate',
  exportJob: 'records:reveal',
  listRecords: 'records:read',
  getRecord: 'records:read',
  listDeadLetters: 'jobs:read',
  getDeadLetter: 'jobs:read',
  getDeadLetterGroup: 'jobs:read',
  redriveDeadLetters: 'jobs:operate',
  discardDeadLetters: 'jobs:operate',
  listDeadLetterGroups: 'jobs:read',
  listBlockedKeys: 'jobs:read',
  releaseBlockedKeys: 'jobs:operate',
  listFlows: 'flows:read',
  getFlow: 'flows:read',
  getFlowSource: 'flows:read',
  getFlowHistory: 'flows:read',
  tellSource: 'sources:notify',
  applyDocument: 'flows:write',
  enableFlow: 'flows:write',
  disableFlow: 'flows:write',
  listDefinitions: 'flows:read',
  getDefinition: 'flows:read',
  readEvents: 'jobs:read',
  listHealth: 'flows:read',
  probeHealth: 'jobs:operate',
  listProbes: 'flows:read',
  listTargets: 'flows:read',
  getTarget: 'flows:read',
  decideBreaker: 'jobs:operate',
  probeTarget: 'jobs:operate',
  listKeys: 'admin',
  createKey: 'admin',
  revokeKey: 'admin',
};

describe('a scope', () => {
  it('is needed on every route, and documented', () => {
    const documented = operations().map(({ operation }) => [operation.operationId, operation.security[0]?.key[0]]);
    expect(Object.fromEntries(documented)).toEqual(needed);
  });

  it.each(scopes)('%s lets in to its routes and to no others', async (scope) => {
    const key = await alpha.makeKey([scope]);
    for (const route of operations()) {
      const isNeeded = needed[route.operation.operationId] === scope;
      const isAllowed = isNeeded || (scope === 'admin' && needed[route.operation.operationId] !== 'records:reveal');
      const { status, json } = await call(route, key, {});
      if (isAllowed) expect([401, 403], `${scope} on ${route.operation.operationId}`).not.toContain(status);
      else expect([status, json.code], `${scope} on ${route.operation.operationId}`).toEqual([403, 'E_FORBIDDEN']);
    }
  });
});

/** How it is answered that a key with scopes of its own makes one with these. */
async function createdBy(own: readonly Scope[], made: readonly Scope[]): Promise<number> {
  const body = { name: 'made', scopes: made };
  return (await server.request('/v1/keys', { key: await alpha.makeKey(own), method: 'POST', body })).status;
}

describe('the policy of a tenant', () => {
  const policy =
    'apiVersion: headgate/v1\nkind: TenantPolicy\nmetadata: { tenant: alpha, name: policy }\nspec: { tier: gold, egress: { allowPrivate: ["0.0.0.0/0"], allowPlain: true } }\n';
  const apply = (key: string, dryRun = false) =>
    server.request('/v1/flows', { key, method: 'POST', headers: { 'if-match': '*' }, body: { text: policy, dryRun } });

  it.each([
    ['that may write flows', ['flows:write']],
    ['for daily work', usualScopes],
    ['of an admin', ['flows:write', 'admin']],
    ['for content in the clear', ['flows:write', 'records:reveal']],
  ] as const)('is not changed, nor a change planned, with a key %s', async (_what, owned) => {
    const key = await alpha.makeKey(owned);
    for (const dryRun of [true, false]) {
      const { status, json } = await apply(key, dryRun);
      expect([status, json.code, json.detail]).toEqual([403, 'E_FORBIDDEN', 'the key lacks the scope policy:write']);
    }
    expect((await server.request('/v1/definitions?kind=TenantPolicy', { key: alphaKey })).json.items).toEqual([]);
  });

  it('is changed with a key that names it, which no key without it can make', async () => {
    expect(await createdBy(['admin'], ['flows:write', 'policy:write'])).toBe(403);
    expect(await createdBy(['admin', 'policy:write'], ['flows:write', 'policy:write'])).toBe(201);
    expect((await apply(await alpha.makeKey(['flows:write', 'policy:write']))).status).toBe(200);
  });
});

it('content in the clear is not given by a key that may not see it', async () => {
  expect(await createdBy(['admin'], ['records:reveal'])).toBe(403);
  expect(await createdBy(['admin', 'records:reveal'], ['records:reveal'])).toBe(201);
});

describe('a key', () => {
  const health = () => server.request('/v1/jobs', { key: alphaKey });

  it.each([
    ['nothing', undefined],
    ['another scheme', 'Basic aGc6aGc='],
    ['an empty one', 'Bearer '],
    ['an unknown one', `Bearer hg_live_${'A'.repeat(43)}`],
    ['one with a quote', "Bearer hg_live_' or true --"],
    ['two', `Bearer ${'hg_live_'.repeat(3)}`],
    ['a token without a signature', 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.'],
  ])('is refused with 401: %s', async (_what, authorization) => {
    const answer = await server.request('/v1/jobs', { headers: authorization === undefined ? {} : { authorization } });
    expect([answer.status, answer.json.code]).toEqual([401, 'E_UNAUTHENTICATED']);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  it('works with any case of the scheme', async () => {
    expect((await server.request('/v1/jobs', { headers: { authorization: `bearer ${alphaKey}` } })).status).toBe(200);
  });

  it('is refused at once when it is revoked', async () => {
    const made = await server.request('/v1/keys', { key: alphaKey, method: 'POST', body: { name: 'short', scopes: ['jobs:read'] } });
    expect((await server.request('/v1/jobs', { key: made.json.key })).status).toBe(200);
    const revoke = () => server.request(`/v1/keys/${made.json.keyId}/revoke`, { key: alphaKey, method: 'POST' });
    expect((await revoke()).json).toEqual({ keyId: made.json.keyId, revoked: true });
    expect((await server.request('/v1/jobs', { key: made.json.key })).status).toBe(401);
    expect([(await revoke()).status]).toEqual([404]);
  });

  it('is refused when it has expired, on the clock of the database', async () => {
    const body = { name: 'soon', scopes: ['jobs:read'], expiresAt: '2020-01-01T00:00:00Z' };
    const { json } = await server.request('/v1/keys', { key: alphaKey, method: 'POST', body });
    expect(json.expiresAt).toBe('2020-01-01T00:00:00Z');
    expect((await server.request('/v1/jobs', { key: json.key })).status).toBe(401);
  });

  it('is shown once, and is in no list', async () => {
    const body = { name: 'once', scopes: ['jobs:read', 'files:read'] };
    const made = await server.request('/v1/keys', { key: alphaKey, method: 'POST', body });
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({ name: 'once', scopes: body.scopes, expiresAt: null });
    expect(made.headers.get('cache-control')).toBe('no-store');
    const list = await server.request('/v1/keys?limit=200', { key: alphaKey });
    expect(list.json.items.map(({ keyId }: { keyId: string }) => keyId)).toContain(made.json.keyId);
    expect(list.body).not.toContain('hg_live_');
  });

  it.each([
    ['no scopes', { name: 'k', scopes: [] }],
    ['a scope that does not exist', { name: 'k', scopes: ['root'] }],
    ['another tenant', { name: 'k', scopes: ['jobs:read'], tenantId: '01900000-0000-7000-8000-000000000001' }],
    ['a day that is none', { name: 'k', scopes: ['jobs:read'], expiresAt: '2026-13-01T00:00:00Z' }],
    ['a name with a line end', { name: 'k\n', scopes: ['jobs:read'] }],
  ])('is not made with %s', async (_what, body) => {
    expect((await server.request('/v1/keys', { key: alphaKey, method: 'POST', body })).status).toBe(400);
  });

  it('may be guessed a few times only, while good ones from the same address go on', async () => {
    await health();
    const guess = () => server.request('/v1/jobs', { key: `hg_live_${systemPorts.ids.next().replaceAll('-', '')}AAAAAAAAAAA` });
    const statuses: number[] = [];
    for (let at = 0; at <= failuresMax; at++) statuses.push((await guess()).status);
    expect(statuses.at(-1)).toBe(429);
    const late = await guess();
    expect([late.status, late.json.code]).toEqual([429, 'E_TOO_MANY_REQUESTS']);
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await health()).status).toBe(200);
    expect((await server.request('/v1/jobs', { key: await alpha.makeKey(['jobs:read']) })).status).toBe(429);
  });
});
