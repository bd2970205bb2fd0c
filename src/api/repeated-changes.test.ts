import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { type Answer, type RunningTestServer, startTestServer, type TestTenant, testFlow } from '../../test/support/running-server.ts';
import { scopes } from '../platform/access/api-keys.ts';
import { systemPorts } from '../platform/base/system-ports.ts';

let database: TestDatabase;
let server: RunningTestServer;
let alpha: TestTenant;
let alphaKey: string;
let betaKey: string;

beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 3 });
  server = await startTestServer(database, { roles: 'api' });
  alpha = await server.tenant('alpha');
  const beta = await server.tenant('beta');
  [alphaKey, betaKey] = [await alpha.makeKey(scopes), await beta.makeKey(scopes)];
  await alpha.apply(...testFlow({ root: server.out, name: 'turned' }));
  await beta.apply(...testFlow({ root: server.out, name: 'turned' }));
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

function post(path: string, idempotencyKey: string, body: object, { key = alphaKey, ifMatch }: { key?: string; ifMatch?: string } = {}) {
  const headers = { 'idempotency-key': idempotencyKey, ...(ifMatch && { 'if-match': ifMatch }) };
  return server.request(path, { key, method: 'POST', headers, body });
}

const facts = ({ status, json }: Answer) => [status, json.code];

/** Of the tenant alpha, oldest first. */
async function events(type: string): Promise<readonly string[]> {
  const { rows } = await database.adminDb.query<{ objectId: string }>(
    '/* events */ select object_id as "objectId" from headgate.events where tenant_id = $1 and type = $2 order by event_id',
    [alpha.tenantId, type],
  );
  return rows.map(({ objectId }) => objectId);
}

describe('an API key that is asked for again under an Idempotency-Key', () => {
  const body = { name: 'robot', scopes: ['jobs:read', 'files:read'] };
  const named = async (name: string, key = alphaKey) =>
    (await server.request('/v1/keys?limit=200', { key })).json.items.filter((each: { name: string }) => each.name === name);

  it('is not made twice, and is named in place of being shown again', async () => {
    const made = await post('/v1/keys', 'make-1', body);
    expect(made.status).toBe(201);
    const again = await post('/v1/keys', 'make-1', { ...body, scopes: body.scopes.toReversed() });
    expect(facts(again)).toEqual([409, 'E_KEY_MADE']);
    expect([again.json.detail, again.json.actions[0]]).toEqual([
      expect.stringContaining(made.json.keyId),
      expect.stringContaining('headgate key revoke'),
    ]);
    expect(again.body).not.toContain('hg_live_');
    expect(await named('robot')).toHaveLength(1);
    expect((await server.request('/v1/jobs', { key: made.json.key })).status).toBe(200);
  });

  it('is kept nowhere in the clear', async () => {
    const { json } = await post('/v1/keys', 'make-2', { ...body, name: 'secret robot' });
    const { rows } = await database.adminDb.query<{ name: string }>(
      "/* list tables */ select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = 'headgate'",
    );
    for (const { name } of rows) {
      const found = await database.adminDb.query(`/* search */ select from ${name} t where t::text like '%' || $1 || '%'`, [json.key]);
      expect([name, found.rowCount]).toEqual([name, 0]);
    }
  });

  it('is made once when it is asked for twice at once', async () => {
    const both = await Promise.all([1, 2].map(() => post('/v1/keys', 'make-3', { ...body, name: 'twin' })));
    expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
    expect(await named('twin')).toHaveLength(1);
  });

  it.each([
    ['another name', { ...body, name: 'other robot' }],
    ['other scopes', { ...body, scopes: ['jobs:read'] }],
    ['an end', { ...body, expiresAt: '2999-01-01T00:00:00Z' }],
  ])('with %s is refused with 422', async (_what, other) => {
    await post('/v1/keys', 'make-4', body);
    expect(facts(await post('/v1/keys', 'make-4', other))).toEqual([422, 'E_KEY_REUSED']);
  });

  it('has nothing to do with the same Idempotency-Key of another tenant', async () => {
    const [own, theirs] = [await post('/v1/keys', 'make-5', body), await post('/v1/keys', 'make-5', body, { key: betaKey })];
    expect([own.status, theirs.status]).toEqual([201, 201]);
    expect(facts(await post('/v1/keys', 'make-5', body, { key: betaKey }))).toEqual([409, 'E_KEY_MADE']);
  });
});

