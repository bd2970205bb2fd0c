/** Jobs that are cancelled while nobody knows what became of a batch of theirs. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { cancelDeliveries } from '../../src/pipeline/deliveries/endings/delivery-cancel.ts';
import { countUnknown } from '../../src/pipeline/deliveries/endings/unknown-records.ts';
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

const lines = ['r1', 'r2'].map((id) => deliveryLine({ id, customer: 'c', amount: 100, currency: 'EUR', letters: 'a' }));
const status = { path: '/status/{key}', field: 'state', acked: ['done'], absent: ['never seen'] };
const posts = (requests: readonly SinkRequest[]) => requests.filter(({ method }) => method === 'POST');
const json = (state: string) => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify({ state }) });

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

async function cancel(scenario: Scenario, { jobId }: SealedJob): Promise<void> {
  await scenario.inTenant(async (tx) => {
    await tx.query("/* decide */ update headgate.jobs set decision = 'cancel' where tenant_id = $1 and job_id = $2", [tx.tenantId, jobId]);
    await cancelDeliveries(tx, { store: scenario.store, queue: scenario.queue, ports: systemPorts }, { jobId, actor: 'person' });
  });
}

/** What the rescuer of the queue does when a lease has run out. */
const expireLeases = (scenario: Scenario) =>
  scenario.rows('/* expire */ update headgate.work_items set lease_until = null where tenant_id = $1 and lease_until is not null');

it('what a process sent that ended is not sent again once its job was cancelled', async () => {
  const { sink, scenario } = await start();
  const reply = Promise.withResolvers<void>();
  sink.answer(async () => {
    await reply.promise;
    return {};
  });
  const [job] = await scenario.deliverJobs([{ lines }]);
  const first = scenario.startWorker();
  await until(() => sink.requests.length === 1, 'nothing was sent');
  await cancel(scenario, job!);
  await expireLeases(scenario);
  scenario.startWorker();
  await scenario.allEnded([job!]);
  reply.resolve();
  await first.stop();
  expect(sink.requests).toHaveLength(1);
  expect(await scenario.attempts()).toMatchObject([{ outcome: 'unknown', reasonCode: 'E_ATTEMPT_ABANDONED', resolvedAs: 'cancelled' }]);
  expect(await scenario.counts()).toMatchObject([{ routed: 2, delivered: 0, cancelled: 2 }]);
  expect(await scenario.inTenant((tx) => countUnknown(tx, job!.jobId))).toEqual(new Map([['api', 2]]));
});

it.each([
  ['has it', 'done', { delivered: 2, cancelled: 0 }, 'acked', 'the service was asked, and has the batch'],
  [
    'has nothing of it',
    'never seen',
    { delivered: 0, cancelled: 2 },
    'cancelled',
    'every job of the batch was cancelled; the service was asked, and has nothing of the batch',
  ],
])('of a cancelled job, a target that can be asked and %s decides what is counted', async (_, state, counts, resolvedAs, evidence) => {
  const { sink, scenario } = await start({ settings: { status } });
  sink.answer(({ method }) => (method === 'POST' ? { isLost: true } : json('pending')));
  const [job] = await scenario.deliverJobs([{ lines }]);
  scenario.startWorker();
  await until(() => sink.requests.length > 2, 'the service was not asked');
  await cancel(scenario, job!);
  const asked = sink.requests.length;
  await until(() => sink.requests.length > asked + 1, 'the service was not asked any more');
  sink.answer(({ method }) => (method === 'POST' ? { isLost: true } : json(state)));
  await scenario.allEnded([job!]);
  expect(posts(sink.requests)).toHaveLength(1);
  expect(await scenario.counts()).toMatchObject([counts]);
  expect(await scenario.attempts()).toMatchObject([{ outcome: 'unknown', resolvedAs, evidence }]);
  expect(await scenario.inTenant((tx) => countUnknown(tx, job!.jobId))).toEqual(new Map());
});

