import { createHash } from 'node:crypto';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import type { BlobServer } from '../../../../test/support/blob-server.ts';
import { startFakeGcs } from '../../../../test/support/fake-gcs.ts';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/postgres.ts';
import { systemPorts } from '../../../platform/base/system-ports.ts';
import { createSecretResolver } from '../../../platform/secrets/secret-resolver.ts';
import { createBlobPlaces } from './blob-places.ts';
import { createBlobWorld } from './blob-world.fixture.ts';

let database: TestDatabase;
let server: BlobServer;
beforeAll(async () => {
  database = await createTestDatabase();
  server = await startFakeGcs();
});
afterAll(async () => {
  await server?.stop();
  await database.drop();
});

/** In front of the service: while `isSlow`, content comes byte by byte, and lists name by name, each soon enough not to count as silence. */
async function startTrickling() {
  const state = { isSlow: true, listsOn: false, trickling: 0, port: 0 };
  let lastName = 0;
  const proxy = createServer((incoming, outgoing) => {
    const { method, url, headers } = incoming;
    if (state.listsOn && /\/o\?/.test(url!)) {
      const item = { name: `in/${++lastName}.csv`, size: '1', etag: 'e', updated: '2026-01-01T00:00:00Z', generation: '1' };
      outgoing.writeHead(200, { 'content-type': 'application/json' });
      return void setTimeout(() => outgoing.end(JSON.stringify({ items: [item], nextPageToken: String(lastName) })), 50);
    }
    const asked = request({ host: '127.0.0.1', port: server.port, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers);
      if (!state.isSlow || !url!.includes('alt=media')) return void answer.pipe(outgoing);
      state.trickling += 1;
      answer.resume();
      const timer = setInterval(() => outgoing.write('x'), 100);
      outgoing.once('close', () => {
        state.trickling -= 1;
        clearInterval(timer);
      });
    });
    incoming.pipe(asked);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  state.port = (proxy.address() as AddressInfo).port;
  return state;
}

/** Two minutes pass in little more than a second. */
function hastyPlaces() {
  const sleep = { sleep: (ms: number, signal?: AbortSignal) => systemPorts.sleep.sleep(ms / 100, signal) };
  return createBlobPlaces({
    secrets: { of: () => createSecretResolver({ env: {}, limits: null }) },
    resolveHost: async () => ['127.0.0.1'],
    ports: { ...systemPorts, sleep },
    timeoutMs: 3_000,
  });
}

it('a service that gives a file byte by byte is left after a while, its connections are cut, and the file is read whole when it comes', async () => {
  const world = await createBlobWorld(database, server);
  const content = Buffer.alloc(3_000_000, '0123456789,1.00\n');
  await world.put('a.csv', content);
  const service = await startTrickling();
  world.setPort(service.port);
  const blobs = hastyPlaces();
  await expect(world.poll({ blobs })).rejects.toMatchObject({ code: 'E_SOURCE_TIMEOUT' });
  await vi.waitUntil(() => service.trickling === 0, 60_000);
  expect(await world.jobs()).toBe(0);
  service.isSlow = false;
  expect((await world.poll({ blobs })).verdicts.accepted).toBe(1);
  expect((await world.files())[0]!.sha256).toBe(createHash('sha256').update(content).digest('hex'));
});

it('a service that lists one name at a time, without end, is left after a while', async () => {
  const world = await createBlobWorld(database, server);
  const service = await startTrickling();
  service.listsOn = true;
  world.setPort(service.port);
  await expect(world.poll({ blobs: hastyPlaces() })).rejects.toMatchObject({ code: 'E_SOURCE_TIMEOUT' });
  expect(await world.arrivals()).toEqual([]);
});
