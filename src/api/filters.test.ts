import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { type RunningTestServer, startTestServer } from '../../test/support/running-server.ts';
import { scopes } from '../platform/access/api-keys.ts';

let database: TestDatabase;
let server: RunningTestServer;
let key: string;

beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 2 });
  server = await startTestServer(database, { roles: 'api' });
  key = await (await server.tenant('alpha')).makeKey(scopes);
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

const fewValues = /^(state|status|type|kind|cause|answer|acknowledgement|order|level|format)$/;

describe('a filter that has few values', () => {
  it('names them all, on every route', async () => {
    const filters = Object.entries(server.document.paths).flatMap(([path, { get }]) => {
      const query = (get?.parameters ?? []).filter((each) => each.in === 'query');
      return query
        .filter(({ name }) => fewValues.test(name))
        .map(({ name, schema }) => {
          const others = query.filter((other) => other.required && other.name !== name).map((other) => `&${other.name}=x`);
          return { path, name, schema, asked: `${name}=never${others.join('')}` };
        });
    });
    expect(filters.length).toBeGreaterThan(10);
    for (const { path, name, schema, asked } of filters) {
      expect((schema as { enum?: unknown }).enum, `${path} ${name}`).toBeInstanceOf(Array);
      const address = path.replace('{id}', '01900000-0000-7000-8000-000000000001').replace('{kind}', 'Connection');
      const { status, json } = await server.request(`${address}?${asked}`, { key });
      const refused = json.errors.find((each: { path: string }) => each.path === `/${name}`);
      expect([status, json.code, refused.message], path).toEqual([400, 'E_REQUEST', expect.stringMatching(/^must be one of /)]);
    }
  });

  it.each([
    ['/v1/dead-letters?state=opn', '/state', /^must be one of open, .*; did you mean open\?$/],
    ['/v1/batches?state=nothing-like-it', '/state', /^must be one of [a-z_, ]+$/],
    ['/v1/events?type=job.complete', '/type', /^must be one of .*; did you mean job\.completed\?$/],
  ])('is refused with the value that was meant: %s', async (path, at, message) => {
    const { status, json } = await server.request(path, { key });
    expect([status, json.errors]).toEqual([400, [{ code: 'E_REQUEST', path: at, message: expect.stringMatching(message) }]]);
  });

  it('is a field of a body, too', async () => {
    const { status, json } = await server.request('/v1/keys', { key, method: 'POST', body: { name: 'a', scopes: ['job:read'] } });
    expect([status, json.errors[0].message]).toEqual([400, expect.stringMatching(/; did you mean jobs:read\?$/)]);
  });
});
