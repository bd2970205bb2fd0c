import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { findJob } from '../../src/control/jobs/views/job-views.ts';
import type { DeliveryWorkerOptions } from '../../src/pipeline/deliveries/delivery-worker.ts';
import { listDeadLetters } from '../../src/pipeline/deliveries/endings/dead-letter-store.ts';
import { listBlockedKeys, releaseKeys } from '../../src/pipeline/deliveries/held/blocked-key-store.ts';
import type { TargetPlan } from '../../src/pipeline/engine/plan.ts';
import { targetPlan } from '../../src/pipeline/engine/plans.fixture.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { deliveryLine, deliveryPlan } from '../support/delivery-files.ts';
import { bindingOf, createDeliveryScenario } from '../support/delivery-scenario.ts';
import { startHttpSink } from '../support/http-sink.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** `id customer`: the customer is the key whose order is kept. */
const linesOf = (...records: string[]) =>
  records.map((record) => {
    const [id, customer] = record.split(' ');
    return deliveryLine({ id: id!, customer: customer!, amount: 100, currency: 'EUR', letters: 'a' });
  });

const recordsOf = (body: string) =>
  body
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as { id: string; customer: string });

/** A target that refuses the ids of the list for good, whatever else their batch holds; or their whole batch. */
async function orderedScenario(refused: readonly string[], more: Partial<TargetPlan> = {}, takesBatches = true) {
  const sink = await startHttpSink(({ body }) => {
    if (!takesBatches && recordsOf(body).some(({ id }) => refused.includes(id))) return { status: 422 };
    const results = recordsOf(body).map(({ id }, index) => ({ index, status: refused.includes(id) ? 'refused' : 'ok', code: 'E_LIMIT' }));
    return { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ results }) };
  });
  const plan = deliveryPlan([
    targetPlan('api', { format: 'ndjson' }, { type: 'http', connection: 'api', order: 'by-key', batchRecords: 1, concurrency: 4, ...more }),
  ]);
  const scenario = await createDeliveryScenario({ database, plan, bindings: { api: bindingOf('http', { baseUrl: sink.url }) } });
  onTestFinished(async () => void (await scenario.stopWorkers()));
  const deliver = async (files: readonly string[][], options: Partial<DeliveryWorkerOptions> = {}) => {
    const jobs = [];
    for (const records of files) jobs.push(...(await scenario.deliverJobs([{ lines: linesOf(...records) }])));
    scenario.startWorker(options);
    await scenario.allEnded(jobs);
    return jobs;
  };
  const taken = () => sink.requests.flatMap(({ body }) => recordsOf(body).map(({ id }) => id)).filter((id) => !refused.includes(id));
  const letters = async () =>
    (await scenario.inTenant((tx) => listDeadLetters(tx, {}, { limit: 100 })))
      .reverse()
      .map(({ recordNumber, cause, code, blocksKey }) => [recordNumber, cause, code, blocksKey]);
  return { scenario, sink, deliver, taken, letters };
}

describe('a key of which a record was given up', () => {
  it('is blocked: later records of it are dead letters that say so, in batches cut before and after, and other keys go on', async () => {
    const { scenario, deliver, taken, letters } = await orderedScenario(['a1']);
    const jobs = await deliver([
      ['a1 anna', 'b1 bert', 'a2 anna'],
      ['b2 bert', 'a3 anna'],
    ]);
    const later = await scenario.deliverJobs([{ lines: linesOf('a4 anna', 'b3 bert') }]);
    await scenario.allEnded([...jobs, ...later]);
    expect(taken().sort()).toEqual(['b1', 'b2', 'b3']);
    expect(await letters()).toEqual([
      [1, 'refused', 'E_LIMIT', true],
      [3, 'blocked', 'E_KEY_BLOCKED', false],
      [2, 'blocked', 'E_KEY_BLOCKED', false],
      [1, 'blocked', 'E_KEY_BLOCKED', false],
    ]);
    expect(await scenario.counts()).toEqual([{ targetId: 'api', routed: 7, delivered: 3, refused: 1, dead: 3, cancelled: 0 }]);
  });

  it('is taken out of batches that hold other keys too, which go on as a child under the same keys', async () => {
    const { scenario, deliver, taken } = await orderedScenario(['a1'], { batchRecords: 2, lanes: 1 });
    // One lane of two records a batch, so that the keys share batches.
    await deliver([['a1 anna'], ['b1 bert', 'a2 anna'], ['a3 anna', 'c1 carl']]);
    expect(taken()).toEqual(['b1', 'c1']);
    expect((await scenario.batches()).map(({ state, records, reasonCode }) => [state, records, reasonCode])).toEqual(
      expect.arrayContaining([
        ['refused', 1, 'E_LIMIT'],
        ['split', 2, null],
        ['dead', 1, 'E_KEY_BLOCKED'],
        ['acked', 1, null],
      ]),
    );
    expect(await scenario.counts()).toEqual([{ targetId: 'api', routed: 5, delivered: 2, refused: 1, dead: 2, cancelled: 0 }]);
  });

  it('is free again when a person releases it, which leaves an event', async () => {
    const { scenario, deliver, taken } = await orderedScenario(['a1']);
    const [job] = await deliver([['a1 anna', 'a2 anna']]);
    const [blocked] = await scenario.inTenant((tx) => listBlockedKeys(tx, { flow: 'eft', targetId: 'api' }, { limit: 10 }));
    expect(blocked).toMatchObject({
      jobId: job!.jobId,
      flow: 'eft',
      recordNumber: 1,
      cause: 'refused',
      code: 'E_LIMIT',
      isWholeLane: false,
    });
    expect((await scenario.inTenant((tx) => findJob(tx, job!.jobId)))!.targets['api']).toMatchObject({
      dead: 1,
      refused: 1,
      blockedKeys: 1,
    });
    const release = { filter: { deadLetterId: blocked!.deadLetterId }, reason: 'paid by hand', actor: 'anna' };
    expect(await scenario.inTenant((tx) => releaseKeys(tx, systemPorts.ids, release))).toBe(1);
    expect(await scenario.inTenant((tx) => releaseKeys(tx, systemPorts.ids, release))).toBe(0);
    const later = await scenario.deliverJobs([{ lines: linesOf('a3 anna') }]);
    await scenario.allEnded([job!, ...later]);
    expect(taken()).toEqual(['a3']);
    const events = await scenario.rows<{ actor: string; detail: unknown }>(
      "/* releases */ select actor, detail from headgate.events where tenant_id = $1 and type = 'dead_letter.key_released'",
    );
    expect(events).toEqual([{ actor: 'anna', detail: { target: 'api', reason: 'paid by hand' } }]);
  });

  it('beyond the bound of a target blocks its whole lane rather than to be overtaken', async () => {
    const { scenario, deliver, taken } = await orderedScenario(['a1', 'b1'], { lanes: 1 });
    await deliver([['a1 anna', 'b1 bert', 'c1 carl', 'b2 bert']], { blockedKeysMax: 1 });
    const keys = await scenario.inTenant((tx) => listBlockedKeys(tx, {}, { limit: 10 }));
    expect(keys.map(({ recordNumber, isWholeLane }) => [recordNumber, isWholeLane])).toEqual([
      [2, true],
      [1, false],
    ]);
    expect(taken()).toEqual([]);
    expect(await scenario.counts()).toMatchObject([{ routed: 4, delivered: 0, refused: 2, dead: 2 }]);
  });

  it('is blocked also when its tries were used up', async () => {
    const { scenario, sink, taken, letters } = await orderedScenario([], { retry: { max: 1, initialMs: 1, capMs: 1 } });
    // The target is busy for the first two attempts, then takes everything.
    sink.answer((_, number) => ({ status: number <= 2 ? 503 : 200 }));
    const jobs = await scenario.deliverJobs([{ lines: linesOf('a1 anna', 'a2 anna') }]);
    scenario.startWorker();
    await scenario.allEnded(jobs);
    expect(taken()).toEqual(['a1', 'a1']);
    expect(await letters()).toEqual([
      [1, 'exhausted', 'E_TARGET_BUSY', true],
      [2, 'blocked', 'E_KEY_BLOCKED', false],
    ]);
  });
});

