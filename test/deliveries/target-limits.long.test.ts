import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import type { TargetPlan } from '../../src/pipeline/engine/plan.ts';
import { targetPlan } from '../../src/pipeline/engine/plans.fixture.ts';
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

/** A target, and workers with a pool each, as processes have. */
async function scenarioOf(more: Partial<TargetPlan>) {
  const sink = await startHttpSink();
  const plan = deliveryPlan([targetPlan('api', { format: 'ndjson' }, { type: 'http', connection: 'api', batchRecords: 10, ...more })]);
  const scenario = await createDeliveryScenario({ database, plan, bindings: { api: bindingOf('http', { baseUrl: sink.url }) } });
  onTestFinished(async () => void (await scenario.stopWorkers()));
  /** How many attempts each of the workers made. */
  const attempts: number[] = [];
  const startWorker = (inHandMax = 8) => {
    const db = openPool({ url: database.url, applicationName: 'headgate test worker', connectionsMax: 4 });
    onTestFinished(async () => {
      await scenario.stopWorkers();
      await db.close();
    });
    const index = attempts.push(0) - 1;
    const reach = (name: string) => void (name === 'deliveries.after-attempt-commit' && attempts[index]!++);
    // Few in hand, so that every worker has some.
    scenario.startWorker({ db, workerId: systemPorts.ids.next(), inHandMax, crashPoints: { reach } });
  };
  const deliver = (records: number) =>
    scenario.deliverJobs([
      {
        lines: Array.from({ length: records }, (_, index) =>
          deliveryLine({ id: `r${index}`, customer: 'c', amount: 100, currency: 'EUR', letters: 'a' }),
        ),
      },
    ]);
  return { sink, scenario, startWorker, deliver, attempts };
}

it('what a target asked to wait for is waited for, and hardly longer', async () => {
  const { sink, scenario, startWorker, deliver } = await scenarioOf({ concurrency: 1 });
  sink.answer(() => ({ status: 503, headers: { 'retry-after': '600' } }));
  await deliver(100);
  startWorker();
  const due = async () =>
    (
      await scenario.rows<{ inS: number }>(
        `/* due */ select extract(epoch from due_at - headgate.clock())::float8 as "inS" from headgate.work_items where tenant_id = $1 and kind = 'deliver' and lease_until is null`,
      )
    ).map(({ inS }) => inS);
  await until(async () => (await due()).filter((inS) => inS > 500).length === 10, 'not all wait');
  expect(sink.requests).toHaveLength(1);
  for (const inS of await due()) expect(inS).toBeLessThan(600 * 1.13);
});

it('no more batches than the target takes are under way from all workers together, and all workers send', async () => {
  const { sink, scenario, startWorker, deliver, attempts } = await scenarioOf({ concurrency: 2 });
  let underWay = 0;
  let most = 0;
  sink.answer(async () => {
    most = Math.max(most, ++underWay);
    // The first waits for a second to come beside it, however slow the machine is.
    for (let waits = 0; most < 2 && waits < 1_000; waits++) await systemPorts.sleep.sleep(15);
    await systemPorts.sleep.sleep(15);
    underWay -= 1;
    return {};
  });
  const jobs = await deliver(400);
  startWorker();
  startWorker();
  await scenario.allEnded(jobs);
  expect(most).toBe(2);
  expect(attempts.reduce((sum, count) => sum + count, 0)).toBe(40);
  expect(Math.min(...attempts)).toBeGreaterThan(0);
  expect(await scenario.counts()).toMatchObject([{ routed: 400, delivered: 400 }]);
});

it('a rate holds over all workers together', async () => {
  const { sink, scenario, startWorker, deliver } = await scenarioOf({ concurrency: 8, ratePerSecond: 100 });
  const times: number[] = [];
  sink.answer(() => {
    times.push(systemPorts.clock.monotonicMs());
    return {};
  });
  const jobs = await deliver(250);
  startWorker();
  startWorker();
  await scenario.allEnded(jobs);
  expect(times).toHaveLength(25);
  // A second's worth is free at the start; the last batch went when all the others were paid for.
  expect(times.at(-1)! - times[0]!).toBeGreaterThan(1_300);
  expect(times.at(-1)! - times[0]!).toBeLessThan(6_000);
});

