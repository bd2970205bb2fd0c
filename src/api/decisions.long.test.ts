import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startHttpSink } from '../../test/support/http-sink.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import {
  type Answer,
  type RequestOptions,
  type RunningTestServer,
  startTestServer,
  type TestTenant,
  testFlow,
  testRows,
} from '../../test/support/running-server.ts';

let database: TestDatabase;
let server: RunningTestServer;
let tenant: TestTenant;
let other: TestTenant;
let seeds = 0;

const policy = `apiVersion: headgate/v1
kind: TenantPolicy
metadata: { tenant: TENANT, name: policy }
spec:
  tier: silver
  egress: { allowPrivate: ["127.0.0.0/8"], allowPlain: true }
`;
const service = (url: string) => `apiVersion: headgate/v1
kind: Connection
metadata: { tenant: TENANT, name: service }
spec: { type: http, baseUrl: "${url}" }
`;

beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
  server = await startTestServer(database);
  tenant = await server.tenant('alpha');
  other = await server.tenant('beta');
  const [out, flow] = testFlow({ root: server.out });
  const strict = testFlow({ name: 'strict', acceptance: '{ mode: partial, maxInvalidRatio: 0.1, onExceed: hold }' })[1]!;
  const doubtful = testFlow({ name: 'doubtful' })[1]!.replace(
    'type: file, connection: out, path: out, format: ndjson',
    'type: http, connection: service, path: /batch, onUnknown: hold',
  );
  await tenant.apply(
    policy,
    out!,
    service('http://127.0.0.1:9'),
    flow!.replace('  format:', '  duplicates: { onDuplicate: hold }\n  format:'),
    strict,
    doubtful,
  );
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

const facts = ({ status, json }: Answer) => [status, json.code];
const get = (path: string, key = tenant.key) => server.request(path, { key });
const post = (path: string, body: unknown, options: RequestOptions = {}) =>
  server.request(path, { key: tenant.key, method: 'POST', body, ...options });
const keyed = (key: string): RequestOptions => ({ headers: { 'idempotency-key': key } });
const unknownId = '01900000-0000-7000-8000-000000000001';

const because = { reason: 'agreed with the sender' };

async function events(objectId: string): Promise<Record<string, unknown>[]> {
  const { rows } = await database.adminDb.query<Record<string, unknown>>(
    '/* read events */ select type, actor, detail from headgate.events where object_id = $1 order by event_id',
    [objectId],
  );
  return rows;
}