it('within one batch of single requests a later record of a refused key is not sent, but held back', async () => {
  const { scenario, sink, letters } = await orderedScenario([], { batchRecords: 100, settings: { mode: 'single' } });
  sink.answer(({ body }) => ({ status: body.includes('"a1"') ? 422 : 200 }));
  const jobs = await scenario.deliverJobs([{ lines: linesOf('a1 anna', 'a2 anna', 'a3 anna') }]);
  scenario.startWorker();
  await scenario.allEnded(jobs);
  expect(sink.requests).toHaveLength(1);
  expect(await letters()).toEqual([
    [1, 'refused', 'E_TARGET_REFUSED', true],
    [2, 'blocked', 'E_KEY_BLOCKED', false],
    [3, 'blocked', 'E_KEY_BLOCKED', false],
  ]);
});

it.each([
  ['none', 0],
  ['file', 1],
  ['by-key', 1],
  ['by-key', 4],
] as const)(
  'with order %s (lanes: %i) a target that refuses whole batches is given all but the record at fault and what its key holds back',
  async (order, lanes) => {
    const { deliver, sink, letters, scenario } = await orderedScenario(['a1'], { order, lanes, batchRecords: 100 }, false);
    const others = (prefix: string) => Array.from({ length: 20 }, (_, at) => `${prefix}${at} bert${at % 3}`);
    await deliver([[...others('b').slice(0, 5), 'a1 anna', ...others('c'), ...others('d'), 'a2 anna'], others('e')]);
    const accepted = sink.requests.map(({ body }) => recordsOf(body)).filter((batch) => !batch.some(({ id }) => id === 'a1'));
    const arrived = accepted.flat().map(({ id, customer }) => `${id} ${customer}`);
    const isHeldBack = order === 'by-key';
    const wanted = [...others('b').slice(0, 5), ...others('c'), ...others('d'), ...(isHeldBack ? [] : ['a2 anna']), ...others('e')];
    const inOrder = {
      none: (records: readonly string[]) => records.toSorted(),
      file: (records: readonly string[]) => records,
      'by-key': (records: readonly string[]) => (lanes === 1 ? records : Object.groupBy(records, (record) => record.split(' ')[1]!)),
    };
    expect(inOrder[order](arrived)).toEqual(inOrder[order](wanted));
    expect(await letters()).toEqual([
      [6, 'refused', 'E_TARGET_REFUSED', isHeldBack],
      ...(isHeldBack ? [[47, 'blocked', 'E_KEY_BLOCKED', false]] : []),
    ]);
    const [delivered, dead] = isHeldBack ? [65, 1] : [66, 0];
    expect(await scenario.counts()).toEqual([{ targetId: 'api', routed: 67, delivered, refused: 1, dead, cancelled: 0 }]);
  },
);

it('where no order of keys is kept, nothing is held back', async () => {
  const { deliver, taken, scenario } = await orderedScenario(['a1'], { order: 'none', lanes: 0 });
  await deliver([['a1 anna', 'a2 anna']]);
  expect(taken()).toEqual(['a2']);
  expect(await scenario.inTenant((tx) => listBlockedKeys(tx, {}, { limit: 10 }))).toEqual([]);
});
