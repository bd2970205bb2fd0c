import { afterAll, beforeAll, expect, it } from 'vitest';
import { previewCancel } from '../../src/pipeline/deliveries/endings/cancel-preview.ts';
import { cancelDeliveries } from '../../src/pipeline/deliveries/endings/delivery-cancel.ts';
import { targetPlan } from '../../src/pipeline/engine/plans.fixture.ts';
import { systemPorts } from '../../src/platform/base/system-ports.ts';
import type { TenantTx } from '../../src/platform/tenancy/tenant-scope.ts';
import { deliveryLine, deliveryPlan } from '../support/delivery-files.ts';
import { createDeliveryScenario } from '../support/delivery-scenario.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

it('a job of many batches is cancelled with all of them, and no statement reads, locks or writes more than a thousand', async () => {
  const batches = 2_500;
  const plan = deliveryPlan([targetPlan('api', { format: 'ndjson' }, { type: 'http', connection: 'api', batchRecords: 1, order: 'file' })]);
  const scenario = await createDeliveryScenario({ database, plan, bindings: {} });
  const lines = Array.from({ length: batches }, (_, at) =>
    deliveryLine({ id: `r${at}`, customer: 'c', amount: 100, currency: 'EUR', letters: 'a' }),
  );
  const [job] = await scenario.deliverJobs([{ lines }]);
  let rowsMax = 0;
  const counted = (tx: TenantTx): TenantTx => ({
    ...tx,
    query: async (sql, params = []) => {
      const answer = await tx.query(sql, params);
      const given = params.map((value) => (Array.isArray(value) ? value.length : 0));
      rowsMax = Math.max(rowsMax, answer.rows.length, ...given);
      return answer as never;
    },
  });
  const preview = await scenario.inTenant((tx) => previewCancel(counted(tx), job!.jobId));
  const amounts = { amount: { scale: 2, byCurrency: { EUR: '250000' }, unreadable: 0 } };
  expect(preview.get('api')).toEqual({ delivered: 0, withdrawable: { records: batches, amounts }, underWay: 0 });
  const cancelled = await scenario.inTenant((tx) => {
    const services = { store: scenario.store, queue: scenario.queue, ports: systemPorts };
    return cancelDeliveries(counted(tx), services, { jobId: job!.jobId, actor: 'test' });
  });
  expect(cancelled).toEqual({ records: batches, openBatches: 0 });
  expect((await scenario.batches()).every(({ state }) => state === 'cancelled')).toBe(true);
  expect(await scenario.counts()).toMatchObject([{ routed: batches, cancelled: batches }]);
  expect(rowsMax).toBe(1_000);
});