/** Ends at once where a worker has its answer: as a process does that is killed there. */
function deafWorker(scenario: Scenario): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const crashPoints = {
    reach(name: string) {
      if (name !== 'deliveries.after-outcome') return;
      resolve();
      throw new Error('killed');
    },
  };
  scenario.startWorker({ crashPoints });
  return promise;
}

it('of a cancelled job, a folder from which the file may have been taken proves nothing: its records count as unknown', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-taken-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const settings = { path: 'out', name: '{number}.{extension}', readBack: 'none' };
  const plan = deliveryPlan([
    targetPlan('archive', { format: 'ndjson' }, { type: 'file', connection: 'archive', batchRecords: 100, settings }),
  ]);
  const scenario = await createDeliveryScenario({ database, plan, bindings: { archive: bindingOf('folder', { root: folder }) } });
  onTestFinished(async () => void (await scenario.stopWorkers()));
  const [job] = await scenario.deliverJobs([{ lines }]);
  await deafWorker(scenario);
  await scenario.stopWorkers();
  const [name] = readdirSync(join(folder, 'out'));
  rmSync(join(folder, 'out', name!));
  await cancel(scenario, job!);
  await expireLeases(scenario);
  scenario.startWorker();
  await scenario.allEnded([job!]);
  expect(await scenario.counts()).toMatchObject([{ routed: 2, delivered: 0, cancelled: 2 }]);
  const evidence = 'every job of the batch was cancelled (there is no file of this name)';
  expect(await scenario.attempts()).toMatchObject([{ outcome: 'unknown', resolvedAs: 'cancelled', evidence }]);
  expect(await scenario.inTenant((tx) => countUnknown(tx, job!.jobId))).toEqual(new Map([['archive', 2]]));
});

it.each([
  ['some', 1, new Map([['api', 2]])],
  ['none', 0, new Map()],
])('of a cancelled job, records of which the target has %s count as unknown', async (_, known, unknown) => {
  const { sink, scenario } = await start({ settings: { mode: 'single', status: { path: '/status/{key}', absentStatus: [404] } } });
  sink.answer(({ method }) => (method === 'POST' ? { isLost: true } : { status: 503 }));
  const [job] = await scenario.deliverJobs([{ lines }]);
  scenario.startWorker();
  await until(() => sink.requests.some(({ method }) => method === 'GET'), 'the service was not asked');
  await cancel(scenario, job!);
  const keys = posts(sink.requests).map(({ headers }) => headers['idempotency-key'] as string);
  sink.answer(({ path }) => ({ status: keys.slice(0, known).some((key) => path.includes(key)) ? 200 : 404 }));
  await scenario.allEnded([job!]);
  expect(await scenario.counts()).toMatchObject([{ routed: 2, delivered: 0, cancelled: 2 }]);
  expect(await scenario.inTenant((tx) => countUnknown(tx, job!.jobId))).toEqual(unknown);
});

it('a batch that is held at the end of the attempt that was under way when its job was cancelled is cancelled at the next look', async () => {
  const { sink, scenario } = await start();
  const reply = Promise.withResolvers<void>();
  sink.answer(async () => {
    await reply.promise;
    return { status: 422 };
  });
  const [job] = await scenario.deliverJobs([{ lines }]);
  scenario.startWorker();
  await until(() => sink.requests.length === 1, 'nothing was sent');
  await cancel(scenario, job!);
  // Of what is refused no dead letter can be written.
  rmSync(scenario.storeRoot, { recursive: true });
  reply.resolve();
  await until(async () => (await scenario.batches())[0]!.state === 'held', 'the batch was not held');
  await scenario.rows("/* make due */ update headgate.work_items set due_at = headgate.clock() where tenant_id = $1 and kind = 'deliver'");
  await scenario.allEnded([job!]);
  expect(sink.requests).toHaveLength(1);
  expect(await scenario.counts()).toMatchObject([{ routed: 2, delivered: 0, refused: 0, dead: 0, cancelled: 2 }]);
});
