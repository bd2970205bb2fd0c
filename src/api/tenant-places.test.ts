import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { openConnection, type RawAnswer, type RawConnection } from '../../test/support/raw-http.ts';
import { type RunningTestServer, startTestServer, type TestTenant, testFlow, testRows } from '../../test/support/running-server.ts';

const placesMax = 3;
let database: TestDatabase;
let server: RunningTestServer;
let [flooding, small]: TestTenant[] = [];
let open: RawConnection[] = [];
let uploads = 0;

beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
  server = await startTestServer(database, { tenantConnectionsMax: String(placesMax) });
  [flooding, small] = [await server.tenant('flooding'), await server.tenant('small')];
  for (const tenant of [flooding, small]) await tenant.apply(...testFlow({ root: server.out }));
});
afterEach(async () => {
  for (const { socket } of open) socket.destroy();
  open = [];
  await vi.waitUntil(async () => (await send(flooding!, get('/v1/flows')).answer())?.status === 200, { timeout: 60_000, interval: 20 });
  for (const { socket } of open) socket.destroy();
  open = [];
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

type Request = (key: string) => string;
const request =
  (line: string, ...headers: string[]): Request =>
  (key) =>
    [`${line} HTTP/1.1`, 'host: x', `authorization: Bearer ${key}`, ...headers, '', ''].join('\r\n');
const get = (path: string, ...headers: string[]) => request(`GET ${path}`, ...headers);
const startOfUpload = (name: string, bytes: number) =>
  request(`POST /v1/files?flow=payments&name=${name}`, `content-length: ${bytes}`, 'expect: 100-continue');

function send(tenant: TestTenant, made: Request): RawConnection {
  const connection = openConnection(server.port);
  open.push(connection);
  void connection.write(made(tenant.key));
  return connection;
}

const facts = (answer: RawAnswer | undefined) => [answer?.status, JSON.parse(answer?.body || '{}').code, answer?.headers['retry-after']];

interface Held {
  readonly connection: RawConnection;
  readonly answer: Promise<RawAnswer | undefined>;
}

/** Uploads that wait for the rest of their bytes, as many as a tenant may have; those that a probe kept out are sent again. */
async function fillPlaces(): Promise<readonly Held[]> {
  const held = new Set<Held>();
  await vi.waitUntil(
    async () => {
      while (held.size < placesMax) {
        const connection = send(flooding!, startOfUpload(`slow-${++uploads}.csv`, 1_000));
        const one: Held = { connection, answer: connection.answer() };
        held.add(one);
        void one.answer.then(() => held.delete(one));
      }
      const probe = await send(flooding!, get('/v1/flows', 'connection: close')).answer();
      return probe?.status === 429 && held.size === placesMax;
    },
    { timeout: 60_000, interval: 10 },
  );
  return [...held];
}

describe('a tenant that has its share of connections open (A18)', () => {
  it('is refused with 429 before a byte of a body is read, and another tenant is served', async () => {
    await fillPlaces();
    const late = send(flooding!, startOfUpload('late.csv', 50_000_000));
    expect(facts(await late.answer())).toEqual([429, 'E_TOO_MANY_REQUESTS', '1']);
    await late.closed;
    const { json } = await server.request('/v1/arrivals?limit=200', { key: small!.key });
    expect(json.items).toEqual([]);
    const upload = await server.upload(small!.key, { flow: 'payments', name: 'small.csv', body: testRows(2, 0, 1) });
    expect(upload.status).toBe(201);
    expect((await server.settle(small!.key, upload.json.jobId)).state).toBe('completed');
  });

  it('goes on with what is under way, and has room again once that ends', async () => {
    const body = testRows(2, 0, 2).padEnd(1_000, '\n');
    const [first] = await fillPlaces();
    await first!.connection.write(body);
    expect((await first!.answer)?.status).toBe(201);
    first!.connection.socket.destroy();
    const isServed = async () => (await send(flooding!, get('/v1/flows', 'connection: close')).answer())?.status === 200;
    await vi.waitUntil(isServed, { timeout: 60_000, interval: 10 });
  });

  it('keeps no place by leaving at once, at whatever moment', async () => {
    for (let round = 0; round < 20; round++) {
      const connections = Array.from({ length: placesMax }, () => send(flooding!, startOfUpload('gone.csv', 1_000)));
      await Promise.all(connections.map(({ socket }) => new Promise<void>((resolve) => socket.once('connect', resolve))));
      for (let turn = 0; turn < round; turn++) await new Promise((resolve) => setImmediate(resolve));
      for (const { socket } of connections) socket.destroy();
    }
    await vi.waitUntil(
      async () => {
        const again = Array.from({ length: placesMax }, () => send(flooding!, get('/v1/flows')));
        const statuses = await Promise.all(again.map(async (connection) => (await connection.answer())?.status));
        for (const { socket } of again) socket.destroy();
        return statuses.every((status) => status === 200);
      },
      { timeout: 60_000, interval: 10 },
    );
  });

  it('does not get around it by sending request after request ahead on one connection', async () => {
    await server.request('/v1/flows', { key: flooding!.key });
    const ahead = openConnection(server.port);
    open.push(ahead);
    const stalled = startOfUpload('ahead.csv', 1_000)(flooding!.key);
    await ahead.write(stalled.replace('expect: 100-continue\r\n', ''));
    // The rest of the upload, and then more requests than there are places, in one piece.
    await ahead.write('x'.repeat(1_000) + get('/v1/flows')(flooding!.key).repeat(placesMax + 3));
    const statuses: (number | undefined)[] = [];
    for (let at = 0; at < placesMax + 4; at++) statuses.push((await ahead.answer())?.status);
    expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(placesMax);
    expect(statuses).toContain(429);
  });
});
