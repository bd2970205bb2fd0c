import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { viewBreakers } from '../../src/pipeline/deliveries/breakers/breaker-views.ts';
import type { TargetPlan } from '../../src/pipeline/engine/plan.ts';
import { targetPlan } from '../../src/pipeline/engine/plans.fixture.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { openPool } from '../../src/platform/postgres/pool.ts';
import { deliveryLine, deliveryPlan } from '../support/delivery-files.ts';
import { bindingOf, createDeliveryScenario, until } from '../support/delivery-scenario.ts';
import { startHttpSink } from '../support/http-sink.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { temporaryStore } from '../support/temporary-store.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const retry = { max: 60, initialMs: 20, capMs: 200 };
const breaker = { windowMs: 30_000, failureRatio: 0.5, minCalls: 6, probeEveryMs: 200, probes: 2 };

/** A target, and workers with a pool each, as processes have. */
async function scenarioOf(more: Partial<TargetPlan> = {}) {
  const sink = await startHttpSink();
  const target = { type: 'http', connection: 'api', batchRecords: 5, concurrency: 4, retry, breaker, ...more };
  const plan = deliveryPlan([targetPlan('api', { format: 'ndjson' }, target)]);
  const scenario = await createDeliveryScenario({ database, plan, bindings: { api: bindingOf('http', { baseUrl: sink.url }) } });
  const startWorker = () => {
    const db = openPool({ url: database.url, applicationName: 'headgate test worker', connectionsMax: 4 });
    let closed: Promise<void> | undefined;
    const close = () => (closed ??= db.close());
    onTestFinished(async () => {
      await scenario.stopWorkers();
      await close();
    });
    scenario.startWorker({ db, workerId: systemPorts.ids.next() });
    /** As where its process is killed: it claims nothing and writes nothing any more, and what it sent stays without an answer. */
    return { kill: close };
  };
  let sent = 0;
  const deliver = (records: number) =>
    scenario.deliverJobs([
      {
        lines: Array.from({ length: records }, () =>
          deliveryLine({ id: `r${sent++}`, customer: `c${sent % 7}`, amount: 100, currency: 'EUR', letters: 'a' }),
        ),
      },
    ]);
  const states = async () => (await scenario.batches()).map(({ state }) => state);
  const state = async () =>
    (
      await scenario.rows<{ state: string; fence: number; openings: number; limit: number | null }>(
        '/* breaker */ select state, fence, openings, limit_thousandths as "limit" from headgate.breakers where tenant_id = $1',
      )
    )[0];
  const events = async () =>
    (
      await scenario.rows<{ type: string; from: string; to: string }>(
        `/* events */ select type, from_state as "from", to_state as "to" from headgate.events where tenant_id = $1 and type like 'breaker.%' order by event_id`,
      )
    ).map(({ type, from, to }) => `${type} ${from} ${to}`);
  /** Codes of those by which the breaker tried its target. */
  const probes = async () =>
    (
      await scenario.rows<{ code: string | null }>(
        `/* probes */ select code from headgate.probes where tenant_id = $1 and kind = 'target' and subject_id = 'api' and asked_by = 'breaker' order by probe_id`,
      )
    ).map(({ code }) => code);
  /** Probes ask with another method. */
  const posts = () => sink.requests.filter(({ method }) => method === 'POST');
  return { sink, posts, scenario, startWorker, deliver, states, state, events, probes };
}

it('a target that fails is left alone, its batches are parked, and all of them go on by themselves when it is back', async () => {
  const { sink, posts, scenario, startWorker, deliver, states, state, events, probes } = await scenarioOf();
  sink.answer(() => ({ status: 503 }));
  const jobs = await deliver(500);
  startWorker();
  startWorker();
  await until(async () => (await states()).every((each) => each === 'parked'), 'the batches were not parked');
  expect(await state()).toMatchObject({ state: 'open' });
  await until(async () => (await probes()).includes('E_TARGET_BUSY'), 'no probe of the breaker was recorded');
  sink.answer(() => ({}));
  await scenario.allEnded(jobs);
  expect((await probes()).at(-1)).toBeNull();
  expect(await scenario.counts()).toMatchObject([{ routed: 500, delivered: 500, dead: 0 }]);
  await until(async () => (await state())!.state === 'closed', 'the breaker did not close');
  const told = await events();
  expect(told[0]).toBe('breaker.opened closed open');
  expect(told.slice(-2)).toEqual(['breaker.probed open half_open', 'breaker.closed half_open closed']);
  // Six failures in a row open it, what was under way then is answered too, and each time it is half-open two may fail.
  const failed = posts().length - 100;
  const halfOpen = told.filter((each) => each === 'breaker.probed open half_open').length;
  expect(failed).toBeGreaterThanOrEqual(6);
  expect(failed).toBeLessThanOrEqual(6 + 4 + 2 * (halfOpen - 1));
});

