import { AsyncLocalStorage } from 'node:async_hooks';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { sendAllMendedAgain, sendMendedAgain } from '../../src/pipeline/deliveries/held/held-again.ts';
import type { WorkItem } from '../../src/pipeline/deliveries/work-queue-port.ts';
import { targetPlan } from '../../src/pipeline/engine/plans.fixture.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import type { TenantTx } from '../../src/platform/tenancy/tenant-scope.ts';
import { deliveryLine, deliveryPlan } from '../support/delivery-files.ts';
import { bindingOf, createDeliveryScenario, until } from '../support/delivery-scenario.ts';
import { startHttpSink } from '../support/http-sink.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

it('batches that were held all go once their settings are mended, though their target fails once: none of them counts as a try again', async () => {
  const sink = await startHttpSink((_request, number) => (number === 1 ? { status: 503 } : {}));
  onTestFinished(() => sink.close());
  const bindings = { api: bindingOf('folder', { root: '/nowhere' }) };
  // Nothing that is counted is forgotten while the test lasts.
  const breaker = { windowMs: 3_600_000, failureRatio: 0.5, minCalls: 100, probeEveryMs: 200, probes: 2 };
  const retry = { max: 60, initialMs: 20, capMs: 200 };
  // Longer than the machine may be busy: what is given up is sent again.
  const more = { type: 'http', connection: 'api', batchRecords: 1, concurrency: 64, timeoutMs: 120_000, breaker, retry };
  const plan = deliveryPlan([targetPlan('api', { format: 'ndjson' }, more)]);
  const scenario = await createDeliveryScenario({ database, plan, bindings });
  onTestFinished(async () => void (await scenario.stopWorkers()));
  const count = 100;
  const lines = Array.from({ length: count }, (_, at) =>
    deliveryLine({ id: `r${at}`, customer: 'c', amount: 100, currency: 'EUR', letters: 'a' }),
  );
  const jobs = await scenario.deliverJobs([{ lines }]);
  scenario.startWorker({ leaseMs: 3_600_000 });
  const areAll = async (state: string) => (await scenario.batches()).every((batch) => batch.state === state);
  await until(() => areAll('held'), 'the batches were not held');
  bindings.api = bindingOf('http', { baseUrl: sink.url });
  const services = { queue: scenario.queue, ids: systemPorts.ids };
  await scenario.inTenant((tx) => sendMendedAgain(tx, services, { actor: 'anna', evidence: 'mended' }));
  await scenario.allEnded(jobs);
  expect(await areAll('acked')).toBe(true);
  expect(sink.lines().length).toBe(count + 1);
});

it('batches that are held are sent again some hundreds in a transaction, and none that somebody has in hand by then is taken from them', async () => {
  const plan = deliveryPlan([targetPlan('api', { format: 'ndjson' }, { type: 'http', connection: 'api', batchRecords: 1 })]);
  const scenario = await createDeliveryScenario({ database, plan, bindings: {} });
  const count = 1_200;
  const lines = Array.from({ length: count }, (_, at) =>
    deliveryLine({ id: `r${at}`, customer: 'c', amount: 100, currency: 'EUR', letters: 'a' }),
  );
  await scenario.deliverJobs([{ lines }]);
  await scenario.rows("/* hold */ update headgate.batches set state = 'held', reason_code = 'E_TARGET_FORBIDDEN' where tenant_id = $1");
  const outside = AsyncLocalStorage.snapshot() as <T>(work: () => T) => T;
  const by = { actor: 'anna', evidence: 'mended' };
  const services = { queue: scenario.queue, ids: systemPorts.ids };
  const scope = { db: database.db, queue: scenario.queue, ports: systemPorts };
  // While one has read which are held, another sends them, and a worker claims them.
  let items: readonly WorkItem[] = [];
  const late = (tx: TenantTx): TenantTx => ({
    ...tx,
    query: async (sql, params) => {
      const answer = await tx.query(sql, params);
      if (!sql.startsWith('/* list batches held')) return answer as never;
      // In no scope of a tenant: that one is open.
      await outside(() => sendAllMendedAgain(scope, scenario.tenantId, by));
      items = await scenario.queue.claimWork(database.db, 'deliver', { limit: 500, workerId: systemPorts.ids.next(), leaseMs: 30_000 });
      return answer as never;
    },
  });
  expect(await scenario.inTenant((tx) => sendMendedAgain(late(tx), services, by))).toMatchObject({ sent: 0 });
  expect((await scenario.inTenant((tx) => scenario.queue.renewOurs(tx, items, 30_000))).renewed.size).toBe(500);
  const transactions = await scenario.rows<{ batches: number }>(
    '/* transactions */ select count(*)::int as batches from headgate.batches where tenant_id = $1 group by xmin::text order by 1',
  );
  expect(transactions.map(({ batches }) => batches)).toEqual([200, 500, 500]);
});
