/** A batch that several jobs share, one of which is cancelled while it is not to be cut. */
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { previewCancel } from '../../src/pipeline/deliveries/endings/cancel-preview.ts';
import { cancelDeliveries } from '../../src/pipeline/deliveries/endings/delivery-cancel.ts';
import { sendMendedAgain } from '../../src/pipeline/deliveries/held/held-again.ts';
import { decideHeldBatch } from '../../src/pipeline/deliveries/held/held-batches.ts';
import type { TargetPlan } from '../../src/pipeline/engine/plan.ts';
import { targetPlan } from '../../src/pipeline/engine/plans.fixture.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { deliveryLine, deliveryPlan, type SealedJob } from '../support/delivery-files.ts';
import { bindingOf, createDeliveryScenario, type Scenario, until } from '../support/delivery-scenario.ts';
import { type SinkRequest, startHttpSink } from '../support/http-sink.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const linesOf = (...ids: string[]) => ids.map((id) => deliveryLine({ id, customer: 'c', amount: 100, currency: 'EUR', letters: 'a' }));

async function start(more: Partial<TargetPlan> = {}) {
  const sink = await startHttpSink();
  const retry = { max: 9, initialMs: 10, capMs: 20 };
  const plan = deliveryPlan([
    targetPlan('api', { format: 'ndjson' }, { type: 'http', connection: 'api', batchRecords: 100, retry, ...more }),
  ]);
  const scenario = await createDeliveryScenario({ database, plan, bindings: { api: bindingOf('http', { baseUrl: sink.url }) } });
  onTestFinished(async () => void (await scenario.stopWorkers()));
  return { sink, scenario };
}

const servicesOf = ({ store, queue }: Scenario) => ({ store, queue, ids: systemPorts.ids, ports: systemPorts });

async function cancel(scenario: Scenario, { jobId }: SealedJob) {
  return await scenario.inTenant(async (tx) => {
    await tx.query("/* decide */ update headgate.jobs set decision = 'cancel' where tenant_id = $1 and job_id = $2", [tx.tenantId, jobId]);
    return await cancelDeliveries(tx, servicesOf(scenario), { jobId, actor: 'person' });
  });
}

it.each([
  ['is under way and refused for now', 503],
  ['is held for its settings', 401],
])('the records of a cancelled job are taken out of a shared batch that %s, before that is sent again', async (_how, status) => {
  const { sink, scenario } = await start();
  const first = Promise.withResolvers<void>();
  sink.answer(async () => {
    if (status === 503) await first.promise;
    return { status };
  });
  const jobs = await scenario.deliverJobs([{ lines: linesOf('a1', 'a2', 'a3') }, { lines: linesOf('b1', 'b2') }]);
  scenario.startWorker();
  if (status === 503) await until(() => sink.requests.length === 1, 'nothing was sent');
  else await until(async () => (await scenario.batches())[0]!.state === 'held', 'the batch was not held');
  const services = servicesOf(scenario);
  await cancel(scenario, jobs[0]!);
  const before = sink.requests.length;
  sink.answer(() => (status === 503 && sink.requests.length === before ? { status } : {}));
  first.resolve();
  if (status === 401) await scenario.inTenant((tx) => sendMendedAgain(tx, services, { actor: 'person', evidence: 'mended' }));
  await scenario.allEnded(jobs);
  const ids = sink.requests.slice(before).flatMap(({ body }) => [...body.matchAll(/"id":"(\w+)"/g)].map((match) => match[1]));
  expect(ids).toEqual(['b1', 'b2']);
  expect(await scenario.counts()).toEqual([{ targetId: 'api', routed: 5, delivered: 2, refused: 0, dead: 0, cancelled: 3 }]);
});

it('a held batch of several jobs that are cancelled one after the other is cancelled with the last, and they end', async () => {
  const { sink, scenario } = await start({ onUnknown: 'hold' });
  sink.answer(() => ({ isLost: true }));
  const jobs = await scenario.deliverJobs([{ lines: linesOf('a1', 'a2', 'a3') }, { lines: linesOf('b1', 'b2') }]);
  scenario.startWorker();
  await until(async () => (await scenario.batches())[0]!.state === 'held', 'the batch was not held');
  expect(await cancel(scenario, jobs[0]!)).toEqual({ records: 0, openBatches: 1 });
  const preview = await scenario.inTenant((tx) => previewCancel(tx, jobs[1]!.jobId));
  expect(preview.get('api')).toMatchObject({ withdrawable: { records: 2 }, underWay: 0 });
  expect(await cancel(scenario, jobs[1]!)).toEqual({ records: 5, openBatches: 0 });
  await scenario.allEnded(jobs);
  expect(await scenario.counts()).toEqual([{ targetId: 'api', routed: 5, delivered: 0, refused: 0, dead: 0, cancelled: 5 }]);
  expect(await scenario.attempts()).toMatchObject([{ outcome: 'unknown', resolvedAs: 'cancelled' }]);
});

