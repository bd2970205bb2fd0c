/** Lanes whose first batch was cut, held, decided about or cancelled: order is kept, and nothing behind it waits longer than it has to. */
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { cancelDeliveries } from '../../src/pipeline/deliveries/endings/delivery-cancel.ts';
import { decideHeldBatch, heldDecisions } from '../../src/pipeline/deliveries/held/held-batches.ts';
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

/** Each an id and a key. */
const linesOf = (...records: string[]) =>
  records.map((record) => {
    const [id, customer] = record.split(' ') as [string, string];
    return deliveryLine({ id, customer, amount: 100, currency: 'EUR', letters: 'a' });
  });
const idsOf = (body: string) =>
  body
    .split('\n')
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as { id: string }).id);

/** One lane of a target over HTTP that keeps the order of keys. */
async function startLane(more: Partial<TargetPlan> = {}) {
  const sink = await startHttpSink();
  const retry = { max: 20, initialMs: 1, capMs: 1 };
  const target = { type: 'http', connection: 'api', order: 'by-key', lanes: 1, batchRecords: 100, retry, ...more } as const;
  const plan = deliveryPlan([targetPlan('api', { format: 'ndjson' }, target)]);
  const scenario = await createDeliveryScenario({ database, plan, bindings: { api: bindingOf('http', { baseUrl: sink.url }) } });
  onTestFinished(async () => void (await scenario.stopWorkers()));
  return { sink, plan, scenario };
}

/** About the first batch that is held. */
async function decideWhenHeld(
  { scenario, plan }: Pick<Awaited<ReturnType<typeof startLane>>, 'scenario' | 'plan'>,
  decision: (typeof heldDecisions)[number],
): Promise<void> {
  const held = async () => (await scenario.batches()).find(({ state }) => state === 'held');
  await until(async () => (await held()) !== undefined, 'no batch is held');
  const services = { db: database.db, store: scenario.store, queue: scenario.queue, ports: systemPorts, loadPlan: async () => plan };
  const { batchId } = (await held())!;
  await decideHeldBatch(services, scenario.tenantId, { batchId, decision, reason: 'asked', actor: 'anna' });
}

it.each([
  ['that go back and forth', [200, 503, 504, 503], ['a1', 'k1', 'k2']],
  ['of which one is not known', [503, 504, 200, 503], ['z0', 'a1', 'k2']],
])('after results per record %s nothing is sent before an earlier record', async (_how, statuses, expected) => {
  const { sink, scenario } = await startLane();
  const stored: string[] = [];
  sink.answer(({ body }, number) => {
    if (number > 1) {
      stored.push(...idsOf(body));
      return {};
    }
    const results = statuses.map((status, index) => ({ index, status }));
    return { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ results }) };
  });
  const jobs = await scenario.deliverJobs([{ lines: linesOf('z0 zoe', 'a1 anna', 'k1 karl', 'k2 karl') }]);
  scenario.startWorker();
  await scenario.allEnded(jobs);
  expect(stored).toEqual(expected);
});

it.each(heldDecisions)('what waits behind a held batch goes on when a person has said %s', async (decision) => {
  const { sink, plan, scenario } = await startLane({ onUnknown: 'hold' });
  let isLost = true;
  sink.answer(({ body }) => {
    const ids = idsOf(body);
    if (ids.length === 4) return { status: 422 };
    if (!ids.includes('r1') || !isLost) return {};
    isLost = false;
    return { isLost: true };
  });
  const jobs = await scenario.deliverJobs([{ lines: linesOf('r1 a', 'r2 b', 'r3 a', 'r4 b') }]);
  scenario.startWorker();
  await decideWhenHeld({ scenario, plan }, decision);
  await scenario.allEnded(jobs);
  const dead = decision === 'discard' ? 2 : 0;
  expect(await scenario.counts()).toMatchObject([{ delivered: 4 - dead, dead }]);
});

it.each([...heldDecisions.map((decision) => [decision, 'by-key'] as const), ['delivered', 'none'] as const])(
  'records of an answer that are left out of it, and held, are %s as a person says (order %s)',
  async (decision, order) => {
    const { sink, plan, scenario } = await startLane({ onUnknown: 'hold', order, lanes: order === 'none' ? 0 : 1 });
    sink.answer((_request, number) =>
      number > 1 ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ results: [{ index: 1, status: 504 }] }) },
    );
    const jobs = await scenario.deliverJobs([{ lines: linesOf('r1 a', 'r2 a', 'r3 b') }]);
    scenario.startWorker();
    await decideWhenHeld({ scenario, plan }, decision);
    await scenario.allEnded(jobs);
    const dead = decision === 'discard' ? 1 : 0;
    expect(await scenario.counts()).toMatchObject([{ delivered: 3 - dead, dead }]);
  },
);

