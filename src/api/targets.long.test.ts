import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHttpSink } from '../../test/support/http-sink.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { type RunningTestServer, startTestServer, type TestTenant, testFlow } from '../../test/support/running-server.ts';

const policy = `apiVersion: headgate/v1\nkind: TenantPolicy\nmetadata: { tenant: TENANT, name: policy }\nspec: { tier: silver, egress: { allowPrivate: ["127.0.0.0/8"], allowPlain: true } }\n`;
let database: TestDatabase;
let server: RunningTestServer;
let tenant: TestTenant;

beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
  server = await startTestServer(database);
  tenant = await server.tenant('alpha');
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

it('a breaker is kept open by a person, with a reason, until it may decide by itself again; what came meanwhile goes on then', async () => {
  const sink = await startHttpSink();
  await tenant.apply(
    policy,
    `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: TENANT, name: service }\nspec: { type: http, baseUrl: "${sink.url}" }\n`,
    testFlow({ name: 'kept' })[1]!.replace(
      'type: file, connection: out, path: out, format: ndjson',
      'type: http, connection: service, path: /batch',
    ),
  );
  const get = async (path: string) => (await server.request(path, { key: tenant.key })).json;
  const say = (action: string, body: object = {}, key = tenant.key) =>
    server.request('/v1/targets/kept/out/breaker', { key, method: 'POST', body: { action, reason: 'maintenance', ...body } });
  expect(await get('/v1/targets/kept/uot')).toMatchObject({ code: 'E_NOT_FOUND', actions: ['Its targets are out.'] });
  expect(await get('/v1/targets/kpet/out')).toMatchObject({
    code: 'E_FLOW_UNKNOWN',
    detail: expect.stringContaining('did you mean kept?'),
  });
  expect((await get('/v1/targets')).items).toMatchObject([{ flow: 'kept', targetId: 'out', state: 'closed', mode: 'auto', since: null }]);

  expect((await say('open', { dryRun: true })).json).toMatchObject({ state: 'closed' });
  expect([(await say('open', { reason: ' ' })).json.code, (await say('shut')).json.code]).toEqual(['E_REASON_REQUIRED', 'E_REQUEST']);
  expect((await say('open', {}, await tenant.makeKey(['flows:read']))).json.code).toBe('E_FORBIDDEN');
  expect((await say('open', {}, (await server.tenant('beta')).key)).status).toBe(404);
  expect((await say('open')).json).toMatchObject({ state: 'open', mode: 'open', concurrency: 0 });

  const { json } = await server.upload(tenant.key, { flow: 'kept', name: 'a.csv', body: 'id,account,amount\nP1,6200000000,1.00\n' });
  await expect.poll(async () => (await get('/v1/targets/kept/out')).parkedRecords, { timeout: 60_000 }).toBe(1);
  expect(await get(`/v1/jobs/${json.jobId}`)).toMatchObject({
    targets: { out: { parked: 1, inFlight: 1, held: 0, delivered: 0 } },
  });
  expect((await get('/v1/batches?state=parked')).items).toMatchObject([{ state: 'parked', reasonCode: 'E_BREAKER_OPEN' }]);
  expect(sink.requests).toEqual([]);

  expect((await say('auto')).json).toMatchObject({ mode: 'auto' });
  expect(await server.settle(tenant.key, json.jobId)).toMatchObject({
    state: 'completed',
    targets: { out: { delivered: 1, parked: 0 } },
  });
  await expect.poll(async () => (await get('/v1/targets/kept/out')).state, { timeout: 60_000 }).toBe('closed');
  const { changes } = await get('/v1/targets/kept/out');
  expect(changes.map(({ type }: { type: string }) => type).reverse()).toEqual([
    'breaker.opened',
    'breaker.kept_open',
    'breaker.released',
    'breaker.probed',
    'breaker.closed',
  ]);
  expect(changes.at(-2)).toMatchObject({ reason: 'maintenance', actor: expect.stringMatching(/^key:/) });
});

it('a breaker that a person keeps open can be released when the flow has its target no more, and what is parked there goes on', async () => {
  const sink = await startHttpSink();
  const version = (from: string, to: string, target: string) =>
    testFlow({ name: 'renamed' })[1]!
      .replace('type: file, connection: out, path: out, format: ndjson', 'type: http, connection: renaming, path: /batch')
      .replace(from, to)
      .replaceAll(/\bout\b/g, target);
  await tenant.apply(
    policy,
    `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: TENANT, name: renaming }\nspec: { type: http, baseUrl: "${sink.url}" }\n`,
    version('', '', 'before'),
  );
  const get = async (path: string) => (await server.request(path, { key: tenant.key })).json;
  const say = (target: string, action: string) =>
    server.request(`/v1/targets/renamed/${target}/breaker`, { key: tenant.key, method: 'POST', body: { action, reason: 'maintenance' } });
  expect((await say('before', 'open')).json).toMatchObject({ state: 'open', mode: 'open' });
  const { json } = await server.upload(tenant.key, { flow: 'renamed', name: 'a.csv', body: 'id,account,amount\nP1,6200000000,1.00\n' });
  await expect.poll(async () => (await get('/v1/targets/renamed/before')).parkedRecords, { timeout: 60_000 }).toBe(1);

  await tenant.apply(version('1.0.0', '2.0.0', 'after'));
  const listed = (await get('/v1/targets?flow=renamed')).items as { targetId: string; parkedRecords: number }[];
  expect(listed.map(({ targetId, parkedRecords }) => [targetId, parkedRecords])).toEqual([
    ['after', 0],
    ['before', 1],
  ]);
  expect((await say('before', 'auto')).json).toMatchObject({ mode: 'auto', parkedRecords: 1 });
  expect(await server.settle(tenant.key, json.jobId)).toMatchObject({ state: 'completed', targets: { before: { delivered: 1 } } });
  expect((await say('before', 'open')).status).toBe(404);
});

