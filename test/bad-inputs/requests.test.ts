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

const lists = () =>
  Object.entries(server.document.paths).filter(
    ([path, methods]) => methods['get']?.parameters?.some(({ name }) => name === 'limit') && !path.includes('{'),
  );

describe('lists (D5, D6)', () => {
  it.each(['1000000000', '0', '-1', '1.5', '1e9', 'all', '%00', ''])('a page of %j is refused with 400 on each', async (limit) => {
    expect(lists().length).toBeGreaterThan(3);
    for (const [path] of lists()) {
      const answer = await server.request(`${path}?limit=${limit}`, { key });
      expect([path, answer.status, answer.json.code]).toEqual([path, 400, 'E_REQUEST']);
    }
  });

  it.each(["'; drop table headgate.jobs; --", "' or '1'='1", '%', '_', '$1', 'flow) order by (select 1', '\\'])(
    'a filter of %j is data, and finds nothing',
    async (text) => {
      for (const name of ['flow', 'state']) {
        const answer = await server.request(`/v1/jobs?${name}=${encodeURIComponent(text)}`, { key });
        expect([200, 400, 404]).toContain(answer.status);
        if (answer.status === 200) expect(answer.json.items).toEqual([]);
      }
    },
  );

  it.each(['x', 'JyBvciAnMSc9JzE', '%00', '../..', 'null'])('a cursor of %j, made by nobody, is refused with 400', async (cursor) => {
    for (const [path] of lists().filter(([, methods]) => methods['get']!.parameters!.some(({ name }) => name === 'cursor'))) {
      const answer = await server.request(`${path}?cursor=${cursor}`, { key });
      // A list that goes by name takes any name to go on from.
      const goesByName = ['/v1/flows', '/v1/health', '/v1/targets'].includes(path);
      expect([path, answer.status]).toEqual([path, goesByName && answer.status === 200 ? 200 : 400]);
    }
  });
});

describe('fields that nobody asked for (D2)', () => {
  it.each(['tenant_id', 'tenantId', 'role', 'state', 'approved_by', 'createdAt', '__proto__x', 'constructor'])(
    '%s is refused with 400',
    async (field) => {
      const answer = await server.request('/v1/keys', { method: 'POST', key, body: { name: 'n', scopes: ['read'], [field]: 'x' } });
      expect([answer.status, answer.json.code]).toEqual([400, 'E_REQUEST']);
    },
  );

  it.each(['tenantId', 'tenant_id', 'all', 'constructor'])('the unknown parameter %s is refused with 400', async (name) => {
    const answer = await server.request(`/v1/jobs?${name}=x`, { key });
    expect([answer.status, answer.json.code]).toEqual([400, 'E_REQUEST']);
  });
});
