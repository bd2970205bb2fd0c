/** Batches of a flow whose new version changes what a target is, while some of the old one are on their way. */
import { expect, it, onTestFinished } from 'vitest';
import { resumeParked } from '../../src/pipeline/deliveries/breakers/parked-batches.ts';
import { prepareBatches } from '../../src/pipeline/deliveries/cutting/batch-cutter.ts';
import { insertCutBatches } from '../../src/pipeline/deliveries/cutting/batch-insert.ts';
import type { DeliveryDefinitions } from '../../src/pipeline/deliveries/delivery-definitions.ts';
import type { Plan } from '../../src/pipeline/engine/plan.ts';
import { targetPlan } from '../../src/pipeline/engine/plans.fixture.ts';
import { HeadgateError } from '../../src/platform/base/errors.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import { deliveryLine, deliveryPlan } from '../support/delivery-files.ts';
import { bindingOf, createDeliveryScenario, until } from '../support/delivery-scenario.ts';
import { startHttpSink } from '../support/http-sink.ts';
import { createTestDatabase } from '../support/postgres.ts';

type Bindings = Readonly<Record<string, ReturnType<typeof bindingOf>>>;

/**
 * A scenario with two versions; `cutUnderNew` brings a file under the second. Its database is its own: a worker takes what every
 * tenant of a database has, and would probe what one test left parked at the service of the next.
 */
async function twoVersions({
  bindings,
  plans,
}: {
  readonly bindings: Bindings;
  readonly plans: { readonly old: Plan; readonly new: Plan };
}) {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const scenario = await createDeliveryScenario({ database, plan: plans.old, bindings });
  onTestFinished(async () => void (await scenario.stopWorkers()));
  const { tenantId, flowId, store, queue } = scenario;
  const flowVersionId = systemPorts.ids.next();
  await scenario.rows(
    `/* plant version */ insert into headgate.flow_versions (tenant_id, flow_version_id, flow_id, version, hash, source, document, state, applied_at, applied_by)
     values ($1, $2, $3, '2.0.0', 'sha256:1', '', '{}', 'active', headgate.clock(), 'test') returning 1`,
    [flowVersionId, flowId],
  );
  const startWorker = (more: Partial<DeliveryDefinitions> = {}) =>
    scenario.startWorker({
      definitions: {
        loadFlow: async (_tx, id) => ({ flowName: 'eft', plan: id === flowVersionId ? plans.new : plans.old }),
        loadBinding: async (_tx, connection) => bindings[connection]!,
        ...more,
      },
    });
  async function cutUnderNew(lines: readonly string[]): Promise<void> {
    const jobs = await scenario.plantJobs([{ lines }], 'delivering');
    const input = { tenantId, flowId, flowVersionId, plan: plans.new, traceParent: null, actor: 'system', jobs };
    const prepared = await prepareBatches(input, { store, ports: systemPorts });
    await scenario.inTenant((tx) => insertCutBatches(tx, prepared, { queue, ports: systemPorts }));
  }
  return { scenario, startWorker, cutUnderNew, flowVersionId };
}

const linesOf = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) =>
    deliveryLine({ id: `${prefix}${index}`, customer: 'c', amount: 100, currency: 'EUR', letters: 'a' }),
  );

it('takes what was cut under the new version, though nothing answers where the old one led', async () => {
  const [gone, moved] = [await startHttpSink(() => ({ status: 503 })), await startHttpSink()];
  const bindings = { gone: bindingOf('http', { baseUrl: gone.url }), moved: bindingOf('http', { baseUrl: moved.url }) };
  const planOf = (connection: keyof typeof bindings) => {
    const breaker = { windowMs: 30_000, failureRatio: 0.5, minCalls: 3, probeEveryMs: 200, probes: 2 };
    const retry = { max: 60, initialMs: 20, capMs: 200 };
    return deliveryPlan([
      targetPlan('api', { format: 'ndjson' }, { type: 'http', connection, batchRecords: 2, concurrency: 4, breaker, retry }),
    ]);
  };
  const plans = { old: planOf('gone'), new: planOf('moved') };
  const { scenario, startWorker, cutUnderNew } = await twoVersions({ bindings, plans });
  await scenario.deliverJobs([{ lines: linesOf('old', 20) }]);
  startWorker();
  await until(async () => (await scenario.batches()).every(({ state }) => state === 'parked'), 'the batches were not parked');
  await cutUnderNew(linesOf('new', 20));
  const taken = async () => (await scenario.batches()).filter(({ state }) => state === 'acked').length;
  await until(async () => (await taken()) === 10, 'the records of the new version were not sent');
  expect(moved.lines().every((line) => line.includes('"new'))).toBe(true);
  expect(moved.lines()).toHaveLength(20);
});