const json = { format: 'ndjson' } as const;

/** Two targets; what is meant for `api` may go to `spare`. */
async function scenarioWithBackup(more: Partial<TargetPlan> = {}) {
  const sinks = { api: await startHttpSink(), spare: await startHttpSink() };
  const basics = { type: 'http', batchRecords: 5, concurrency: 4, retry, breaker };
  const plan = deliveryPlan([
    targetPlan('api', json, { ...basics, connection: 'api', backup: 'spare', ...more }),
    targetPlan('spare', json, { ...basics, connection: 'spare' }),
  ]);
  const bindings = { api: bindingOf('http', { baseUrl: sinks.api.url }), spare: bindingOf('http', { baseUrl: sinks.spare.url }) };
  const scenario = await createDeliveryScenario({ database, plan, bindings });
  onTestFinished(async () => void (await scenario.stopWorkers()));
  const ids = (sink: keyof typeof sinks) => sinks[sink].lines().map((line) => (JSON.parse(line) as { id: string }).id);
  const lines = (records: number, prefix = 'r') =>
    Array.from({ length: records }, (_, index) =>
      deliveryLine({ id: `${prefix}${index}`, customer: `c${index % 7}`, amount: 100, currency: 'EUR', letters: 'a' }),
    );
  return { sinks, scenario, ids, lines };
}

it('a backup takes over while the breaker is open, what it took is counted at the target, and the target gets the rest when it is back', async () => {
  const { sinks, scenario, ids, lines } = await scenarioWithBackup();
  sinks.api.answer(() => ({ status: 503 }));
  const first = await scenario.deliverJobs([{ lines: lines(200) }]);
  scenario.startWorker();
  await scenario.allEnded(first);
  expect(await scenario.counts()).toMatchObject([
    { targetId: 'api', routed: 200, delivered: 200 },
    { targetId: 'spare', routed: 0, delivered: 0 },
  ]);
  expect(ids('spare').sort()).toEqual(Array.from({ length: 200 }, (_, index) => `r${index}`).sort());
  const vias = await scenario.rows<{ via: string | null }>(
    "/* vias */ select via from headgate.batches where tenant_id = $1 and state = 'acked'",
  );
  expect(new Set(vias.map(({ via }) => via))).toEqual(new Set(['spare']));

  sinks.api.answer(() => ({}));
  const taken = ids('spare').length;
  await until(async () => {
    const rows = await scenario.rows<{ state: string }>(
      "/* state */ select state from headgate.breakers where tenant_id = $1 and target_id = 'api'",
    );
    return rows[0]!.state !== 'open';
  }, 'the breaker stayed open');
  const second = await scenario.deliverJobs([{ lines: lines(100, 's') }]);
  await scenario.allEnded([...first, ...second]);
  const late = await scenario.deliverJobs([{ lines: lines(20, 't') }]);
  await scenario.allEnded([...first, ...second, ...late]);
  expect(ids('api').filter((id) => id.startsWith('t'))).toHaveLength(20);
  expect(ids('spare').length - taken).toBeLessThan(100);
});

it('a batch whose outcome is unknown goes to no backup: it waits for the target that it went to', async () => {
  const { sinks, scenario, ids, lines } = await scenarioWithBackup({ breaker: { ...breaker, minCalls: 3 } });
  // Takes everything, and says nothing.
  sinks.api.answer(({ method }) => (method === 'POST' ? { isLost: true } : { status: 503 }));
  const jobs = await scenario.deliverJobs([{ lines: lines(100) }]);
  scenario.startWorker();
  await until(async () => {
    const states = (await scenario.batches()).map(({ state }) => state);
    return states.every((state) => state === 'acked' || state === 'unknown') && states.includes('acked');
  }, 'the others did not go to the backup');
  const lost = (await scenario.batches()).filter(({ state }) => state === 'unknown');
  expect(lost.length).toBeGreaterThanOrEqual(3);
  const sent = new Set(ids('api'));
  expect(ids('spare').filter((id) => sent.has(id))).toEqual([]);
  sinks.api.answer(() => ({}));
  await scenario.allEnded(jobs);
  expect(await scenario.counts()).toMatchObject([
    { targetId: 'api', routed: 100, delivered: 100 },
    { targetId: 'spare', routed: 0 },
  ]);
  expect(ids('spare').filter((id) => sent.has(id))).toEqual([]);
  const again = (await scenario.attempts()).filter(({ possibleDuplicate }) => possibleDuplicate);
  expect(again.length).toBeGreaterThanOrEqual(lost.length);
});

