import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { loadBatches } from '../../src/pipeline/deliveries/batch-load.ts';
import { visitGivenUpRecords } from '../../src/pipeline/deliveries/endings/batch-records.ts';
import { exportDeadLetters, getDeadLetter, listDeadLetters } from '../../src/pipeline/deliveries/endings/dead-letter-store.ts';
import { targetPlan } from '../../src/pipeline/engine/plan-fixtures.ts';
import { deliveryLine, deliveryPlan } from '../support/delivery-files.ts';
import { bindingOf, createDeliveryScenario } from '../support/delivery-scenario.ts';
import { startHttpSink } from '../support/http-sink.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

async function withDeadLetters() {
  const sink = await startHttpSink(() => ({ status: 422 }));
  const plan = deliveryPlan([targetPlan('api', { format: 'ndjson' }, { type: 'http', connection: 'api', batchRecords: 2 })], {
    isKeyUnique: true,
  });
  const scenario = await createDeliveryScenario({ database, plan, bindings: { api: bindingOf('http', { baseUrl: sink.url }) } });
  onTestFinished(async () => void (await scenario.stopWorkers()));
  const line = (id: string) => deliveryLine({ id, customer: 'secret-customer', amount: 100, currency: 'EUR', letters: 'a' });
  const jobs = await scenario.deliverJobs([{ lines: ['a', 'b', 'c'].map(line) }, { lines: ['d', 'e'].map(line) }]);
  scenario.startWorker();
  await scenario.allEnded(jobs);
  // Each scenario has a storage of its own, and work goes to whichever worker is there.
  await scenario.stopWorkers();
  return { scenario, jobs };
}

it('dead letters are listed newest first by page, exported oldest first, and found by id', async () => {
  const { scenario, jobs } = await withDeadLetters();
  const newest = await scenario.inTenant((tx) => listDeadLetters(tx, {}, { limit: 3 }));
  const older = await scenario.inTenant((tx) => listDeadLetters(tx, {}, { before: newest.at(-1)!.deadLetterId, limit: 3 }));
  const all = [...newest, ...older];
  expect(all).toHaveLength(5);
  expect(all.map(({ deadLetterId }) => deadLetterId)).toEqual(
    all
      .map(({ deadLetterId }) => deadLetterId)
      .sort()
      .reverse(),
  );
  const first = await scenario.inTenant((tx) => exportDeadLetters(tx, {}, { limit: 2 }));
  const rest = await scenario.inTenant((tx) => exportDeadLetters(tx, {}, { after: first[1]!.deadLetterId, limit: 10 }));
  expect([...first, ...rest]).toEqual(all.toReversed());
  const one = all[0]!;
  expect(await scenario.inTenant((tx) => getDeadLetter(tx, one.deadLetterId))).toEqual(one);
  expect(one).toMatchObject({ flowName: 'eft', targetId: 'api', cause: 'refused', code: 'E_TARGET_REFUSED' });
  expect(one.deliveryKey).toMatch(/^[0-9a-f]{64}$/);
  expect(JSON.stringify(all)).not.toContain('secret-customer');
  const ofJob = await scenario.inTenant((tx) =>
    listDeadLetters(tx, { jobId: jobs[1]!.jobId, targetId: 'api', cause: 'refused' }, { limit: 10 }),
  );
  expect(ofJob.map(({ recordNumber }) => recordNumber).sort()).toEqual([1, 2]);
  expect(await scenario.inTenant((tx) => listDeadLetters(tx, { targetId: 'other' }, { limit: 10 }))).toEqual([]);
});

it("another tenant's dead letters are not there", async () => {
  const { scenario } = await withDeadLetters();
  const [letter] = await scenario.inTenant((tx) => listDeadLetters(tx, {}, { limit: 1 }));
  const other = await withDeadLetters();
  await expect(other.scenario.inTenant((tx) => getDeadLetter(tx, letter!.deadLetterId))).rejects.toMatchObject({
    code: 'E_DEAD_LETTER_UNKNOWN',
  });
  expect(await other.scenario.inTenant((tx) => listDeadLetters(tx, { jobId: letter!.jobId }, { limit: 10 }))).toEqual([]);
});

it('while the records of a big batch are told, others have their turn', async () => {
  const plan = deliveryPlan([targetPlan('api', { format: 'ndjson' }, { type: 'http', connection: 'api', batchRecords: 5_000 })], {
    isKeyUnique: true,
  });
  const scenario = await createDeliveryScenario({ database, plan, bindings: {} });
  const lines = Array.from({ length: 3_000 }, (_, at) =>
    deliveryLine({ id: `r${at}`, customer: 'c', amount: 100, currency: 'EUR', letters: 'a' }),
  );
  await scenario.deliverJobs([{ lines }]);
  const { batchId } = (await scenario.batches())[0]!;
  const [batch] = await scenario.inTenant((tx) => loadBatches(tx, [batchId]));
  let turns = 0;
  let isDone = false;
  const count = () => {
    turns += 1;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  const told: number[] = [];
  await visitGivenUpRecords({ db: database.db, store: scenario.store }, batch!, plan, () => told.push(turns));
  isDone = true;
  expect(told).toHaveLength(3_000);
  expect(new Set(told).size).toBeGreaterThanOrEqual(5);
});
