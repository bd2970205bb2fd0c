/** Batches that wait for an answer, or for the backup that they went to, keep no other batch of their target waiting, and none for ever. */
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import type { TargetPlan } from '../../src/pipeline/engine/plan.ts';
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

const breaker = { windowMs: 30_000, failureRatio: 1, minCalls: 6, probeEveryMs: 200, probes: 2 };
const basics = { type: 'http', batchRecords: 5, timeoutMs: 20_000 };
const json = { format: 'ndjson' } as const;

const linesOf = (prefix: string, records: number) =>
  Array.from({ length: records }, (_, index) =>
    deliveryLine({ id: `${prefix}${index}`, customer: 'c', amount: 100, currency: 'EUR', letters: 'a' }),
  );

async function scenarioOf(targets: readonly ({ readonly id: string } & Partial<TargetPlan>)[]) {
  const sinks = new Map<string, Awaited<ReturnType<typeof startHttpSink>>>();
  for (const { id } of targets) sinks.set(id, await startHttpSink());
  const plan = deliveryPlan(targets.map(({ id, ...more }) => targetPlan(id, json, { ...basics, connection: id, ...more })));
  const bindings = Object.fromEntries([...sinks].map(([id, { url }]) => [id, bindingOf('http', { baseUrl: url })]));
  const scenario = await createDeliveryScenario({ database, plan, bindings });
  onTestFinished(async () => void (await scenario.stopWorkers()));
  const breakerOf = async (target: string) =>
    (
      await scenario.rows<{ state: string }>('/* breaker */ select state from headgate.breakers where tenant_id = $1 and target_id = $2', [
        target,
      ])
    )[0]?.state;
  return { scenario, sink: (id: string) => sinks.get(id)!, breakerOf };
}

it('a half-open target goes on when the service does not say what became of those that it was tried with', async () => {
  const status = { path: '/status/{key}', field: 'state', acked: ['done'], absent: ['never seen'] };
  const retry = { max: 60, initialMs: 20, capMs: 200 };
  const { scenario, sink, breakerOf } = await scenarioOf([{ id: 'api', concurrency: 4, retry, breaker, settings: { status } }]);
  sink('api').answer(() => ({ status: 503 }));
  await scenario.deliverJobs([{ lines: linesOf('r', 100) }]);
  scenario.startWorker();
  await until(async () => (await scenario.batches()).every(({ state }) => state === 'parked'), 'the batches were not parked');
  let posts = 0;
  const pending = { headers: { 'content-type': 'application/json' }, body: '{"state":"pending"}' };
  sink('api').answer(({ method }) => (method === 'GET' ? pending : method === 'POST' && ++posts <= 2 ? { isLost: true } : {}));
  const isAnswered = async () => (await scenario.batches()).filter(({ state }) => state === 'acked').length === 18;
  await until(isAnswered, 'the others were not sent');
  expect((await scenario.batches()).filter(({ state }) => state === 'unknown')).toHaveLength(2);
  expect(await breakerOf('api')).toBe('closed');
});

/** Two batches that only the backup may have: one is there, one waits for its place, and the target takes batches again. */
async function boundToBackup() {
  const retry = { max: 60, initialMs: 20, capMs: 60 };
  const own = { ...breaker, minCalls: 2, probes: 1 };
  const { scenario, sink, breakerOf } = await scenarioOf([
    { id: 'api', concurrency: 1, retry, backup: 'spare', breaker: own },
    { id: 'spare', concurrency: 1, retry, breaker: { ...own, minCalls: 5 } },
  ]);
  sink('api').answer(() => ({ status: 503 }));
  const first = await scenario.deliverJobs([{ lines: linesOf('first', 10) }]);
  scenario.startWorker();
  await scenario.allEnded(first);
  const fifth = Promise.withResolvers<void>();
  let posts = 0;
  sink('spare').answer(async ({ method }) => {
    if (method !== 'POST') return { status: 503 };
    posts += 1;
    if (posts === 5) await fifth.promise;
    return posts <= 2 || posts === 5 ? { isLost: true } : { status: 503 };
  });
  const known = new Set((await scenario.batches()).map(({ batchId }) => batchId));
  await scenario.deliverJobs([{ lines: linesOf('bound', 10) }]);
  const bound = (await scenario.batches()).map(({ batchId }) => batchId).filter((batchId) => !known.has(batchId));
  await until(() => posts === 5, 'the backup was not sent both');
  sink('api').answer(() => ({}));
  await until(async () => (await breakerOf('api')) === 'half_open', 'the target was not tried');
  await scenario.deliverJobs([{ lines: linesOf('late', 5) }]);
  await until(async () => (await breakerOf('api')) === 'closed', 'the target does not take batches');
  fifth.resolve();
  await until(async () => (await breakerOf('spare')) === 'open', 'the breaker of the backup did not open');
  return { scenario, sink, bound };
}

it('what only a backup may have is sent when the backup is back, though its breaker opened right before; nothing moves meanwhile', async () => {
  const { scenario, sink, bound } = await boundToBackup();
  const stateOf = async () => (await scenario.batches()).filter(({ batchId }) => bound.includes(batchId)).map(({ state }) => state);
  const moves = async () =>
    await scenario.rows("/* moves */ select 1 from headgate.events where tenant_id = $1 and type in ('batch.parked', 'batch.resumed')");
  const before = (await moves()).length;
  const probes = () => sink('spare').requests.filter(({ method }) => method !== 'POST').length;
  const probed = probes();
  await until(() => probes() >= probed + 5, 'the backup was not probed');
  expect((await stateOf()).sort()).toEqual(['ready', 'unknown']);
  expect(await moves()).toHaveLength(before);
  sink('spare').answer(() => ({}));
  await until(async () => (await stateOf()).every((state) => state === 'acked'), 'a batch waits for ever');
});

it('what is held for settings goes on when the first that found them mended was lost, and the service does not say what became of it', async () => {
  const status = { path: '/status/{key}', field: 'state', acked: ['done'], absent: ['never seen'] };
  const retry = { max: 20, initialMs: 10, capMs: 40 };
  const { scenario, sink } = await scenarioOf([{ id: 'api', concurrency: 4, retry, settings: { status } }]);
  sink('api').answer(() => ({ status: 401 }));
  await scenario.deliverJobs([{ lines: linesOf('r', 25) }]);
  scenario.startWorker();
  await until(async () => (await scenario.batches()).every(({ state }) => state === 'held'), 'the batches were not held');
  let posts = 0;
  const pending = { headers: { 'content-type': 'application/json' }, body: '{"state":"pending"}' };
  sink('api').answer(({ method }) => (method === 'GET' ? pending : ++posts === 1 ? { isLost: true } : {}));
  const look = () =>
    scenario.rows(
      `/* look again */ update headgate.work_items set due_at = headgate.clock() where tenant_id = $1 and kind = 'deliver' and lease_until is null
         and due_at > headgate.clock() + interval '5 seconds' returning 1`,
    );
  const isSent = async () => {
    await look();
    return (await scenario.batches()).filter(({ state }) => state === 'acked').length === 4;
  };
  await until(isSent, 'the others are held still');
  expect((await scenario.batches()).map(({ state }) => state).sort()).toEqual(['acked', 'acked', 'acked', 'acked', 'unknown']);
});
