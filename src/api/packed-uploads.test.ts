import { zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { openConnection, type RawAnswer, type RawConnection } from '../../test/support/raw-http.ts';
import { type RunningTestServer, startTestServer, type TestTenant, testFlow, testRows } from '../../test/support/running-server.ts';

let database: TestDatabase;
let server: RunningTestServer;
let [greedy, other]: TestTenant[] = [];
beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
  // One for each tenant.
  server = await startTestServer(database, { packedUploadsMax: '4' });
  [greedy, other] = [await server.tenant('greedy'), await server.tenant('other')];
  for (const tenant of [greedy, other]) await tenant.apply(...testFlow({ root: server.out }));
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

let uploads = 0;
const packed = () => zstdCompressSync(`${testRows(3)}${' '.repeat(++uploads)}\n`);

function begin(tenant: TestTenant, body: Buffer, sent: number): RawConnection {
  const connection = openConnection(server.port);
  const head = [
    `POST /v1/files?flow=payments&name=packed-${++uploads}.csv HTTP/1.1`,
    'host: x',
    `authorization: Bearer ${tenant.key}`,
    `content-length: ${body.length}`,
    'content-encoding: zstd',
    'connection: close',
    '',
    '',
  ].join('\r\n');
  void connection.write(Buffer.concat([Buffer.from(head), body.subarray(0, sent)]));
  return connection;
}

async function uploadWhole(tenant: TestTenant): Promise<[number | undefined, string | undefined]> {
  const body = packed();
  const answer = await begin(tenant, body, body.length).answer();
  return [answer?.status, (JSON.parse(answer?.body || '{}') as { code?: string }).code];
}

/** An upload that waits for the rest of its bytes; one that a probe kept out is sent again. */
async function holdPlace(tenant: TestTenant, body: Buffer): Promise<{ connection: RawConnection; answer: Promise<RawAnswer | undefined> }> {
  for (;;) {
    const connection = begin(tenant, body, 10);
    const answer = connection.answer();
    let isRefused = false;
    void answer.then(() => {
      isRefused = true;
    });
    const isFull = async () => isRefused || (await uploadWhole(tenant))[1] === 'E_UNPACK_BUSY';
    await vi.waitUntil(isFull, { timeout: 60_000, interval: 20 });
    if (!isRefused) return { connection, answer };
  }
}

it('uploads packed with zstd have a bound for a tenant, and leave room for others', async () => {
  const body = packed();
  const slow = await holdPlace(greedy!, body);
  expect(await uploadWhole(greedy!)).toEqual([429, 'E_UNPACK_BUSY']);
  expect((await uploadWhole(other!))[0]).toBe(201);
  await slow.connection.write(body.subarray(10));
  expect((await slow.answer)?.status).toBe(201);
  await vi.waitUntil(async () => (await uploadWhole(greedy!))[0] === 201, { timeout: 60_000, interval: 20 });
});