it('a batch that is tried again while it is given up has a dead letter for each record all the same', async () => {
  const { sink, plan, scenario } = await startLane();
  const answered = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  let isTriedAgain = false;
  sink.answer(async () => {
    if (isTriedAgain) {
      arrived.resolve();
      await answered.promise;
    }
    return { status: 401 };
  });
  await scenario.deliverJobs([{ lines: linesOf('r1 a', 'r2 b') }]);
  scenario.startWorker();
  const state = async () => (await scenario.batches())[0]!.state;
  await until(async () => (await state()) === 'held', 'no batch is held');
  isTriedAgain = true;
  await scenario.rows('/* due */ update headgate.work_items set due_at = headgate.clock() where tenant_id = $1 and lease_until is null');
  await arrived.promise;
  const { batchId } = (await scenario.batches())[0]!;
  const isHeldAgain = answered.promise.then(() => until(async () => (await state()) === 'held', 'it is not held again'));
  // It has been seen while it was sent.
  const loadPlan = async () => {
    answered.resolve();
    await isHeldAgain;
    return plan;
  };
  const services = { db: database.db, store: scenario.store, queue: scenario.queue, ports: systemPorts, loadPlan };
  await decideHeldBatch(services, scenario.tenantId, { batchId, decision: 'discard', reason: 'asked', actor: 'anna' });
  const letters = await scenario.rows('/* letters */ select record_number from headgate.dead_letters where tenant_id = $1');
  expect([letters.length, await scenario.counts()]).toMatchObject([2, [{ dead: 2 }]]);
});

it.each([
  ['held', 'its own'],
  ['to be tried again', 'its own'],
  ['to be tried again', 'a shared'],
  ['parked', 'its own'],
  ['parked', 'a shared'],
])('what waits behind a batch that is %s goes on when the job of it, in %s batch, was cancelled', async (how, whose) => {
  const minCalls = how === 'parked' ? 3 : 100;
  const breaker = { windowMs: 30_000, failureRatio: 0.5, minCalls, probeEveryMs: 200, probes: 1 };
  const later = { max: 20, initialMs: 600_000, capMs: 600_000 };
  const { sink, scenario } = await startLane({ onUnknown: 'hold', breaker, ...(how === 'to be tried again' ? { retry: later } : {}) });
  let isDown = true;
  sink.answer(() => (isDown ? (how === 'held' ? { isLost: true } : { status: 503 }) : {}));
  const files = [{ lines: linesOf('r1 a', 'r2 b') }, { lines: linesOf('s1 a', 's2 b') }];
  const jobs =
    whose === 'a shared'
      ? await scenario.deliverJobs(files)
      : [...(await scenario.deliverJobs([files[0]!])), ...(await scenario.deliverJobs([files[1]!]))];
  scenario.startWorker();
  const waiting = how === 'to be tried again' ? 'ready' : how;
  const isWaiting = async () => (await scenario.batches()).some(({ state, attempts }) => state === waiting && attempts > 0);
  await until(isWaiting, 'it does not wait');
  isDown = false;
  const { jobId } = jobs[0]!;
  await scenario.inTenant(async (tx) => {
    await tx.query("/* decide */ update headgate.jobs set decision = 'cancel' where tenant_id = $1 and job_id = $2", [
      scenario.tenantId,
      jobId,
    ]);
    await cancelDeliveries(tx, { store: scenario.store, queue: scenario.queue, ports: systemPorts }, { jobId, actor: 'anna' });
  });
  await scenario.allEnded(jobs);
  expect(await scenario.counts()).toMatchObject([{ delivered: 2, cancelled: 2, dead: 0 }]);
});

it('a batch that is held for its settings once more, after it was cut, goes on by itself when they are mended', async () => {
  const { sink, scenario } = await startLane();
  let isLocked = true;
  let cuts = 0;
  sink.answer(({ body }) => {
    const ids = idsOf(body);
    if (isLocked) return { status: 401 };
    if (ids.length === 2 && ids.includes('r1') && cuts++ === 0) isLocked = true;
    return ids.length > 2 || isLocked ? { status: 422 } : {};
  });
  const jobs = await scenario.deliverJobs([{ lines: linesOf('r1 a', 'r2 b', 'r3 a', 'r4 b') }]);
  scenario.startWorker();
  const isHeld = async () => (await scenario.batches()).some(({ state }) => state === 'held');
  /** A quarter of an hour. */
  const passTime = () =>
    scenario.rows('/* due */ update headgate.work_items set due_at = headgate.clock() where tenant_id = $1 and lease_until is null');
  await until(isHeld, 'no batch is held');
  isLocked = false;
  await passTime();
  await until(async () => cuts > 0 && (await isHeld()), 'no batch is held again');
  isLocked = false;
  await until(async () => {
    await passTime();
    return (await scenario.batches()).every(({ state }) => state === 'acked' || state === 'split');
  }, 'it does not go on');
  await scenario.allEnded(jobs);
  expect(await scenario.counts()).toMatchObject([{ delivered: 4 }]);
});
