/** What a target that can be asked is asked about: batches that were sent to it, not parts of them that it knows by no id. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { getBatch } from '../../src/pipeline/deliveries/batch-views.ts';
import { cancelDeliveries } from '../../src/pipeline/deliveries/endings/delivery-cancel.ts';
import { countUnknown } from '../../src/pipeline/deliveries/endings/unknown-records.ts';
import { decideHeldBatch } from '../../src/pipeline/deliveries/held/held-batches.ts';
import type { TargetPlan } from '../../src/pipeline/engine/plan.ts';
import { targetPlan } from '../../src/pipeline/engine/plans.fixture.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { deliveryLine, deliveryPlan, type SealedJob } from '../support/delivery-files.ts';
import { bindingOf, createDeliveryScenario, type Scenario, until } from '../support/delivery-scenario.ts';
import { type SinkAnswer, type SinkRequest, startHttpSink } from '../support/http-sink.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const lines = ['r1', 'r2', 'r3'].map((id) => deliveryLine({ id, customer: 'c', amount: 100, currency: 'EUR', letters: 'a' }));
const retry = { max: 5, initialMs: 10, capMs: 40 };
const posts = (requests: readonly SinkRequest[]) => requests.filter(({ method }) => method === 'POST');
const asks = (requests: readonly SinkRequest[]) => requests.filter(({ method }) => method === 'GET');
const keysOf = (requests: readonly SinkRequest[]) => posts(requests).map(({ headers }) => headers['idempotency-key']);

const oneFails: SinkAnswer = {
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ results: [{ index: 1, status: 500 }] }),
};
const oneIsLeftOut: SinkAnswer = {
  headers: { 'content-type': 'application/x-ndjson' },
  body: '{"index":0,"status":200}\n{"index":2,"status":200}\n',
};

async function start(more: Partial<TargetPlan> = {}, results = 'json') {
  const sink = await startHttpSink();
  const settings = { ...(results === 'single' ? { mode: 'single' } : { results }), status: { path: '/status/{key}', absentStatus: [404] } };
  const target = targetPlan('api', { format: 'ndjson' }, { type: 'http', connection: 'api', batchRecords: 100, retry, settings, ...more });
  const plan = deliveryPlan([target]);
  const scenario = await createDeliveryScenario({ database, plan, bindings: { api: bindingOf('http', { baseUrl: sink.url }) } });
  onTestFinished(async () => void (await scenario.stopWorkers()));
  return { sink, scenario };
}

async function heldPart(scenario: Scenario): Promise<{ readonly whole: string; readonly part: string }> {
  const held = async () => (await scenario.batches()).find(({ state }) => state === 'held');
  await until(async () => (await held()) !== undefined, 'no batch was held');
  const { batchId: part, parentBatchId } = (await held())!;
  return { whole: parentBatchId!, part };
}

const decideAs = ({ store, queue, plan, tenantId }: Scenario, batchId: string, decision: 'resend') =>
  decideHeldBatch({ db: database.db, store, queue, ports: systemPorts, loadPlan: async () => plan }, tenantId, {
    batchId,
    decision,
    reason: 'asked the bank',
    actor: 'anna',
  });

async function cancel(scenario: Scenario, { jobId }: SealedJob): Promise<void> {
  await scenario.inTenant(async (tx) => {
    await tx.query("/* decide */ update headgate.jobs set decision = 'cancel' where tenant_id = $1 and job_id = $2", [tx.tenantId, jobId]);
    await cancelDeliveries(tx, { store: scenario.store, queue: scenario.queue, ports: systemPorts }, { jobId, actor: 'person' });
  });
}

describe('the part of a batch that an answer says nothing certain of', () => {
  it.each([
    ['fails there', 'json', oneFails],
    ['has no line', 'ndjson', oneIsLeftOut],
  ])(
    'where a record %s is not asked for by an id that the service never saw, but held; once it was sent itself, it is',
    async (_how, results, answer) => {
      const { sink, scenario } = await start({ onUnknown: 'hold' }, results);
      sink.answer(({ method }) => (method === 'GET' ? { status: 404 } : answer));
      const jobs = await scenario.deliverJobs([{ lines }]);
      scenario.startWorker();
      const { whole, part } = await heldPart(scenario);
      expect([keysOf(sink.requests), asks(sink.requests)]).toEqual([[whole], []]);
      expect((await scenario.inTenant((tx) => getBatch(tx, part))).next).toContain(`headgate-batch-id ${whole}`);
      const line = { headers: { 'content-type': 'application/x-ndjson' }, body: '{"index":0,"status":200}\n' };
      sink.answer(({ method }) => (method === 'GET' ? { status: 404 } : posts(sink.requests).length === 2 ? { isLost: true } : line));
      await decideAs(scenario, part, 'resend');
      await scenario.allEnded(jobs);
      expect(keysOf(sink.requests)).toEqual([whole, part, part]);
      expect(asks(sink.requests).map(({ path }) => path)).toEqual([`/status/${part}`]);
      expect(await scenario.counts()).toMatchObject([{ routed: 3, delivered: 3 }]);
    },
  );

  it('counts as unknown when it is cancelled, also where the service has nothing of the part itself', async () => {
    const { sink, scenario } = await start({ onUnknown: 'hold' });
    let status = 503;
    sink.answer(({ method }) => (method === 'GET' ? { status } : posts(sink.requests).length === 1 ? oneFails : { isLost: true }));
    const [job] = await scenario.deliverJobs([{ lines }]);
    scenario.startWorker();
    await decideAs(scenario, (await heldPart(scenario)).part, 'resend');
    await until(() => asks(sink.requests).length > 0, 'the service was not asked');
    await cancel(scenario, job!);
    status = 404;
    await scenario.allEnded([job!]);
    expect(await scenario.counts()).toMatchObject([{ routed: 3, delivered: 2, cancelled: 1 }]);
    expect(await scenario.inTenant((tx) => countUnknown(tx, job!.jobId))).toEqual(new Map([['api', 1]]));
  });
});

