import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { type RunningTestServer, startTestServer, testFlow } from '../../test/support/running-server.ts';
import { nextOfArrival } from '../pipeline/arrivals/arrival-next.ts';

let database: TestDatabase;
let server: RunningTestServer;
beforeAll(async () => {
  database = await createTestDatabase();
  server = await startTestServer(database);
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

it('a file that waits for what must lie beside it says for what', async () => {
  const bank = await server.tenant('bank');
  const ready = 'ready: { stableFor: 0s, marker: .done, manifest: .sha256 }';
  const source = `{ id: drop, type: folder, connection: out, path: in, match: "*.csv", ${ready}, poll: 100ms }`;
  mkdirSync(join(server.out, 'in'));
  writeFileSync(join(server.out, 'in', 'a.csv'), 'id,account,amount\nP1,6200001234,1.00\n');
  await bank.apply(...testFlow({ root: server.out }).map((text) => text.replace('{ id: upload, type: http }', source)));
  const list = async () =>
    (await server.request('/v1/arrivals?state=stable', { key: bank.key })).json.items as { arrivalId: string; next: string }[];
  const [listed] = await vi.waitUntil(
    async () => {
      const items = await list();
      return items.length > 0 && items;
    },
    { timeout: 60_000, interval: 50 },
  );
  expect(listed!.next).toBe('It waits for the marker or manifest beside it that `ready` of its source asks for.');
  const { json } = await server.request(`/v1/arrivals/${listed!.arrivalId}`, { key: bank.key });
  expect(json).toMatchObject({ state: 'stable', reasonCode: null, next: 'It waits for `a.csv.done` and `a.csv.sha256` beside it.' });
  expect(json).not.toHaveProperty('flowId');
});

it('an open arrival says what it waits for, and whom to ask when it is overdue', () => {
  const next = (state: 'seen' | 'growing' | 'stable' | 'complete' | 'vanished', reasonCode: string | null = null) =>
    nextOfArrival({ arrivalId: 'a1', state, reasonCode }, ['a.csv.done']);
  expect(next('seen')).toMatch(/the same for `ready\.stableFor`/);
  expect(next('growing')).toMatch(/the same for `ready\.stableFor`/);
  expect(next('stable', 'E_ARRIVAL_OVERDUE')).toMatch(/^It waits for `a\.csv\.done` beside it\. Ask the sender: /);
  expect(next('complete')).toMatch(/^It waits to be read: /);
  expect(next('vanished')).toBeNull();
});