describe('an arrival that was held', () => {
  let arrivalId: string;
  beforeEach(async () => {
    const body = testRows(3, 0, ++seeds);
    await server.upload(tenant.key, { flow: 'payments', name: 'first.csv', body });
    const { status, json } = await server.upload(tenant.key, { flow: 'payments', name: `again-${seeds}.csv`, body });
    expect([status, json.state]).toEqual([202, 'held']);
    arrivalId = json.arrivalId;
  });

  it('is listed, and accepted becomes a job that is delivered', async () => {
    expect((await get('/v1/arrivals?state=held')).json.items.map((item: { arrivalId: string }) => item.arrivalId)).toContain(arrivalId);
    const { status, json } = await post(`/v1/arrivals/${arrivalId}/accept`, because);
    expect([status, json]).toMatchObject([200, { arrivalId, state: 'accepted' }]);
    expect(await server.settle(tenant.key, json.jobId)).toMatchObject({ state: 'completed', records: { valid: 3 } });
    expect((await get(`/v1/arrivals/${arrivalId}`)).json).toMatchObject({ state: 'accepted', fileId: json.fileId });
    expect((await events(arrivalId)).at(-1)).toMatchObject({
      type: 'arrival.accepted',
      actor: expect.stringMatching(/^key:/),
      detail: because,
    });
  });

  it('refused stays in quarantine, and can not be decided again', async () => {
    const { status, json } = await post(`/v1/arrivals/${arrivalId}/refuse`, because);
    expect([status, json]).toEqual([200, { arrivalId, state: 'quarantined', fileId: null, acceptedNumber: null, jobId: null }]);
    expect((await get(`/v1/arrivals/${arrivalId}`)).json.state).toBe('quarantined');
    for (const verb of ['accept', 'refuse'])
      for (const dryRun of [true, false])
        expect(facts(await post(`/v1/arrivals/${arrivalId}/${verb}`, { ...because, dryRun }))).toEqual([409, 'E_ARRIVAL_STATE']);
  });

  it.each(['accept', 'refuse'])('is shown before %s changes anything', async (verb) => {
    const { status, json } = await post(`/v1/arrivals/${arrivalId}/${verb}`, { ...because, dryRun: true });
    expect([status, json]).toMatchObject([200, { arrivalId, state: 'held', reasonCode: 'E_DUPLICATE' }]);
    expect((await get(`/v1/arrivals/${arrivalId}`)).json.state).toBe('held');
  });

  it('needs a reason in words, and a key that may operate', async () => {
    for (const [body, refusal] of [
      [{}, [400, 'E_REQUEST']],
      [{ reason: '' }, [400, 'E_REQUEST']],
      [{ reason: '   ' }, [422, 'E_REASON_REQUIRED']],
      [{ reason: 'a', approvedBy: 'me' }, [400, 'E_REQUEST']],
    ] as const)
      expect(facts(await post(`/v1/arrivals/${arrivalId}/accept`, body))).toEqual(refusal);
    const sender = await tenant.makeKey(['files:write', 'files:read', 'jobs:read']);
    for (const verb of ['accept', 'refuse'])
      expect(facts(await post(`/v1/arrivals/${arrivalId}/${verb}`, because, { key: sender }))).toEqual([403, 'E_FORBIDDEN']);
    expect((await get(`/v1/arrivals/${arrivalId}`)).json.state).toBe('held');
  });

  it('of another tenant is not there', async () => {
    for (const verb of ['accept', 'refuse']) {
      const theirs = await post(`/v1/arrivals/${arrivalId}/${verb}`, because, { key: other.key });
      const nobodys = await post(`/v1/arrivals/${unknownId}/${verb}`, because, { key: other.key });
      expect([facts(theirs), theirs.json.detail]).toEqual([[404, 'E_NOT_FOUND'], nobodys.json.detail]);
    }
    expect((await get('/v1/arrivals?state=held', other.key)).json.items).toEqual([]);
    expect((await get(`/v1/arrivals/${arrivalId}`)).json.state).toBe('held');
  });

  it.each(['accept', 'refuse'])('asked to %s twice under one key has one answer', async (verb) => {
    const ask = () => post(`/v1/arrivals/${arrivalId}/${verb}`, because, keyed(`twice-${seeds}`));
    const [one, two] = await Promise.all([ask(), ask()]);
    expect([one.status, two.status, two.json]).toEqual([200, 200, one.json]);
    expect((await ask()).json).toEqual(one.json);
    expect((await events(arrivalId)).map(({ type }) => type)).toEqual([
      ...['seen', 'complete', 'verified', 'held'].map((state) => `arrival.${state}`),
      `arrival.${one.json.state}`,
    ]);
    expect(facts(await post(`/v1/arrivals/${arrivalId}/${verb}`, { reason: 'for another' }, keyed(`twice-${seeds}`)))).toEqual([
      422,
      'E_KEY_REUSED',
    ]);
  });
});