describe('the last try of which no answer came', () => {
  const lettersOf = (scenario: Scenario) =>
    scenario.rows('/* letters */ select code, cause, may_be_there as "mayBeThere" from headgate.dead_letters where tenant_id = $1');

  it('ends as dead letters that are not there for certain, where the target was asked and has nothing of the batch', async () => {
    const { sink, scenario } = await start({ retry: { ...retry, max: 0 } });
    sink.answer(({ method }) => (method === 'GET' ? { status: 404 } : { isLost: true }));
    const [job] = await scenario.deliverJobs([{ lines }]);
    scenario.startWorker();
    await scenario.allEnded([job!]);
    expect(posts(sink.requests)).toHaveLength(1);
    expect(await lettersOf(scenario)).toEqual(Array(3).fill({ code: 'E_TARGET_REPLY_LOST', cause: 'exhausted', mayBeThere: false }));
    const evidence = 'no tries are left; the service was asked, and has nothing of the batch';
    expect(await scenario.attempts()).toMatchObject([{ outcome: 'unknown', resolvedAs: 'dead', evidence }]);
    expect(await scenario.inTenant((tx) => countUnknown(tx, job!.jobId))).toEqual(new Map());
  });

  it('ends as a dead letter that may be there, where the service has the record and does not say what became of it', async () => {
    const { sink, scenario } = await start({ retry: { ...retry, max: 0 } }, 'single');
    const said = { headers: { 'content-type': 'application/json' }, body: '[{"id":"r1"}]' };
    sink.answer(({ method }) => (method === 'GET' ? said : { isLost: true }));
    const [job] = await scenario.deliverJobs([{ lines: lines.slice(0, 1) }]);
    scenario.startWorker();
    await scenario.allEnded([job!]);
    expect(await lettersOf(scenario)).toEqual([{ code: 'E_OUTCOME_UNKNOWN', cause: 'exhausted', mayBeThere: true }]);
    expect(await scenario.inTenant((tx) => countUnknown(tx, job!.jobId))).toEqual(new Map([['api', 1]]));
  });

  it('ends as dead letters that may be there, where they went to the target before in a batch that it was not asked about', async () => {
    const { sink, scenario } = await start({ retry: { ...retry, max: 0 } });
    sink.answer(({ method }) => (method === 'GET' ? { status: 404 } : posts(sink.requests).length === 1 ? oneFails : { isLost: true }));
    const [job] = await scenario.deliverJobs([{ lines }]);
    scenario.startWorker();
    await scenario.allEnded([job!]);
    expect([posts(sink.requests).length, asks(sink.requests).length]).toEqual([2, 1]);
    expect(await lettersOf(scenario)).toEqual([{ code: 'E_OUTCOME_UNKNOWN', cause: 'exhausted', mayBeThere: true }]);
    expect(await scenario.inTenant((tx) => countUnknown(tx, job!.jobId))).toEqual(new Map([['api', 1]]));
  });
});

it('of a batch that a person has sent again, the evidence is what its target says, and the reason is kept with the decision', async () => {
  const { sink, scenario } = await start({ onUnknown: 'hold', settings: {} });
  sink.answer(() => ({ isLost: sink.requests.length === 1 }));
  const jobs = await scenario.deliverJobs([{ lines }]);
  scenario.startWorker();
  await until(async () => (await scenario.batches())[0]!.state === 'held', 'the batch was not held');
  const { batchId } = (await scenario.batches())[0]!;
  await decideAs(scenario, batchId, 'resend');
  await scenario.allEnded(jobs);
  expect(await scenario.inTenant((tx) => getBatch(tx, batchId))).toMatchObject({ state: 'acked', evidence: null });
  const decided = await scenario.rows(
    "/* decisions */ select detail ->> 'reason' as reason from headgate.events where tenant_id = $1 and type = 'batch.returned'",
  );
  expect(decided).toEqual([{ reason: 'asked the bank' }]);
});
