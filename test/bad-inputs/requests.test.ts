import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scopes } from '../../src/platform/access/api-keys.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type RunningTestServer, startTestServer, type TestTenant, testFlow } from '../support/running-server.ts';

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
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

interface Mistakes {
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

const pathsOf = ({ json }: { readonly json: Mistakes }) => json.errors?.map(({ path }) => path);
const messagesOf = ({ json }: { readonly json: Mistakes }) => json.errors?.map(({ message }) => message);

/** What lists that are of one thing need besides. */
const given: Readonly<Record<string, string>> = { flow: 'payments', kind: 'target', id: 'out' };

/** The path of each list, and an address that parameters are added to. */
const lists = () =>
  Object.entries(server.document.paths).flatMap(([path, methods]) => {
    const parameters = methods['get']?.parameters ?? [];
    if (path.includes('{') || !parameters.some(({ name }) => name === 'limit')) return [];
    const needed = parameters.filter(({ required }) => required).map(({ name }) => [name, given[name]!]);
    return [{ path, address: `${path}?${new URLSearchParams(needed)}&`, hasCursor: parameters.some(({ name }) => name === 'cursor') }];
  });

describe('lists (D5, D6)', () => {
  it.each(['1000000000', '0', '-1', '1.5', '1e9', 'all', '%00', ''])('a page of %j is refused with 400 on each', async (limit) => {
    expect(lists().length).toBeGreaterThan(3);
    for (const { path, address } of lists()) {
      const answer = await server.request(`${address}limit=${limit}`, { key });
      expect([path, answer.status, answer.json.code, pathsOf(answer)]).toEqual([path, 400, 'E_REQUEST', ['/limit']]);
    }
  });

  it('a page of 1 is taken by each', async () => {
    for (const { path, address } of lists())
      expect([path, (await server.request(`${address}limit=1`, { key })).status]).toEqual([path, 200]);
  });

  it.each(["'; drop table headgate.jobs; --", "' or '1'='1", '%', '_', '$1', 'flow) order by (select 1', '\\'])(
    'a filter of %j is data, and finds nothing',
    async (text) => {
      const flow = await server.request(`/v1/jobs?flow=${encodeURIComponent(text)}`, { key });
      expect([flow.status, flow.json.code]).toEqual([404, 'E_FLOW_UNKNOWN']);
      const state = await server.request(`/v1/jobs?state=${encodeURIComponent(text)}`, { key });
      expect([state.status, state.json.code, pathsOf(state)]).toEqual([400, 'E_REQUEST', ['/state']]);
    },
  );

  it.each(['x', 'JyBvciAnMSc9JzE', '%00', '../..', 'null'])('a cursor of %j, made by nobody, is refused with 400', async (cursor) => {
    for (const { path, address } of lists().filter(({ hasCursor }) => hasCursor)) {
      const answer = await server.request(`${address}cursor=${cursor}`, { key });
      expect([path, answer.status, answer.json.code]).toEqual([path, 400, 'E_CURSOR']);
    }
  });
});

describe('fields that nobody asked for (D2)', () => {
  it.each(['tenant_id', 'tenantId', 'role', 'state', 'approved_by', 'createdAt', '__proto__x', 'constructor'])(
    '%s is refused with 400',
    async (field) => {
      const body = { name: 'n', scopes: ['jobs:read'] };
      const answer = await server.request('/v1/keys', { method: 'POST', key, body: { ...body, [field]: 'x' } });
      expect([answer.status, answer.json.code, messagesOf(answer)]).toEqual([400, 'E_REQUEST', [`unknown field "${field}"`]]);
      expect((await server.request('/v1/keys', { method: 'POST', key, body })).status).toBe(201);
    },
  );

  it.each(['tenantId', 'tenant_id', 'all', 'constructor'])('the unknown parameter %s is refused with 400', async (name) => {
    const answer = await server.request(`/v1/jobs?${name}=x`, { key });
    expect([answer.status, answer.json.code, messagesOf(answer)]).toEqual([400, 'E_REQUEST', [`unknown field "${name}"`]]);
    expect((await server.request('/v1/jobs', { key })).status).toBe(200);
  });
});
