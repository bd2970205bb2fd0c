/** F2: a service that takes only its newest token, which is exchanged again and again while records are sent to it. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type RunningTestServer, startTestServer, type TestTenant, testFlow, testRows } from '../support/running-server.ts';

const files = 10;
const rowsOfFile = 400;
const rotations = 20;

let database: TestDatabase;
let server: RunningTestServer;
let tenant: TestTenant;
let sink: Server;
let secretPath: string;
let wanted: string;
const taken: string[] = [];
let refused = 0;

beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
  server = await startTestServer(database);
  const folder = join(server.settings.dataDir, 'secrets', 'alpha');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  secretPath = join(folder, 'token');
  writeToken((wanted = newToken()));
  sink = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (piece: string) => {
      body += piece;
    });
    request.on('end', () => {
      const isGood = request.headers.authorization === `Bearer ${wanted}`;
      if (isGood)
        taken.push(
          ...body
            .split('\n')
            .filter(Boolean)
            .map((line) => JSON.parse(line).id as string),
        );
      else refused += 1;
      response.writeHead(isGood ? 200 : 401).end();
    });
  });
  sink.listen(0, '127.0.0.1');
  await once(sink, 'listening');
  const { port } = sink.address() as { port: number };
  tenant = await server.tenant('alpha');
  await tenant.apply(
    'apiVersion: headgate/v1\nkind: TenantPolicy\nmetadata: { tenant: TENANT, name: policy }\nspec: { egress: { allowPrivate: ["127.0.0.0/8"], allowPlain: true } }\n',
    `apiVersion: headgate/v1\nkind: Connection\nmetadata: { tenant: TENANT, name: service }\nspec: { type: http, baseUrl: "http://127.0.0.1:${port}", auth: { type: bearer, token: "file:${secretPath}" } }\n`,
    testFlow()[1]!.replace(
      /out: \{ type: file.*\}/,
      'out: { type: http, connection: service, path: /in, batch: { size: 25 }, concurrency: 2, retry: { max: 50, initial: 50ms, cap: 200ms } }',
    ),
  );
});
afterAll(async () => {
  await server?.stop();
  sink?.close();
  await database?.drop();
});

/** Always of one length, so that only its content tells it from the one before. */
const newToken = () => randomBytes(24).toString('hex');

function writeToken(token: string): void {
  writeFileSync(`${secretPath}.new`, token, { mode: 0o600 });
  renameSync(`${secretPath}.new`, secretPath);
}

const reached = (done: () => boolean) => vi.waitUntil(done, { timeout: 60_000, interval: 5 });

it('costs a try where the old one was under way, and no record: each is taken once', async () => {
  const jobs: string[] = [];
  for (let file = 0; file < files; file++) {
    const { json } = await server.upload(tenant.key, { flow: 'payments', name: `${file}.csv`, body: testRows(rowsOfFile, 0, file) });
    jobs.push(json.jobId);
  }
  for (let rotation = 0; rotation < rotations; rotation++) {
    const before = taken.length;
    await reached(() => taken.length >= before + 100);
    const token = newToken();
    const refusedBefore = refused;
    // The service is first one time, the file the other.
    if (rotation % 2 === 0) {
      wanted = token;
      await reached(() => refused > refusedBefore);
      writeToken(token);
    } else {
      writeToken(token);
      await reached(() => refused > refusedBefore);
      wanted = token;
    }
  }
  for (const jobId of jobs) {
    const job = await server.settle(tenant.key, jobId);
    expect([job.state, job.targets.out.delivered, job.balanced]).toEqual(['completed', rowsOfFile, true]);
  }
  expect(refused).toBeGreaterThanOrEqual(rotations);
  expect(taken.length).toBe(files * rowsOfFile);
  expect(new Set(taken).size).toBe(files * rowsOfFile);
  expect((await server.request('/v1/dead-letters', { key: tenant.key })).json.items).toEqual([]);
});