it('batches of a target that takes them fast are not claimed to be given back', async () => {
  const { scenario, startWorker, deliver } = await scenarioOf({ concurrency: 8, batchRecords: 1 });
  const jobs = await deliver(400);
  startWorker(64);
  await scenario.allEnded(jobs);
  const [sent] = await scenario.rows<{ claims: number; batches: number }>(
    '/* claims */ select sum(fence)::int as claims, count(*)::int as batches from headgate.attempts where tenant_id = $1',
  );
  expect(sent!.batches).toBe(400);
  // One each, and some that were given back before it was known how fast the target is.
  expect(sent!.claims).toBeLessThan(800);
});

it('a target that takes calls and never answers leaves places to others', async () => {
  const [silent, fast] = await Promise.all([startHttpSink(), startHttpSink()]);
  silent.answer(() => ({ isSilent: true }));
  const targets = ['silent', 'fast'].map((id) =>
    targetPlan(id, { format: 'ndjson' }, { type: 'http', connection: id, batchRecords: 1, concurrency: 2, timeoutMs: 60_000 }),
  );
  const bindings = { silent: bindingOf('http', { baseUrl: silent.url }), fast: bindingOf('http', { baseUrl: fast.url }) };
  const scenario = await createDeliveryScenario({ database, plan: deliveryPlan(targets), bindings });
  onTestFinished(async () => void (await scenario.stopWorkers()));
  const linesFor = (letters: string, count: number) =>
    Array.from({ length: count }, (_, index) =>
      deliveryLine({ id: `${letters}${index}`, customer: 'c', amount: 100, currency: 'EUR', letters }),
    );
  // First in the queue, and more than there are places.
  await scenario.deliverJobs([{ lines: linesFor('a', 40) }, { lines: linesFor('b', 40) }]);
  scenario.startWorker({ inHandMax: 16 });
  await until(() => fast.requests.length === 40, 'the other target was left without');
  expect(silent.requests).toHaveLength(2);
});

it('what a worker left under way counts until its lease is taken back, then its place is free', async () => {
  const { sink, scenario, startWorker, deliver } = await scenarioOf({ concurrency: 1 });
  sink.answer((_, number) => ({ isSilent: number === 1 }));
  const jobs = await deliver(20);
  startWorker(1);
  await until(() => sink.requests.length === 1, 'nothing was sent');
  startWorker(1);
  const waiting =
    "/* looked at */ select coalesce(sum(attempts), 0)::int as tries from headgate.work_items where tenant_id = $1 and kind = 'deliver'";
  const tries = async () => (await scenario.rows<{ tries: number }>(waiting))[0]!.tries;
  await until(async () => (await tries()) > 2, 'the other worker did not look');
  expect(sink.requests).toHaveLength(1);
  await scenario.rows('/* expire */ update headgate.work_items set lease_until = null where tenant_id = $1 and lease_until is not null');
  await scenario.allEnded(jobs);
  expect(await scenario.counts()).toMatchObject([{ routed: 20, delivered: 20 }]);
});

it("a rate does not stand still while the database's clock is set back", async () => {
  const { scenario, startWorker, deliver } = await scenarioOf({ ratePerSecond: 100, batchRecords: 20 });
  startWorker();
  const before = await deliver(40);
  await scenario.allEnded(before);
  await database.adminDb.query("/* set back */ update headgate.clock_offset set by = by - interval '1 hour'");
  await scenario.allEnded([...before, ...(await deliver(40))]);
  expect(await scenario.counts()).toMatchObject([{ routed: 80, delivered: 80 }]);
});