describe('a batch whose outcome nobody knows', () => {
  async function held() {
    const sink = await startHttpSink((_request, number) => ({ isLost: number === 1 }));
    await tenant.apply(service(sink.url));
    const { json } = await server.upload(tenant.key, { flow: 'doubtful', name: 'd.csv', body: testRows(3, 0, ++seeds) });
    const find = async () => (await get(`/v1/batches?job=${json.jobId}&state=held`)).json.items[0];
    const batch = await vi.waitUntil(find, { timeout: 60_000, interval: 30 });
    return { sink, jobId: json.jobId as string, batchId: batch.batchId as string, batch };
  }

  it('is listed with what it holds, and its job shows it as held', async () => {
    const { batch, batchId, jobId } = await held();
    expect(batch).toMatchObject({ flow: 'doubtful', targetId: 'out', state: 'held', awaitsDecision: true, jobIds: [jobId], records: 3 });
    expect((await get(`/v1/batches/${batchId}`)).json).toMatchObject({
      batchId,
      amounts: { amount: { byCurrency: { XXX: '4.50' }, unreadable: 0 } },
      attemptHistory: [{ number: 1, outcome: 'unknown', resolvedAs: null }],
    });
    expect((await get(`/v1/jobs/${jobId}`)).json.targets.out).toMatchObject({ routed: 3, held: 3 });
    expect((await get('/v1/batches?flow=payments&state=held')).json.items).toEqual([]);
    expect((await get('/v1/batches?target=out&flow=doubtful&limit=1')).json.items).toHaveLength(1);
  });

  it.each([
    ['delivered', 'acked', { delivered: 3, dead: 0 }, 'completed', 1],
    ['resend', 'ready', { delivered: 3, dead: 0 }, 'completed', 2],
    ['discard', 'dead', { delivered: 0, dead: 3 }, 'completed_with_failures', 1],
  ] as const)('that a person calls %s ends so, and its job is closed', async (decision, state, counts, end, requests) => {
    const { sink, jobId, batchId } = await held();
    const { status, json } = await post(`/v1/batches/${batchId}/resolve`, { decision, ...because });
    expect([status, json]).toEqual([200, { batchId, decision, state }]);
    expect(await server.settle(tenant.key, jobId)).toMatchObject({ state: end, balanced: true, targets: { out: counts } });
    expect(sink.requests).toHaveLength(requests);
    const { attemptHistory } = (await get(`/v1/batches/${batchId}`)).json;
    expect(attemptHistory[0].evidence).toMatch(/^key:[0-9a-f-]{36} decided: agreed with the sender$/);
    for (const dryRun of [true, false])
      expect(facts(await post(`/v1/batches/${batchId}/resolve`, { decision: 'resend', ...because, dryRun }))).toEqual([
        409,
        'E_BATCH_STATE',
      ]);
  });

  it('is shown before anything changes, needs a reason, a decision that exists, and a key that may operate', async () => {
    const { sink, batchId } = await held();
    const path = `/v1/batches/${batchId}/resolve`;
    expect((await post(path, { decision: 'discard', ...because, dryRun: true })).json).toMatchObject({
      batchId,
      state: 'held',
      records: 3,
    });
    expect(facts(await post(path, { decision: 'discard', reason: ' ' }))).toEqual([422, 'E_REASON_REQUIRED']);
    expect(facts(await post(path, { decision: 'forget', ...because }))).toEqual([400, 'E_REQUEST']);
    expect(facts(await post(path, because))).toEqual([400, 'E_REQUEST']);
    const reader = await tenant.makeKey(['jobs:read', 'files:write']);
    expect(facts(await post(path, { decision: 'discard', ...because }, { key: reader }))).toEqual([403, 'E_FORBIDDEN']);
    expect((await get(`/v1/batches/${batchId}`)).json.awaitsDecision).toBe(true);
    expect(sink.requests).toHaveLength(1);
  });

  it('of another tenant is not there', async () => {
    const { batchId, jobId } = await held();
    for (const path of ['/v1/batches', `/v1/batches?job=${jobId}`, '/v1/batches?state=held'])
      expect((await get(path, other.key)).json.items).toEqual([]);
    expect(facts(await get(`/v1/batches/${batchId}`, other.key))).toEqual([404, 'E_BATCH_UNKNOWN']);
    for (const id of [batchId, unknownId])
      for (const dryRun of [true, false]) {
        const answer = await post(`/v1/batches/${id}/resolve`, { decision: 'discard', ...because, dryRun }, { key: other.key });
        expect(facts(answer)).toEqual([404, 'E_BATCH_UNKNOWN']);
      }
    expect((await get(`/v1/batches/${batchId}`)).json.awaitsDecision).toBe(true);
  });

  it('decided twice under one key is decided once, and another decision under it is refused', async () => {
    const { sink, jobId, batchId } = await held();
    const ask = (decision: string) => post(`/v1/batches/${batchId}/resolve`, { decision, ...because }, keyed(`batch-${seeds}`));
    const [one, two] = await Promise.all([ask('resend'), ask('resend')]);
    expect([one.status, two.json]).toEqual([200, one.json]);
    expect(await server.settle(tenant.key, jobId)).toMatchObject({ state: 'completed' });
    expect((await ask('resend')).json).toEqual(one.json);
    expect(facts(await ask('discard'))).toEqual([422, 'E_KEY_REUSED']);
    expect(sink.requests).toHaveLength(2);
  });
});

