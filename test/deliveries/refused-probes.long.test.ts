/** Breakers whose target refuses what it is asked without a record. */
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { targetPlan } from '../../src/pipeline/engine/plans.fixture.ts';
import { deliveryLine, deliveryPlan } from '../support/delivery-files.ts';
import { bindingOf, createDeliveryScenario, until } from '../support/delivery-scenario.ts';
import { startHttpSink } from '../support/http-sink.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

async function parkedAtOutage() {
  const sink = await startHttpSink(() => ({ status: 503 }));
  const breaker = { windowMs: 30_000, failureRatio: 0.5, minCalls: 3, probeEveryMs: 200, probes: 2 };
  const retry = { max: 60, initialMs: 20, capMs: 200 };
  const plan = deliveryPlan([
    targetPlan('api', { format: 'ndjson' }, { type: 'http', connection: 'api', batchRecords: 5, breaker, retry }),
  ]);
  const scenario = await createDeliveryScenario({ database, plan, bindings: { api: bindingOf('http', { baseUrl: sink.url }) } });
  onTestFinished(async () => void (await scenario.stopWorkers()));
  const lines = Array.from({ length: 50 }, (_, index) =>
    deliveryLine({ id: `r${index}`, customer: 'c', amount: 100, currency: 'EUR', letters: 'a' }),
  );
  const jobs = await scenario.deliverJobs([{ lines }]);
  scenario.startWorker();
  const states = async () => (await scenario.batches()).map(({ state, reasonCode }) => `${state} ${reasonCode}`);
  await until(async () => (await states()).every((state) => state === 'parked E_BREAKER_OPEN'), 'the batches were not parked');
  return { sink, scenario, jobs, states };
}

it('a service that takes records again goes on, though it forbids what it is asked without one', async () => {
  const { sink, scenario, jobs } = await parkedAtOutage();
  sink.answer(({ method }) => (method === 'POST' ? {} : { status: 403 }));
  await scenario.allEnded(jobs);
  expect(await scenario.counts()).toMatchObject([{ routed: 50, delivered: 50 }]);
});

it('what is parked is held where credentials turn out to be wrong, as anywhere else', async () => {
  const { sink, states } = await parkedAtOutage();
  sink.answer(() => ({ status: 401 }));
  await until(
    async () => (await states()).every((state) => state === 'held E_TARGET_FORBIDDEN'),
    'nobody is told what is at fault',
    30_000,
  );
});