it('a shared batch that a person has sent again, because its target has nothing of it, is cut for a job that was cancelled', async () => {
  const { sink, scenario } = await start({ onUnknown: 'hold' });
  sink.answer(() => ({ isLost: sink.requests.length === 1 }));
  const jobs = await scenario.deliverJobs([{ lines: linesOf('a1', 'a2', 'a3') }, { lines: linesOf('b1', 'b2') }]);
  scenario.startWorker();
  await until(async () => (await scenario.batches())[0]!.state === 'held', 'the batch was not held');
  await cancel(scenario, jobs[0]!);
  const { batchId } = (await scenario.batches())[0]!;
  const services = { ...servicesOf(scenario), db: database.db, loadPlan: async () => scenario.plan };
  const decision = { batchId, decision: 'resend', reason: 'the bank has nothing of it', actor: 'anna' } as const;
  await decideHeldBatch(services, scenario.tenantId, decision);
  await scenario.allEnded(jobs);
  expect(idsOf(sink.requests)).toEqual(['a1,a2,a3,b1,b2', 'b1,b2']);
  expect(await scenario.counts()).toMatchObject([{ routed: 5, delivered: 2, cancelled: 3 }]);
});

const idsOf = (requests: readonly SinkRequest[]) =>
  requests.map(({ body }) => [...body.matchAll(/"id":"(\w+)"/g)].map((match) => match[1]).join());
const posts = (requests: readonly SinkRequest[]) => requests.filter(({ method }) => method === 'POST');

/** The first attempt is lost, and the second refused for now. One of two jobs is cancelled before, or after that. */
async function cancelledAfterLost(isUnderWay: boolean, settings: Record<string, unknown> = {}) {
  const { sink, scenario } = await start({ settings });
  const refusal = Promise.withResolvers<void>();
  sink.answer(async ({ method }) => {
    if (method === 'GET') return { status: 404 };
    if (posts(sink.requests).length === 1) return { isLost: true };
    await refusal.promise;
    return { status: 503 };
  });
  const jobs = await scenario.deliverJobs([{ lines: linesOf('a1', 'a2', 'a3') }, { lines: linesOf('b1', 'b2') }]);
  const worker = scenario.startWorker();
  await until(() => posts(sink.requests).length === 2, 'nothing was sent again');
  if (isUnderWay) await cancel(scenario, jobs[0]!);
  const stopped = worker.stop();
  refusal.resolve();
  await stopped;
  expect(await scenario.batches()).toMatchObject([{ state: 'ready', unknownAttempts: 1 }]);
  const preview = await scenario.inTenant((tx) => previewCancel(tx, jobs[0]!.jobId));
  const cancelled = isUnderWay ? null : await cancel(scenario, jobs[0]!);
  sink.answer(() => ({}));
  scenario.startWorker();
  await scenario.allEnded(jobs);
  return { sent: posts(sink.requests), counts: await scenario.counts(), preview: preview.get('api')!, cancelled };
}

it.each([
  ['is under way again', true],
  ['waits for its next try', false],
])(
  'a shared batch that may be at its target and %s is not cut for a cancelled job: its rest would go under another key',
  async (_how, isUnderWay) => {
    const { sent, counts, preview, cancelled } = await cancelledAfterLost(isUnderWay);
    expect(idsOf(sent)).toEqual(Array(3).fill('a1,a2,a3,b1,b2'));
    expect(new Set(sent.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
    expect(counts).toMatchObject([{ routed: 5, delivered: 5, cancelled: 0 }]);
    expect(preview).toMatchObject({ withdrawable: { records: 0 }, underWay: 3 });
    if (!isUnderWay) expect(cancelled).toEqual({ records: 0, openBatches: 1 });
  },
);

it.each([
  ['is under way again', true],
  ['waits for its next try', false],
])('once its target has said that it has nothing of it, a shared batch that %s is cut', async (_how, isUnderWay) => {
  const { sent, counts, preview } = await cancelledAfterLost(isUnderWay, { status: { path: '/status/{key}', absentStatus: [404] } });
  expect(idsOf(sent)).toEqual(['a1,a2,a3,b1,b2', 'a1,a2,a3,b1,b2', 'b1,b2']);
  expect(counts).toMatchObject([{ routed: 5, delivered: 2, cancelled: 3 }]);
  expect(preview).toMatchObject({ withdrawable: { records: 3 }, underWay: 0 });
});