describe('a decision about a job under an Idempotency-Key', () => {
  async function held(): Promise<string> {
    const { json } = await server.upload(tenant.key, { flow: 'strict', name: 's.csv', body: testRows(6, 2, ++seeds) });
    expect(await server.settle(tenant.key, json.jobId)).toMatchObject({ state: 'held' });
    return json.jobId;
  }

  it.each(['release', 'reject', 'cancel'])('to %s has the same answer again, also when the job is closed', async (verb) => {
    const jobId = await held();
    const ask = () => post(`/v1/jobs/${jobId}/${verb}`, because, keyed(`job-${verb}`));
    const [one, two] = await Promise.all([ask(), ask()]);
    expect([one.status, two.status, two.json]).toEqual([200, 200, one.json]);
    await server.settle(tenant.key, jobId);
    expect((await ask()).json).toEqual(one.json);
    expect(facts(await post(`/v1/jobs/${jobId}/${verb}`, because))).toEqual([409, 'E_JOB_STATE']);
  });

  it.each([
    ['another reason', (jobId: string) => [`/v1/jobs/${jobId}/reject`, { reason: 'for another' }]],
    ['another decision', (jobId: string) => [`/v1/jobs/${jobId}/cancel`, because]],
    ['another job', () => [`/v1/jobs/${unknownId}/reject`, because]],
    ['another kind of thing', () => [`/v1/batches/${unknownId}/resolve`, { decision: 'discard', ...because }]],
  ] as const)('is refused with %s', async (what, request) => {
    const jobId = await held();
    expect((await post(`/v1/jobs/${jobId}/reject`, because, keyed(`other-${what.replaceAll(' ', '-')}`))).status).toBe(200);
    const [path, body] = request(jobId) as [string, unknown];
    const answer = await post(path, body, keyed(`other-${what.replaceAll(' ', '-')}`));
    // What does not exist is not found before its key is looked at.
    expect(facts(answer)).toEqual(what === 'another kind of thing' ? [404, 'E_BATCH_UNKNOWN'] : [422, 'E_KEY_REUSED']);
  });

  it('has the same answer with or without the version of the dry run that it was made on', async () => {
    const jobId = await held();
    const { version } = (await post(`/v1/jobs/${jobId}/reject`, { ...because, dryRun: true })).json;
    const first = await post(`/v1/jobs/${jobId}/reject`, { ...because, version }, keyed('previewed'));
    expect(first.status).toBe(200);
    for (const body of [because, { ...because, version: 'held 1' }])
      expect(await post(`/v1/jobs/${jobId}/reject`, body, keyed('previewed'))).toMatchObject({ status: 200, json: first.json });
  });

  it('that failed keeps nothing: the key may be used again', async () => {
    const jobId = await held();
    const stale = await post(`/v1/jobs/${jobId}/release`, { ...because, version: 'held 1' }, keyed('failed'));
    expect(facts(stale)).toEqual([409, 'E_DECISION_STALE']);
    expect((await post(`/v1/jobs/${jobId}/release`, because, keyed('failed'))).status).toBe(200);
  });

  it('is not made by showing it', async () => {
    const jobId = await held();
    expect((await post(`/v1/jobs/${jobId}/reject`, { ...because, dryRun: true }, keyed('shown'))).json.state).toBe('held');
    expect((await post(`/v1/jobs/${jobId}/cancel`, because, keyed('shown'))).json.state).toBe('cancelled');
  });

  it('has nothing to do with the same key of another tenant, nor with that of an upload', async () => {
    const jobId = await held();
    expect((await post(`/v1/jobs/${jobId}/reject`, because, keyed('shared'))).status).toBe(200);
    const theirs = await post(`/v1/jobs/${jobId}/reject`, because, { ...keyed('shared'), key: other.key });
    expect(facts(theirs)).toEqual([404, 'E_JOB_UNKNOWN']);
    const headers = { 'idempotency-key': 'shared' };
    const upload = await server.upload(tenant.key, { flow: 'payments', name: 'u.csv', body: testRows(1, 0, ++seeds), headers });
    expect(upload.status).toBe(201);
  });

  it.each([
    ['spaces', 'a b'],
    ['more than 255 characters', 'k'.repeat(256)],
  ])('is refused when the key has %s', async (_what, key) => {
    const jobId = await held();
    expect(facts(await post(`/v1/jobs/${jobId}/release`, because, keyed(key)))).toEqual([400, 'E_IDEMPOTENCY_KEY']);
    expect((await get(`/v1/jobs/${jobId}`)).json.state).toBe('held');
  });
});