it('asks a backup that moved where the new version leads, and lets it take what waits', async () => {
  const [down, gone, moved] = [
    await startHttpSink(() => ({ status: 503 })),
    await startHttpSink(() => ({ status: 503 })),
    await startHttpSink(),
  ];
  const bindings = {
    down: bindingOf('http', { baseUrl: down.url }),
    gone: bindingOf('http', { baseUrl: gone.url }),
    moved: bindingOf('http', { baseUrl: moved.url }),
  };
  const planOf = (connection: keyof typeof bindings) => {
    const breaker = { windowMs: 30_000, failureRatio: 0.5, minCalls: 3, probeEveryMs: 200, probes: 2 };
    const common = { type: 'http', batchRecords: 2, concurrency: 4, breaker, retry: { max: 60, initialMs: 20, capMs: 200 } };
    return deliveryPlan([
      targetPlan('api', { format: 'ndjson' }, { ...common, connection: 'down', backup: 'spare' }),
      targetPlan('spare', { format: 'ndjson' }, { ...common, connection }),
    ]);
  };
  const { scenario, startWorker, cutUnderNew } = await twoVersions({ bindings, plans: { old: planOf('gone'), new: planOf('moved') } });
  await scenario.deliverJobs([{ lines: linesOf('old', 20) }]);
  startWorker();
  const toApi = async () => (await scenario.batches()).filter(({ targetId }) => targetId === 'api');
  await until(async () => (await toApi()).every(({ state }) => state === 'parked'), 'the batches were not parked');
  await cutUnderNew(linesOf('new', 20));
  await until(async () => (await toApi()).filter(({ state }) => state === 'acked').length === 10, 'the moved backup took nothing');
  expect(moved.lines()).toHaveLength(20);
  expect(moved.lines().every((line) => line.includes('"new'))).toBe(true);
});

it('of what is parked, lets nothing of an earlier version go that would open the breaker in front of the others', async () => {
  const plan = deliveryPlan([targetPlan('api', { format: 'ndjson' }, { type: 'http', connection: 'api', batchRecords: 2 })]);
  const { scenario, cutUnderNew, flowVersionId } = await twoVersions({ bindings: {}, plans: { old: plan, new: plan } });
  await scenario.deliverJobs([{ lines: linesOf('old', 6) }]);
  const moved = (from: string, to: string, more = '') =>
    scenario.rows(
      `/* move */ update headgate.batches set state = '${to}' ${more} where tenant_id = $1 and state = '${from}' and ($2::uuid is null or flow_version_id = $2)`,
      [to === 'sending' ? flowVersionId : null],
    );
  await cutUnderNew(linesOf('new', 4));
  await moved('ready', 'parked', ', parked_at = headgate.clock()');
  const key = { flowId: scenario.flowId, targetId: 'api', flowVersionId, count: 4, actor: 'test' };
  const services = { queue: scenario.queue, ids: systemPorts.ids };
  const resume = () => scenario.inTenant((tx) => resumeParked(tx, services, key));
  const goOn = async () =>
    (
      await scenario.rows<{ isNew: boolean }>(
        `/* going on */ select flow_version_id = $2 as "isNew" from headgate.batches where tenant_id = $1 and state = 'ready'`,
        [flowVersionId],
      )
    ).map(({ isNew }) => isNew);
  expect([await resume(), await goOn()]).toEqual([2, [true, true]]);
  // While they are on their way, too.
  expect(await resume()).toBe(0);
  await moved('ready', 'sending');
  expect(await resume()).toBe(0);
  // One that its target may not be able to take keeps nobody waiting, however long it is tried.
  await scenario.rows(
    `/* try often */ update headgate.batches set attempts = case flow_version_id when $2 then 4 else attempts end where tenant_id = $1 and state = 'sending'`,
    [flowVersionId],
  );
  expect([await resume(), await goOn()]).toEqual([3, [false, false, false]]);
});

