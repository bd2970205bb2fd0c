import { afterAll, beforeAll, expect, it } from 'vitest';
import { startHttpSink } from '../../test/support/http-sink.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import {
  type Answer,
  type RequestOptions,
  type RunningTestServer,
  startTestServer,
  type TestTenant,
  testFlow,
} from '../../test/support/running-server.ts';

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

const facts = ({ status, json }: Answer) => [status, json.code];
const list = async (query = '', key = tenant.key) => (await server.request(`/v1/blocked-keys${query}`, { key })).json.items;
const release = (body: object, options: RequestOptions = {}) =>
  server.request('/v1/blocked-keys/release', { key: tenant.key, method: 'POST', body, ...options });

let amounts = 0;

/** A file of one payment of the business key `id`, until its job has ended. */
async function pay(id: string) {
  const body = `id,account,amount\n${id},6200000000,${++amounts}.00\n`;
  const { json } = await server.upload(tenant.key, { flow: 'ordered', name: `${id}.csv`, body });
  return server.settle(tenant.key, json.jobId);
}

it('keys of records that were given up are listed, and released with a reason by whoever may operate', async () => {
  const sink = await startHttpSink(() => ({ status: 503 }));
  await tenant.apply(
    `apiVersion: headgate/v1\nkind: TenantPolicy\nmetadata: { tenant: TENANT, name: policy }\nspec: { tier: silver, egress: { allowPrivate: ["127.0.0.0/8"], allowPlain: true } }\n`,
    `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: TENANT, name: service }\nspec: { type: http, baseUrl: "${sink.url}" }\n`,
    testFlow({ name: 'ordered' })[1]!.replace(
      'type: file, connection: out, path: out, format: ndjson',
      'type: http, connection: service, path: /batch, order: by-key, retry: { max: 1, initial: 50ms, cap: 50ms }',
    ),
  );
  const given = await pay('P1');
  expect(given).toMatchObject({ state: 'completed_with_failures', targets: { out: { dead: 1 } } });
  const by = { flow: 'ordered', reason: 'settled' };
  const shown = (await release({ ...by, dryRun: true })).json;
  expect(shown).toMatchObject({ keys: 1, items: [{ jobId: given.jobId }], nextCursor: null });
  await pay('P2');
  expect(facts(await release({ ...by, version: shown.version }))).toEqual([409, 'E_BLOCKED_KEY_STALE']);
  sink.answer(() => ({}));
  expect(await pay('P1')).toMatchObject({ state: 'completed_with_failures', targets: { out: { dead: 1 } } });
  expect(sink.requests).toHaveLength(4);

  const [blocked] = await list(`?job=${given.jobId}`);
  expect(blocked).toMatchObject({ jobId: given.jobId, flow: 'ordered', targetId: 'out', recordNumber: 1, isWholeLane: false });
  expect(await list()).toHaveLength(2);
  const letters = (await server.request(`/v1/dead-letters?job=${given.jobId}`, { key: tenant.key })).json.items;
  expect(letters).toMatchObject([{ deadLetterId: blocked.deadLetterId, blocksKey: true }]);

  const which = { deadLetter: blocked.deadLetterId };
  expect((await release({ ...which, reason: 'settled', dryRun: true })).json.items).toEqual([blocked]);
  expect(facts(await release({ reason: 'settled' }))).toEqual([400, 'E_REQUEST']);
  expect(facts(await release({ ...which, reason: ' ' }))).toEqual([422, 'E_REASON_REQUIRED']);
  expect(facts(await release({ ...which, reason: 'a' }, { key: await tenant.makeKey(['jobs:read']) }))).toEqual([403, 'E_FORBIDDEN']);
  const other = await server.tenant('beta');
  expect(await list('', other.key)).toEqual([]);
  expect((await release({ ...which, reason: 'not theirs' }, { key: other.key })).json).toEqual({ released: 0 });
  expect(await list()).toHaveLength(2);

  const headers = { 'idempotency-key': 'once' };
  const { version } = (await release({ ...which, reason: 'settled by phone', dryRun: true })).json;
  expect((await release({ ...which, reason: 'settled by phone', version }, { headers })).json).toEqual({ released: 1 });
  expect((await release({ ...which, reason: 'settled by phone' }, { headers })).json).toEqual({ released: 1 });
  expect(facts(await release({ flow: 'ordered', reason: 'settled by phone' }, { headers }))).toEqual([422, 'E_KEY_REUSED']);
  expect(await list()).toHaveLength(1);
  expect(await pay('P1')).toMatchObject({ state: 'completed', targets: { out: { delivered: 1 } } });
  expect(await pay('P2')).toMatchObject({ state: 'completed_with_failures' });
  expect((await release({ flow: 'ordered', target: 'out', reason: 'all settled' })).json).toEqual({ released: 1 });
  expect(await list()).toEqual([]);
  expect(await pay('P2')).toMatchObject({ state: 'completed' });
});
