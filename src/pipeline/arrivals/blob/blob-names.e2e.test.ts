import { afterAll, beforeAll, expect, it } from 'vitest';
import type { BlobServer } from '../../../../test/support/blob-server.ts';
import { startFakeGcs } from '../../../../test/support/fake-gcs.ts';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/postgres.ts';
import { type BlobWorld, createBlobWorld } from './blob-world.fixture.ts';

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

/** As a program of somebody else's makes it: with any name. */
async function putAs(world: BlobWorld, name: string): Promise<void> {
  const { accessToken } = server.credentials as { readonly accessToken: string };
  const authorization = `Bearer ${accessToken}`;
  const place = `http://127.0.0.1:${server.port}/upload/storage/v1/b/${world.containerName}/o`;
  const begun = await fetch(`${place}?uploadType=resumable&name=${encodeURIComponent(name)}`, {
    method: 'POST',
    headers: { authorization },
  });
  const body = 'n,1.00\n';
  const written = await fetch(begun.headers.get('location')!, {
    method: 'PUT',
    body,
    headers: { 'content-range': `bytes 0-${body.length - 1}/${body.length}` },
  });
  expect(written.status).toBe(200);
}

it('objects whose names cannot be kept or asked for stay where they are, are told, and stop no other', async () => {
  const world = await createBlobWorld(database, server);
  world.settings.source = { ...world.settings.source, match: '*.csv*' };
  const passedOver: number[] = [];
  const poll = () => world.poll({ onPassedOver: (_lease, files) => void passedOver.push(files) });
  for (const name of ['in/nul\0x.csv', 'in/lag.csv ', 'in/nul\0x.txt', 'in/']) await putAs(world, name);
  for (const own of ['good.csv', 'later.csv']) {
    await world.put(own, `${own},1.00\n`);
    expect((await poll()).verdicts.accepted).toBe(1);
  }
  expect(passedOver).toEqual([2, 2]);
  expect((await world.arrivals()).map(({ name, state }) => `${name} ${state}`)).toEqual(['good.csv accepted', 'later.csv accepted']);
  expect(await world.names()).toEqual(['lag.csv ', 'nul\0x.csv', 'nul\0x.txt']);
});