it('one batch that its target can not take parks nothing: all others are delivered, and it becomes dead letters by itself', async () => {
  const { sink, scenario, startWorker, deliver, state, events } = await scenarioOf({
    batchRecords: 1,
    retry: { max: 12, initialMs: 5, capMs: 20 },
  });
  sink.answer(({ body }) => (body.includes('"r3"') ? { status: 500 } : {}));
  const jobs = await deliver(30);
  startWorker();
  await scenario.allEnded(jobs);
  expect(await scenario.counts()).toMatchObject([{ routed: 30, delivered: 29, dead: 1 }]);
  expect(await events()).toEqual([]);
  expect(await state()).toMatchObject({ state: 'closed' });
});

it.each(['file', 'by-key'] as const)('order %s is kept by what is parked, over an outage under load', async (order) => {
  const { sink, posts, scenario, startWorker, deliver } = await scenarioOf({ order, lanes: order === 'file' ? 1 : 64, batchRecords: 2 });
  let isDown = false;
  const taken: string[] = [];
  sink.answer(({ body, method }) => {
    if (isDown) return { status: 503 };
    if (method === 'POST') taken.push(...body.split('\n').filter((line) => line !== ''));
    if (taken.length > 20 && posts().length < 40) isDown = true;
    return {};
  });
  const jobs = [...(await deliver(60)), ...(await deliver(60))];
  startWorker();
  startWorker();
  await until(
    async () => (await scenario.rows("/* open */ select 1 from headgate.breakers where tenant_id = $1 and state = 'open'")).length > 0,
    'the breaker did not open',
  );
  isDown = false;
  sink.answer(({ body, method }) => {
    if (method === 'POST') taken.push(...body.split('\n').filter((line) => line !== ''));
    return {};
  });
  await scenario.allEnded(jobs);
  expect(await scenario.counts()).toMatchObject([{ routed: 120, delivered: 120 }]);
  const places = Map.groupBy(
    taken.map((line) => JSON.parse(line) as { id: string; customer: string }),
    ({ customer }) => (order === 'file' ? '' : customer),
  );
  for (const records of places.values()) {
    const numbers = records.map(({ id }) => Number(id.slice(1)));
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  }
});

it('a process that is killed while the breaker is half-open is followed by another, and what it sent is labelled when it is sent again', async () => {
  const { sink, scenario, startWorker, deliver, states, state } = await scenarioOf({ timeoutMs: 60_000 });
  sink.answer(() => ({ status: 503 }));
  const jobs = await deliver(200);
  const first = startWorker();
  await until(async () => (await states()).every((each) => each === 'parked'), 'the batches were not parked');
  // Answers probes, and keeps the batches that follow them.
  sink.answer(({ method }) => ({ isSilent: method === 'POST' }));
  await until(async () => (await states()).includes('sending'), 'nothing was tried');
  expect(await state()).toMatchObject({ state: 'half_open' });
  const key = { flowId: scenario.flowId, targetId: 'api', concurrency: 4, probes: 2 };
  const [view] = await scenario.inTenant((tx) => viewBreakers(tx, [key]));
  expect(view!.next).toMatch(/^Nothing: it answers again, and the breaker closes by itself/);
  await first.kill();
  sink.answer(() => ({}));
  await scenario.rows('/* killed */ update headgate.work_items set lease_until = null where tenant_id = $1 and lease_until is not null');
  startWorker();
  await scenario.allEnded(jobs);
  expect(await scenario.counts()).toMatchObject([{ routed: 200, delivered: 200, dead: 0 }]);
  const unknown = (await scenario.attempts()).filter(({ outcome }) => outcome === 'unknown');
  expect(unknown.length).toBeGreaterThan(0);
  expect((await scenario.attempts()).filter(({ possibleDuplicate }) => possibleDuplicate).length).toBeGreaterThanOrEqual(unknown.length);
});

it('over an outage and the return of all it holds back, a target gets no more than 1.1 times its batches', async () => {
  const { sink, posts, scenario, startWorker, deliver, states } = await scenarioOf({
    concurrency: 8,
    breaker: { ...breaker, minCalls: 10, probes: 3 },
  });
  sink.answer(() => ({ status: 503 }));
  const jobs = await deliver(2_000);
  startWorker();
  startWorker();
  await until(async () => (await states()).every((each) => each === 'parked'), 'the batches were not parked');
  sink.answer(() => ({}));
  await scenario.allEnded(jobs);
  expect(await scenario.counts()).toMatchObject([{ routed: 2_000, delivered: 2_000 }]);
  expect(posts().length).toBeLessThanOrEqual(400 * 1.1);
});

