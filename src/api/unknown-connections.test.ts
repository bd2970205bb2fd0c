import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { openConnection, type RawConnection } from '../../test/support/raw-http.ts';
import { type RunningTestServer, startTestServer, type TestTenant, testFlow, testRows } from '../../test/support/running-server.ts';

const connectionsMax = 20;
let database: TestDatabase;
let server: RunningTestServer;
let tenant: TestTenant;
const silent: Socket[] = [];
const open: RawConnection[] = [];

beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
  server = await startTestServer(database, { httpConnectionsMax: String(connectionsMax) });
  tenant = await server.tenant('alpha');
  await tenant.apply(...testFlow({ root: server.out }));
});
afterEach(async () => {
  for (const socket of [...silent.splice(0), ...open.splice(0).map(({ socket }) => socket)]) socket.destroy();
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

/** Connects and says nothing. */
function stayDumb(): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: server.port }, () => resolve(socket));
    socket.on('error', () => undefined).resume();
    silent.push(socket);
  });
}

const ask = (connection: RawConnection, path = '/v1/jobs') =>
  connection.write([`GET ${path} HTTP/1.1`, 'host: x', `authorization: Bearer ${tenant.key}`, '', ''].join('\r\n'));

function connection(): RawConnection {
  const made = openConnection(server.port);
  open.push(made);
  return made;
}

it('connections that say nothing, many times as many as there is room for, keep nobody out who asks at once (A18)', async () => {
  for (let round = 0; round < 5; round++) {
    await Promise.all(Array.from({ length: 2 * connectionsMax }, stayDumb));
    const asking = connection();
    await ask(asking);
    expect((await asking.answer())?.status).toBe(200);
    asking.socket.destroy();
  }
  await vi.waitUntil(() => silent.filter((socket) => !socket.closed).length <= connectionsMax / 2, { timeout: 60_000, interval: 20 });
});

it('a connection that showed a valid key is not closed for those that did not', async () => {
  const known = connection();
  await ask(known);
  expect((await known.answer())?.status).toBe(200);
  const upload = connection();
  const body = testRows(2, 0, 1);
  const head = `POST /v1/files?flow=payments&name=a.csv HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${tenant.key}\r\ncontent-length: ${body.length}\r\n\r\n`;
  await upload.write(head + body.slice(0, 20));
  // The server has seen the upload's key once it answers a later request.
  await ask(known, '/v1/flows');
  expect((await known.answer())?.status).toBe(200);
  await vi.waitUntil(async () => (await server.request('/v1/arrivals', { key: tenant.key })).status === 200, {
    timeout: 60_000,
    interval: 20,
  });
  for (let round = 0; round < 3; round++) await Promise.all(Array.from({ length: connectionsMax }, stayDumb));
  await upload.write(body.slice(20));
  expect((await upload.answer())?.status).toBe(201);
  await ask(known);
  expect((await known.answer())?.status).toBe(200);
});

it('a wrong key makes a connection no better known', async () => {
  const wrong = connection();
  await wrong.write(`GET /v1/jobs HTTP/1.1\r\nhost: x\r\nauthorization: Bearer hg_live_${'A'.repeat(43)}\r\n\r\n`);
  expect((await wrong.answer())?.status).toBe(401);
  await Promise.all(Array.from({ length: connectionsMax }, stayDumb));
  await wrong.closed;
});