it('a key that is revoked again under an Idempotency-Key has the same answer, and another key none', async () => {
  const revoke = async (idempotencyKey: string, name: string) => {
    const { json } = await post('/v1/keys', systemPorts.ids.next(), { name, scopes: ['jobs:read'] });
    return { keyId: json.keyId, again: () => post(`/v1/keys/${json.keyId}/revoke`, idempotencyKey, {}) };
  };
  const [first, second] = [await revoke('revoke-1', 'a'), await revoke('revoke-1', 'b')];
  for (let time = 0; time < 2; time++) {
    const { status, json } = await first.again();
    expect([status, json]).toEqual([200, { keyId: first.keyId, revoked: true }]);
  }
  expect(facts(await second.again())).toEqual([422, 'E_KEY_REUSED']);
  expect(facts(await post(`/v1/keys/${first.keyId}/revoke`, 'revoke-2', {}))).toEqual([404, 'E_KEY_UNKNOWN']);
  expect(await events('key.revoked')).toEqual([first.keyId]);
});

it('a flow that is switched again under an Idempotency-Key stays as it was switched since', async () => {
  const turn = (verb: string, idempotencyKey: string, key?: string) => post(`/v1/flows/turned/${verb}`, idempotencyKey, {}, { key });
  const disabled = { name: 'turned', enabled: false, changed: true };
  expect((await turn('disable', 'turn-1')).json).toEqual(disabled);
  expect((await turn('enable', 'turn-2')).json).toEqual({ name: 'turned', enabled: true, changed: true });
  expect((await turn('disable', 'turn-1')).json).toEqual(disabled);
  expect((await server.request('/v1/flows/turned', { key: alphaKey })).json.enabled).toBe(true);
  expect(facts(await turn('enable', 'turn-1'))).toEqual([422, 'E_KEY_REUSED']);
  expect((await turn('disable', 'turn-1', betaKey)).json).toEqual(disabled);
  expect(await events('flow_version.disabled')).toHaveLength(1);
});

it('a document that is applied again under an Idempotency-Key has the same answer, also when another is in force since', async () => {
  const text = (version: string) =>
    testFlow({ name: 'repeated' })[1]!.replaceAll('TENANT', 'alpha').replace('version: 1.0.0', `version: ${version}`);
  const apply = (version: string, idempotencyKey: string, ifMatch: string) =>
    post('/v1/flows', idempotencyKey, { text: text(version) }, { ifMatch });
  const first = await apply('1.0.0', 'apply-1', '"none"');
  expect([first.status, first.json.outcome]).toEqual([200, 'created']);
  const tag = first.headers.get('etag')!;
  expect((await apply('2.0.0', 'apply-2', tag)).json.outcome).toBe('updated');
  const again = await apply('1.0.0', 'apply-1', '"none"');
  expect([again.status, again.json, again.headers.get('etag')]).toEqual([200, first.json, tag]);
  expect((await server.request('/v1/flows/repeated', { key: alphaKey })).json.version).toBe('2.0.0');
  expect(facts(await apply('1.0.0', 'apply-1', '*'))).toEqual([422, 'E_KEY_REUSED']);
  expect(facts(await apply('3.0.0', 'apply-1', '"none"'))).toEqual([422, 'E_KEY_REUSED']);
  // What was refused keeps nothing, and can be asked again.
  expect(facts(await apply('3.0.0', 'apply-3', tag))).toEqual([412, 'E_DEFINITION_STALE']);
  expect((await apply('3.0.0', 'apply-3', '*')).json.outcome).toBe('updated');
});

it('a repeat has the very text of the first answer', async () => {
  const first = await post('/v1/flows/turned/disable', 'text-1', {});
  expect(first.body).toBe('{"name":"turned","enabled":false,"changed":true}');
  expect((await post('/v1/flows/turned/disable', 'text-1', {})).body).toBe(first.body);
  await post('/v1/flows/turned/enable', 'text-2', {});
});