describe('a breaker that opened by itself', () => {
  const upload = async (flow: string, id: string) =>
    (await server.upload(tenant.key, { flow, name: `${id}.csv`, body: `id,account,amount\n${id},6200000000,1.00\n` })).json.jobId;
  const open = async (flow: string) => {
    const sink = await startHttpSink(() => ({ status: 503 }));
    await tenant.apply(
      policy,
      `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: TENANT, name: ${flow} }\nspec: { type: http, baseUrl: "${sink.url}" }\n`,
      testFlow({ name: flow })[1]!.replace(
        'type: file, connection: out, path: out, format: ndjson',
        `type: http, connection: ${flow}, path: /batch, retry: { max: 50, initial: 20ms, cap: 100ms }, breaker: { minCalls: 2, probeEvery: 60s, probes: 1 }`,
      ),
    );
    const get = async () => (await server.request(`/v1/targets/${flow}/out`, { key: tenant.key })).json;
    const say = (path: string, body: object, key = tenant.key) =>
      server.request(`/v1/targets/${flow}/out/${path}`, { key, method: 'POST', body: { reason: 'said so', ...body } });
    const jobId = await upload(flow, 'P1');
    await expect.poll(get, { timeout: 60_000 }).toMatchObject({ state: 'open', mode: 'auto', parkedRecords: 1 });
    return { sink, get, say, jobId };
  };

  it('is kept closed by a person, sends whatever its target answers, and may open again once it decides by itself', async () => {
    const { sink, get, say, jobId } = await open('closing');
    expect((await say('breaker', { action: 'close', dryRun: true })).json).toMatchObject({ state: 'open', mode: 'auto' });
    expect(await get()).toMatchObject({ reasonCode: 'E_TARGET_BUSY', next: expect.stringMatching(/^Look at the target/) });
    const kept = { state: 'closed', mode: 'closed', nextProbeAt: null, next: expect.stringContaining('`headgate target breaker auto`') };
    expect((await say('breaker', { action: 'close' })).json).toMatchObject(kept);
    const before = sink.requests.length;
    await expect.poll(() => sink.requests.length, { timeout: 60_000 }).toBeGreaterThan(before + 1);
    expect(await get()).toMatchObject({ state: 'closed', mode: 'closed', parkedRecords: 0 });
    sink.answer(() => ({ status: 200 }));
    expect(await server.settle(tenant.key, jobId)).toMatchObject({ state: 'completed', targets: { out: { delivered: 1 } } });
    expect((await say('breaker', { action: 'auto' })).json).toMatchObject({ state: 'closed', mode: 'auto', next: null });
    const { changes } = await get();
    expect(changes.map(({ type }: { type: string }) => type).reverse()).toEqual([
      'breaker.opened',
      'breaker.closed',
      'breaker.kept_closed',
      'breaker.released',
    ]);
  });

  it('is tried at once when a person says so, and not before; one that is closed stays as it is', async () => {
    const { sink, get, say, jobId } = await open('probing');
    sink.answer(() => ({ status: 200 }));
    const { requests } = sink;
    const before = requests.length;
    expect((await say('probe', { reason: ' ' })).json.code).toBe('E_REASON_REQUIRED');
    expect((await say('probe', {}, await tenant.makeKey(['flows:read', 'jobs:read']))).status).toBe(403);
    expect((await say('probe', {}, (await server.tenant('gamma')).key)).status).toBe(404);
    expect((await say('probe', { dryRun: true })).json).toMatchObject({ state: 'open', parkedRecords: 1 });
    expect(requests.length).toBe(before);
    expect((await say('probe', {})).status).toBe(200);
    expect(await server.settle(tenant.key, jobId)).toMatchObject({ state: 'completed', targets: { out: { delivered: 1 } } });
    expect(requests.slice(before).map(({ method }) => method)).toEqual(['OPTIONS', 'POST']);
    await expect.poll(async () => (await get()).state, { timeout: 60_000 }).toBe('closed');
    expect((await say('probe', {})).json).toMatchObject({ state: 'closed', mode: 'auto', reasonCode: null });
    expect(requests.length).toBe(before + 2);
  });
});
