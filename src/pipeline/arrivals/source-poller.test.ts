import { afterAll, beforeAll, expect, it } from 'vitest';
import { openFence } from '../../../test/support/open-fence.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { systemPorts } from '../../platform/base/system-ports.ts';
import { createAdmission } from './admission.ts';
import { createWorld, noBlobs, noSftp } from './arrivals.fixture.ts';
import { createSourcePoller } from './source-poller.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

it('a stop takes its time once, and begins no poll of what is due', async () => {
  const world = await createWorld(database);
  await database.adminDb.query(
    "/* plant schedule */ insert into headgate.source_schedules (tenant_id, flow_id, source_id, due_at) values ($1, $2, 'other', headgate.clock())",
    [world.tenantId, world.flow.flowId],
  );
  const begun = Promise.withResolvers<void>();
  const blocked = Promise.withResolvers<undefined>();
  const polled: string[] = [];
  const timers: (() => void)[] = [];
  const stopMs = 777_777;
  const sleep: typeof systemPorts.sleep.sleep = (ms, signal) =>
    ms === stopMs ? new Promise((resolve) => timers.push(() => resolve())) : systemPorts.sleep.sleep(ms, signal);
  const poller = createSourcePoller({
    db: database.db,
    ports: { ...systemPorts, sleep: { ...systemPorts.sleep, sleep } },
    intake: world.intake(),
    admission: createAdmission(),
    plans: {
      ...world.plans,
      bySource: (_tx, _flowId, sourceId) => {
        polled.push(sourceId);
        begun.resolve();
        return blocked.promise;
      },
    },
    folders: openFence,
    sftp: noSftp,
    blobs: noBlobs,
    workerId: systemPorts.ids.next(),
    lackOfSpace: () => undefined,
    onError: (error) => begun.reject(error),
    concurrency: 1,
  });
  poller.start();
  await begun.promise;
  const stopped = poller.stop(stopMs);
  for (const fire of timers) fire();
  expect(await stopped).toBe(false);
  blocked.resolve(undefined);
  expect(await poller.stop()).toBe(true);
  expect(polled).toHaveLength(1);
});
