/** A target that moved with a new version of its flow, while the breaker of the old one is open. */
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { prepareBatches } from '../../src/pipeline/deliveries/cutting/batch-cutter.ts';
import { insertCutBatches } from '../../src/pipeline/deliveries/cutting/batch-insert.ts';
import { targetPlan } from '../../src/pipeline/engine/plan-fixtures.ts';
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

const linesOf = (prefix: string) =>
  Array.from({ length: 20 }, (_, index) =>
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
  const plans = { gone: planOf('gone'), moved: planOf('moved') };
  const scenario = await createDeliveryScenario({ database, plan: plans.gone, bindings });
  onTestFinished(async () => void (await scenario.stopWorkers()));
  const { tenantId, flowId, store, queue } = scenario;
  const flowVersionId = systemPorts.ids.next();
  await scenario.rows(
    `/* plant version */ insert into headgate.flow_versions (tenant_id, flow_version_id, flow_id, version, hash, source, document, state, applied_at, applied_by)
     values ($1, $2, $3, '2.0.0', 'sha256:1', '', '{}', 'active', headgate.clock(), 'test') returning 1`,
    [flowVersionId, flowId],
  );
  await scenario.deliverJobs([{ lines: linesOf('old') }]);
  scenario.startWorker({
    definitions: {
      loadFlow: async (_tx, id) => ({ flowName: 'eft', plan: id === flowVersionId ? plans.moved : plans.gone }),
      loadBinding: async (_tx, connection) => bindings[connection as keyof typeof bindings],
    },
  });
  await until(async () => (await scenario.batches()).every(({ state }) => state === 'parked'), 'the batches were not parked');
  const jobs = await scenario.plantJobs([{ lines: linesOf('new') }], 'delivering');
  const input = { tenantId, flowId, flowVersionId, plan: plans.moved, traceParent: null, actor: 'system', jobs };
  const prepared = await prepareBatches(input, { store, ports: systemPorts });
  await scenario.inTenant((tx) => insertCutBatches(tx, prepared, { queue, ports: systemPorts }));
  const taken = async () => (await scenario.batches()).filter(({ state }) => state === 'acked').length;
  await until(async () => (await taken()) === 10, 'the records of the new version were not sent');
  expect(moved.lines().every((line) => line.includes('"new'))).toBe(true);
  expect(moved.lines()).toHaveLength(20);
});
