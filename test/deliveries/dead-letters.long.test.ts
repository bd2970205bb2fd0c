import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { loadBatches } from '../../src/pipeline/deliveries/batch-load.ts';
import { openGivenUpRecords } from '../../src/pipeline/deliveries/endings/batch-records.ts';
import { exportDeadLetters, getDeadLetter, listDeadLetters } from '../../src/pipeline/deliveries/endings/dead-letter-store.ts';
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
  let told = 0;
  const pages = await openGivenUpRecords({ db: database.db, store: scenario.store }, batch!, plan);
  for await (const page of pages()) told += page.length;
  isDone = true;
  expect(told).toBe(3_000);
  expect(turns).toBeGreaterThanOrEqual(5);
});

/** A job of one file, whose one batch is to be refused as a whole. */
async function refusedWhole(records: number, order: 'none' | 'by-key') {
  const sink = await startHttpSink(() => ({ status: 404 }));
  const target = { type: 'http', connection: 'api', batchRecords: records, order, lanes: order === 'none' ? 0 : 1 } as const;
  const plan = deliveryPlan([targetPlan('api', { format: 'ndjson' }, target)], { isKeyUnique: true });
  const scenario = await createDeliveryScenario({ database, plan, bindings: { api: bindingOf('http', { baseUrl: sink.url }) } });
  onTestFinished(async () => void (await scenario.stopWorkers()));
  const lines = Array.from({ length: records }, (_, at) =>
    deliveryLine({ id: `r${at}`, customer: 'c', amount: 100, currency: 'EUR', letters: 'a' }),
  );
  const [job] = await scenario.deliverJobs([{ lines }]);
  return { scenario, job: job! };
}

it('those of a big batch are all written, and few of them are in memory at a time', async () => {
  const records = 100_000;
  const { scenario, job } = await refusedWhole(records, 'none');
  const before = heapUsed();
  let growth = 0;
  let nextAt = 0;
  // A collection takes long where other tests have left much: most of the time is for the work.
  const timer = setInterval(() => {
    const began = performance.now();
    if (began < nextAt) return;
    growth = Math.max(growth, heapUsed() - before);
    nextAt = began + 5 * (performance.now() - began);
  }, 500);
  scenario.startWorker();
  await scenario.allEnded([job]);
  clearInterval(timer);
  await scenario.stopWorkers();
  const [counted] = await scenario.rows<Record<string, number>>(
    `/* count letters */ select count(*)::int as letters, count(distinct dead_letter_id)::int as ids, count(distinct record_number)::int as records,
      count(distinct delivery_key)::int as keys from headgate.dead_letters where tenant_id = $1 and job_id = $2`,
    [job.jobId],
  );
  expect(counted).toEqual({ letters: records, ids: records, records, keys: records });
  expect(growth).toBeLessThan(20 * 1024 * 1024);
});

it('those of a big batch block as many keys as a target may have, and the lane for the others', async () => {
  const { scenario, job } = await refusedWhole(12_000, 'by-key');
  scenario.startWorker();
  await scenario.allEnded([job]);
  await scenario.stopWorkers();
  const [blocked] = await scenario.rows<Record<string, number>>(
    `/* count keys */ select count(*)::int as keys, count(*) filter (where k.key_hash = '')::int as lanes, count(d.dead_letter_id)::int as letters
      from headgate.blocked_keys k left join lateral (
        select d.dead_letter_id from headgate.dead_letters d where d.tenant_id = k.tenant_id and d.dead_letter_id = k.dead_letter_id limit 1) d on true
      where k.tenant_id = $1 and k.job_id = $2`,
    [job.jobId],
  );
  expect(blocked).toEqual({ keys: 10_001, lanes: 1, letters: 10_001 });
});

it.each([
  ['as a whole', { status: 404 }],
  [
    'record by record',
    { body: JSON.stringify({ results: Array.from({ length: 100 }, (_, index) => ({ index, status: 422, code: 'NO' })) }) },
  ],
] as const)(
  'those of batches that are refused %s faster than they are written are made when there is room for them',
  async (_how, answer) => {
    const sink = await startHttpSink(() => ({ ...answer, headers: { 'content-type': 'application/json' } }));
    const plan = deliveryPlan([
      targetPlan('api', { format: 'ndjson' }, { type: 'http', connection: 'api', batchRecords: 100, concurrency: 20 }),
    ]);
    const scenario = await createDeliveryScenario({ database, plan, bindings: { api: bindingOf('http', { baseUrl: sink.url }) } });
    onTestFinished(async () => void (await scenario.stopWorkers()));
    const lines = Array.from({ length: 2_000 }, (_, at) =>
      deliveryLine({ id: `r${at}`, customer: 'c', amount: 100, currency: 'EUR', letters: 'a' }),
    );
    const [job] = await scenario.deliverJobs([{ lines }]);
    const writable = Promise.withResolvers<void>();
    onTestFinished(() => writable.resolve());
    const holding = scenario.inTenant(async (tx) => {
      await tx.query('/* hold */ select from headgate.job_targets where tenant_id = $1 for update', [tx.tenantId]);
      await writable.promise;
    });
    scenario.startWorker({ lettersMax: 250 });
    await until(() => sink.requests.length === 20, 'not all were sent');
    writable.resolve();
    await holding;
    await scenario.allEnded([job!]);
    const written = await scenario.rows<{ letters: number }>(
      '/* letters of transactions */ select count(*)::int as letters from headgate.dead_letters where tenant_id = $1 group by xmin::text',
    );
    expect(written.reduce((sum, { letters }) => sum + letters, 0)).toBe(2_000);
    expect(Math.max(...written.map(({ letters }) => letters))).toBeLessThanOrEqual(200);
  },
);

/** Of what is in use. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}
