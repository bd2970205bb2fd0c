import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/postgres.ts';
import { type RunningTestServer, startTestServer, testFlow } from '../../../../test/support/running-server.ts';
import { withTenant } from '../../../platform/tenancy/tenant-scope.ts';
import { createArrivalPlans } from './arrival-plans.ts';

let database: TestDatabase;
let server: RunningTestServer;
beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 3 });
  server = await startTestServer(database, { roles: 'api' });
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
});

it('the limit of uploads is none of what is fetched', async () => {
  const tenant = await server.tenant('limits');
  const drop = '{ id: drop, type: folder, connection: out, path: in, limits: { maxSize: 2GiB } }';
  const [connection, flow] = testFlow({ root: '/nowhere' });
  await tenant.apply(connection!, flow!.replace('{ id: upload, type: http }', `{ id: upload, type: http }\n    - ${drop}`));
  const plans = createArrivalPlans({ environment: 'dev', uploadBytesMax: 1_000 });
  const bytesMax = await withTenant(database.db, tenant.tenantId, async (tx) => {
    const { flow: found, source } = await plans.byName(tx, 'payments');
    return [source!.limits.bytesMax, (await plans.bySource(tx, found.flowId, 'drop'))!.source.limits.bytesMax];
  });
  expect(bytesMax).toEqual([1_000, 2 * 1024 ** 3]);
});
