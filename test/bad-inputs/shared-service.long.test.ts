/** E8: two tenants that send to one service through one worker, each with a token of its own, share no connection to it. */
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type RunningTestServer, startTestServer, type TestTenant, testFlow, testRows } from '../support/running-server.ts';

let database: TestDatabase;
let server: RunningTestServer;
let service: Server;
/** What came through each connection. */
const seen = new Map<Socket, { readonly tokens: Set<string>; readonly ids: string[] }>();

beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
  server = await startTestServer(database);
  service = createServer((request, response) => {
    const through = seen.get(request.socket) ?? { tokens: new Set(), ids: [] };
    seen.set(request.socket, through);
    through.tokens.add(request.headers.authorization ?? '');
    let body = '';
    request.setEncoding('utf8').on('data', (piece: string) => {
      body += piece;
    });
    request.on('end', () => {
      through.ids.push(
        ...body
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line).id as string),
      );
      response.end();
    });
  });
  service.keepAliveTimeout = 60_000;
  service.listen(0, '127.0.0.1');
  await once(service, 'listening');
});
afterAll(async () => {
  await server?.stop();
  service?.close();
  await database?.drop();
});

async function sender(name: string): Promise<TestTenant> {
  const tenant = await server.tenant(name);
  const folder = join(server.settings.dataDir, 'secrets', name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, 'token');
  writeFileSync(path, `token-of-${name}`, { mode: 0o600 });
  const { port } = service.address() as { port: number };
  await tenant.apply(
    'apiVersion: headgate/v1\nkind: TenantPolicy\nmetadata: { tenant: TENANT, name: policy }\nspec: { egress: { allowPrivate: ["127.0.0.0/8"], allowPlain: true } }\n',
    `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: TENANT, name: service }\nspec: { type: http, baseUrl: "http://127.0.0.1:${port}", auth: { type: bearer, token: "file:${path}" } }\n`,
    testFlow()[1]!.replace(
      /out: \{ type: file.*\}/,
      'out: { type: http, connection: service, path: /in, batch: { size: 20 }, concurrency: 2 }',
    ),
  );
  return tenant;
}

it('each connection carries one token and the records of its tenant only', async () => {
  const tenants = [await sender('first'), await sender('second')];
  for (let round = 1; round <= 3; round++) {
    const jobs = await Promise.all(
      tenants.map(async ({ key }, at) => {
        const { json } = await server.upload(key, {
          flow: 'payments',
          name: `${round}.csv`,
          body: testRows(100, 0, 10 * (at + 1) + round),
        });
        return { key, jobId: json.jobId as string };
      }),
    );
    for (const { key, jobId } of jobs)
      expect(await server.settle(key, jobId)).toMatchObject({ state: 'completed', targets: { out: { delivered: 100 } } });
  }
  const connections = [...seen.values()];
  expect(
    connections.some(({ ids }) => ids.length > 200),
    'connections were used again',
  ).toBe(true);
  for (const { tokens, ids } of connections) {
    expect([...tokens]).toEqual([expect.stringMatching(/^Bearer token-of-(first|second)$/)]);
    const own = tokens.has('Bearer token-of-first') ? /^P1/ : /^P2/;
    expect(ids.filter((id) => !own.test(id))).toEqual([]);
  }
  expect(connections.reduce((sum, { ids }) => sum + ids.length, 0)).toBe(2 * 3 * 100);
});