it('a target that is back is sent a few batches at once and then more, and what was parked before what came later', async () => {
  const concurrency = 16;
  const { sink, scenario, startWorker, deliver, states, state } = await scenarioOf({ concurrency });
  sink.answer(() => ({ status: 503 }));
  const parked = await deliver(500);
  startWorker();
  startWorker();
  await until(async () => (await states()).every((each) => each === 'parked'), 'the batches were not parked');
  const later = await deliver(100);
  let [underWay, most, taken] = [0, 0, 0];
  const tooMany: string[] = [];
  let [parkedAtLater, latest]: [Promise<number>?, ReturnType<typeof deliver>?] = [];
  sink.answer(async ({ method, body }) => {
    if (method !== 'POST') return {};
    underWay += 1;
    most = Math.max(most, underWay);
    // From two on, an eighth of all more for each round that was taken.
    const room = 2 * Math.sqrt(1 + taken) + 1;
    if (underWay > room) tooMany.push(`${underWay} after ${taken}`);
    const { id } = JSON.parse(body.slice(0, body.indexOf('\n'))) as { id: string };
    if (Number(id.slice(1)) >= 500) parkedAtLater ??= states().then((all) => all.slice(0, 100).filter((each) => each === 'parked').length);
    await systemPorts.sleep.sleep(20);
    underWay -= 1;
    taken += 1;
    // While it takes batches again and some are parked still.
    if (taken === 10) latest = deliver(100);
    return {};
  });
  await scenario.allEnded([...parked, ...later]);
  await scenario.allEnded(await latest!);
  expect(tooMany).toEqual([]);
  expect(most).toBeGreaterThanOrEqual(concurrency / 2);
  expect(most).toBeLessThanOrEqual(concurrency);
  // Those of the later file come when all of the first go on.
  expect(await parkedAtLater).toBe(0);
  await until(async () => (await state())!.limit === null, 'the limit was not lifted');
});

it('a tenant whose targets take calls and never answer takes no place from another, and its breakers are its own', async () => {
  const [dead, sound] = [await startHttpSink(() => ({ isSilent: true })), await startHttpSink()];
  const targets = ['one', 'two', 'three'];
  const basics = { type: 'http', batchRecords: 1, concurrency: 4, timeoutMs: 600_000, retry, breaker };
  const plan = deliveryPlan(targets.map((id) => targetPlan(id, json, { ...basics, connection: 'api' })));
  const storage = temporaryStore();
  const [first, second] = [
    await createDeliveryScenario({ database, plan, storage, bindings: {} }),
    await createDeliveryScenario({ database, plan, storage, bindings: {} }),
  ];
  const linesOf = (count: number, routes: string) =>
    Array.from({ length: count }, (_, at) => deliveryLine({ id: `r${at}`, customer: 'c', amount: 100, currency: 'EUR', letters: routes }));
  onTestFinished(async () => void (await first.stopWorkers()));
  const inHandMax = 96;
  await first.deliverJobs([{ lines: linesOf(inHandMax, 'abc') }]);
  const calls = targets.length * basics.concurrency;
  first.startWorker({
    inHandMax,
    leaseMs: 60_000,
    definitions: {
      loadFlow: async () => ({ flowName: 'eft', plan }),
      loadBinding: async (tx) => bindingOf('http', { baseUrl: tx.tenantId === first.tenantId ? dead.url : sound.url }),
    },
  });
  await until(() => dead.requests.length === calls, 'the dead targets were not called');
  const early = await second.deliverJobs([{ lines: linesOf(8, 'abc') }]);
  await second.allEnded(early);
  // Meanwhile each of the other's calls hangs.
  expect((await first.attempts()).map(({ outcome }) => outcome)).toEqual(Array(calls).fill(null));
  expect(await second.counts()).toMatchObject(targets.map(() => ({ routed: 8, delivered: 8 })));

  dead.answer(() => ({ isLost: true }));
  await dead.close();
  const late = await second.deliverJobs([{ lines: linesOf(8, 'abc') }]);
  await until(
    async () => (await first.batches()).every(({ state }) => state === 'parked' || state === 'unknown'),
    'the batches of the dead targets were not parked',
  );
  await second.allEnded([...early, ...late]);
  expect(await second.counts()).toMatchObject(targets.map(() => ({ routed: 16, delivered: 16 })));
  expect(await second.rows('/* breakers */ select 1 from headgate.breakers where tenant_id = $1')).toEqual([]);
});
