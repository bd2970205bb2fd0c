/** What waits already goes on with its breaker: for the time that the target asked for when a person says so, and with an outcome that nobody knows. */
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type BreakerWord, decideBreaker, hastenWaiting } from '../../src/pipeline/deliveries/breakers/breaker-decisions.ts';
import type { TargetPlan } from '../../src/pipeline/engine/plan.ts';
import { targetPlan } from '../../src/pipeline/engine/plans.fixture.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { deliveryLine, deliveryPlan } from '../support/delivery-files.ts';
import { bindingOf, createDeliveryScenario, until } from '../support/delivery-scenario.ts';
import { startHttpSink } from '../support/http-sink.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** Nothing is probed by itself within a test. */
const breaker = { windowMs: 600_000, failureRatio: 1, minCalls: 3, probeEveryMs: 600_000, probes: 2 };
const retry = { max: 60, initialMs: 10, capMs: 50 };

async function scenarioOf(more: Partial<TargetPlan> = {}) {
  const sink = await startHttpSink();
  const target = targetPlan('api', { format: 'ndjson' }, { type: 'http', connection: 'api', batchRecords: 1, retry, breaker, ...more });
  const bindings = { api: bindingOf('http', { baseUrl: sink.url }) };
  const scenario = await createDeliveryScenario({ database, plan: deliveryPlan([target]), bindings });
  onTestFinished(async () => void (await scenario.stopWorkers()));
  const { flowId, flowVersionId, queue } = scenario;
  const say = (decision: BreakerWord['decision']) =>
    scenario.inTenant((tx) =>
      decideBreaker(
        tx,
        { queue, ports: systemPorts },
        { flowId, flowVersionId, targetId: 'api', target, decision, reason: 'it is back', actor: 'anna' },
      ),
    );
  const deliver = (records: number) =>
    scenario.deliverJobs([
      {
        lines: Array.from({ length: records }, (_, index) =>
          deliveryLine({ id: `r${index}`, customer: 'c', amount: 100, currency: 'EUR', letters: 'a' }),
        ),
      },
    ]);
  const stateOf = async () =>
    (await scenario.rows<{ state: string }>('/* breaker */ select state from headgate.breakers where tenant_id = $1'))[0]?.state;
  /** Those that nobody looks at within the next minute. */
  const waiting = async () =>
    (
      await scenario.rows(
        "/* waiting */ select 1 from headgate.work_items where tenant_id = $1 and kind = 'deliver' and lease_until is null and due_at > headgate.clock() + interval '1 minute'",
      )
    ).length;
  /** Nobody has one of them in hand. */
  const isAtRest = async () =>
    (await scenario.rows('/* leases */ select 1 from headgate.work_items where tenant_id = $1 and lease_until is not null')).length === 0;
  const isOpen = async () => (await stateOf()) === 'open' && (await isAtRest());
  return { sink, scenario, say, deliver, stateOf, waiting, isOpen };
}

const askForPatience = () => ({ status: 429, headers: { 'retry-after': '900' } });

it('a closed breaker that a person keeps closed sends at once what waits for the time that the target asked for, tried or not', async () => {
  const { sink, scenario, say, deliver, stateOf, waiting } = await scenarioOf({ concurrency: 1 });
  sink.answer(askForPatience);
  const jobs = await deliver(4);
  scenario.startWorker();
  await until(async () => (await waiting()) === 4, 'the batches do not wait');
  expect(await stateOf()).toBe('closed');
  sink.answer(() => ({}));
  await say('close');
  await scenario.allEnded(jobs);
  expect(sink.requests.length).toBe(5);
});

for (const decision of ['probe', 'auto'] as const)
  it(`an open breaker tries its target at once when a person says ${decision}, whatever time the target asked for`, async () => {
    const { sink, scenario, say, deliver, stateOf, isOpen } = await scenarioOf({ concurrency: 4, breaker: { ...breaker, minCalls: 1 } });
    sink.answer(askForPatience);
    const jobs = await deliver(12);
    scenario.startWorker();
    await until(isOpen, 'the breaker did not open');
    sink.answer(() => ({}));
    await say(decision);
    await scenario.allEnded(jobs);
    expect(await stateOf()).toBe('closed');
  });

it('a batch of which nobody knows whether it arrived goes on soon after its breaker closed, though the probe was far off when it looked', async () => {
  const { sink, scenario, deliver, isOpen } = await scenarioOf({ concurrency: 4 });
  sink.answer(() => ({ isLost: true }));
  const jobs = await deliver(4);
  scenario.startWorker();
  await until(isOpen, 'the breaker did not open');
  expect((await scenario.batches()).map(({ state }) => state)).toContain('unknown');
  sink.answer(() => ({}));
  await scenario.rows(
    `/* probe now */ with b as (update headgate.breakers set probe_at = headgate.clock() where tenant_id = $1)
     update headgate.work_items set due_at = headgate.clock() where tenant_id = $1 and kind = 'breaker'`,
  );
  await scenario.allEnded(jobs);
});

it('very many batches that wait for a time to come are due at once when a person says so, some thousands in a transaction', async () => {
  const count = 5_600;
  const { scenario, say, deliver, waiting } = await scenarioOf();
  await deliver(count);
  await scenario.rows(
    "/* ask for patience */ update headgate.work_items set due_at = headgate.clock() + interval '15 minutes' where tenant_id = $1",
  );
  expect(await waiting()).toBe(count);
  const place = await say('close');
  expect(await waiting()).toBe(count - 5_000);
  const scope = { db: database.db, queue: scenario.queue, ports: systemPorts };
  await hastenWaiting(scope, scenario.tenantId, { flowId: scenario.flowId, targetId: 'api' }, place!);
  expect(await waiting()).toBe(0);
  expect(await say('close')).toBeNull();
});