it.each([
  ['the order of keys, then that of the file', 64, 1],
  ['the order of the file, then that of keys', 1, 64],
] as const)('keeps %s: what was accepted later waits, whatever lane it is in', async (_, before, after) => {
  const sink = await startHttpSink();
  let requests = 0;
  sink.answer(() => (++requests === 1 ? { status: 503 } : { status: 200 }));
  const planOf = (lanes: 1 | 64) => {
    const order = lanes === 64 ? 'by-key' : 'file';
    const retry = { max: 60, initialMs: 1_500, capMs: 3_000 };
    return deliveryPlan([
      targetPlan('api', { format: 'ndjson' }, { type: 'http', connection: 'api', batchRecords: 100, order, lanes, retry }),
    ]);
  };
  const bindings = { api: bindingOf('http', { baseUrl: sink.url }) };
  const { scenario, startWorker, cutUnderNew } = await twoVersions({ bindings, plans: { old: planOf(before), new: planOf(after) } });
  await scenario.deliverJobs([{ lines: linesOf('first', 1) }]);
  startWorker();
  await until(() => requests === 1, 'nothing was sent');
  await cutUnderNew(linesOf('second', 1));
  await until(async () => (await scenario.batches()).every(({ state }) => state === 'acked'), 'not all was sent');
  expect(new Set((await scenario.batches()).map(({ lane }) => lane)).size).toBe(2);
  expect(sink.requests.map(({ body }) => /"id":"([a-z]+)/.exec(body)![1])).toEqual(['first', 'first', 'second']);
});

it.each([
  [64, 1],
  [1, 64],
] as const)(
  'a key that was blocked among %i lanes is blocked among %i: its later records are held back, and others go',
  async (before, after) => {
    const sink = await startHttpSink(({ body }) => ({ status: body.includes('"bad') ? 422 : 200 }));
    const planOf = (lanes: number) =>
      deliveryPlan([targetPlan('api', { format: 'ndjson' }, { type: 'http', connection: 'api', batchRecords: 1, order: 'by-key', lanes })]);
    const bindings = { api: bindingOf('http', { baseUrl: sink.url }) };
    const { scenario, startWorker, cutUnderNew } = await twoVersions({ bindings, plans: { old: planOf(before), new: planOf(after) } });
    const line = (id: string, customer: string) => deliveryLine({ id, customer, amount: 100, currency: 'EUR', letters: 'a' });
    const refused = await scenario.deliverJobs([{ lines: [line('bad', 'blocked')] }]);
    startWorker();
    await scenario.allEnded(refused);
    await cutUnderNew([line('behind', 'blocked'), line('other', 'free')]);
    const isDone = async () => (await scenario.batches()).every(({ state }) => ['refused', 'dead', 'acked', 'split'].includes(state));
    await until(isDone, 'not all has ended');
    expect(sink.requests.map(({ body }) => /"id":"([a-z]+)/.exec(body)![1])).toEqual(['bad', 'other']);
    expect(await scenario.counts()).toMatchObject([{ routed: 3, delivered: 1, refused: 1, dead: 1 }]);
  },
);

it('a target gets no more batches at once than the version says that sends them, whatever others send meanwhile', async () => {
  const sink = await startHttpSink();
  let underWay = 0;
  let most = 0;
  const go = Promise.withResolvers<void>();
  sink.answer(async () => {
    most = Math.max(most, ++underWay);
    await go.promise;
    underWay -= 1;
    return {};
  });
  const planOf = (concurrency: number) =>
    deliveryPlan([targetPlan('api', { format: 'ndjson' }, { type: 'http', connection: 'api', batchRecords: 2, concurrency })]);
  const bindings = { api: bindingOf('http', { baseUrl: sink.url }) };
  const { scenario, startWorker, cutUnderNew } = await twoVersions({ bindings, plans: { old: planOf(3), new: planOf(4) } });
  await scenario.deliverJobs([{ lines: linesOf('old', 20) }]);
  startWorker();
  await until(() => underWay === 3, 'the old version sends less than it may');
  await cutUnderNew(linesOf('new', 20));
  await until(() => underWay === 4, 'the new version sends nothing');
  // Refused again and again, those that are too many go back to the queue.
  const returned = () =>
    scenario.rows<{ count: number }>(
      '/* returned */ select count(*)::int as count from headgate.work_items where tenant_id = $1 and attempts > 1',
    );
  await until(async () => (await returned())[0]!.count > 0, 'nothing came back to the queue');
  go.resolve();
  await until(async () => (await scenario.batches()).every(({ state }) => state === 'acked'), 'not all was sent');
  expect(most).toBe(4);
});

it('a version that can not be read any more keeps nothing waiting that was cut under another', async () => {
  const sink = await startHttpSink();
  const plan = deliveryPlan([targetPlan('api', { format: 'ndjson' }, { type: 'http', connection: 'api', batchRecords: 2 })]);
  const bindings = { api: bindingOf('http', { baseUrl: sink.url }) };
  const { scenario, startWorker, cutUnderNew } = await twoVersions({ bindings, plans: { old: plan, new: plan } });
  await scenario.deliverJobs([{ lines: linesOf('old', 4) }]);
  await cutUnderNew(linesOf('new', 4));
  startWorker({
    loadFlow: async (_tx, id) => {
      if (id === scenario.flowVersionId) throw new HeadgateError('E_DEFINITION', 'the definition is none');
      return { flowName: 'eft', plan };
    },
  });
  const states = async () => (await scenario.batches()).map(({ state }) => state);
  await until(async () => (await states()).includes('acked'), 'nothing was sent');
  await until(async () => (await states()).filter((state) => state === 'acked').length === 2, 'not all of the other version was sent');
  expect((await states()).toSorted()).toEqual(['acked', 'acked', 'ready', 'ready']);
});
