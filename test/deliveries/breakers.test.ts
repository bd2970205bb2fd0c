import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import type { TargetPlan } from '../../src/pipeline/engine/plan.ts';
import { targetPlan } from '../../src/pipeline/engine/plan-fixtures.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { openPool } from '../../src/platform/postgres/pool.ts';
import { deliveryLine, deliveryPlan } from '../support/delivery-files.ts';
import { bindingOf, createDeliveryScenario, until } from '../support/delivery-scenario.ts';
import { startHttpSink } from '../support/http-sink.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const retry = { max: 60, initialMs: 20, capMs: 200 };
const breaker = { windowMs: 30_000, failureRatio: 0.5, minCalls: 6, probeEveryMs: 200, probes: 2 };

/** A target, and workers with a pool each, as processes have. */
async function scenarioOf(more: Partial<TargetPlan> = {}) {
  const sink = await startHttpSink();
  const target = { type: 'http', connection: 'api', batchRecords: 5, concurrency: 4, retry, breaker, ...more };
  const plan = deliveryPlan([targetPlan('api', { format: 'ndjson' }, target)]);
  const scenario = await createDeliveryScenario({ database, plan, bindings: { api: bindingOf('http', { baseUrl: sink.url }) } });
  const startWorker = () => {
    const db = openPool({ url: database.url, applicationName: 'headgate test worker', connectionsMax: 4 });
    onTestFinished(async () => {
      await scenario.stopWorkers();
      await db.close();
    });
    return scenario.startWorker({ db, workerId: systemPorts.ids.next() });
  };
  let sent = 0;
  const deliver = (records: number) =>
    scenario.deliverJobs([
      {
        lines: Array.from({ length: records }, () =>
          deliveryLine({ id: `r${sent++}`, customer: `c${sent % 7}`, amount: 100, currency: 'EUR', letters: 'a' }),
        ),
      },
    ]);
  const states = async () => (await scenario.batches()).map(({ state }) => state);
  const state = async () =>
    (
      await scenario.rows<{ state: string; fence: number; openings: number; limit: number | null }>(
        '/* breaker */ select state, fence, openings, limit_thousandths as "limit" from headgate.breakers where tenant_id = $1',
      )
    )[0];
  const events = async () =>
    (
      await scenario.rows<{ type: string; from: string; to: string }>(
        `/* events */ select type, from_state as "from", to_state as "to" from headgate.events where tenant_id = $1 and type like 'breaker.%' order by event_id`,
      )
    ).map(({ type, from, to }) => `${type} ${from} ${to}`);
  /** Probes ask with another method. */
  const posts = () => sink.requests.filter(({ method }) => method === 'POST');
  return { sink, posts, scenario, startWorker, deliver, states, state, events };
}

it('a target that fails is left alone, its batches are parked, and all of them go on by themselves when it is back', async () => {
  const { sink, posts, scenario, startWorker, deliver, states, state, events } = await scenarioOf();
  sink.answer(() => ({ status: 503 }));
  const jobs = await deliver(500);
  startWorker();
  startWorker();
  await until(async () => (await states()).every((each) => each === 'parked'), 'the batches were not parked');
  expect(await state()).toMatchObject({ state: 'open' });
  sink.answer(() => ({}));
  await scenario.allEnded(jobs);
  expect(await scenario.counts()).toMatchObject([{ routed: 500, delivered: 500, dead: 0 }]);
  await until(async () => (await state())!.state === 'closed', 'the breaker did not close');
  const told = await events();
  expect(told[0]).toBe('breaker.opened closed open');
  expect(told.slice(-2)).toEqual(['breaker.probed open half_open', 'breaker.closed half_open closed']);
  // Six failures in a row open it, what was under way then is answered too, and each time it is half-open two may fail.
  const failed = posts().length - 100;
  const halfOpen = told.filter((each) => each === 'breaker.probed open half_open').length;
  expect(failed).toBeGreaterThanOrEqual(6);
  expect(failed).toBeLessThanOrEqual(6 + 4 + 2 * (halfOpen - 1));
});
