import { afterAll, beforeAll, expect, it } from 'vitest';
import { prepareBatches } from '../../src/pipeline/deliveries/cutting/batch-cutter.ts';
import { insertCutBatches } from '../../src/pipeline/deliveries/cutting/batch-insert.ts';
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

interface WrittenBatch {
  readonly targetId: string;
  readonly place: number;
  readonly sequence: number | null;
  readonly records: number;
}

it('a file of very many batches is cut into all of them while they are written, a thousand at a time, and again where that is tried again', async () => {
  const records = 5_500;
  const each = { batchRecords: 1 } as const;
  const plan = deliveryPlan([
    targetPlan('late', { format: 'ndjson' }, { ...each, type: 'http', connection: 'api', order: 'file' }),
    targetPlan('early', { format: 'ndjson' }, { ...each, connection: 'drop', settings: { name: '{sequence}.{extension}', rollUp: false } }),
  ]);
  const scenario = await createDeliveryScenario({ database, plan, bindings: {} });
  const lines = Array.from({ length: records }, (_, at) =>
    deliveryLine({ id: `r${at}`, customer: 'c', amount: 100, currency: 'EUR', letters: at % 2 === 0 ? 'ab' : 'a' }),
  );
  // Every third record of the first target is taken out.
  const exclusions = lines.flatMap((_, at) => {
    const amounts = { amount: { scale: 2, byCurrency: { EUR: '100' }, unreadable: 0 } };
    return at % 3 === 0 ? [{ record: at + 1, offset: 0, field: 'id', code: 'E_DUPLICATE_RECORD', targets: [0], amounts }] : [];
  });
  const jobs = (await scenario.plantJobs([{ lines, chunkLines: [1_000, 4_000] }], 'delivering')).map((job) => ({ ...job, exclusions }));
  const { tenantId, flowId, flowVersionId, store, queue } = scenario;
  const input = { tenantId, flowId, flowVersionId, plan, traceParent: null, actor: 'system', jobs };
  const prepared = await prepareBatches(input, { store, ports: systemPorts });
  expect(prepared.batches.length).toBe(0);
  let rowsMax = 0;
  const counted = (tx: TenantTx): TenantTx => ({
    ...tx,
    query: async (sql, params = []) => {
      rowsMax = Math.max(rowsMax, ...params.map((value) => (Array.isArray(value) ? value.length : 0)));
      return (await tx.query(sql, params)) as never;
    },
  });
  const again = new Error('the transaction is tried again');
  const first = scenario.inTenant(async (tx) => {
    await insertCutBatches(tx, prepared, { queue, ports: systemPorts });
    throw again;
  });
  await expect(first).rejects.toBe(again);
  await scenario.inTenant((tx) => insertCutBatches(counted(tx), prepared, { queue, ports: systemPorts }));
  expect(rowsMax).toBe(1_000);
  const kept = { late: records - exclusions.length, early: records / 2 };
  const written = await scenario.rows<WrittenBatch>(
    `/* batches */ select target_id as "targetId", (order_number % 16777216)::int as place, file_sequence::int as sequence, records
     from headgate.batches where tenant_id = $1 order by target_id, order_number`,
  );
  for (const [targetId, count] of Object.entries(kept)) {
    const own = written.filter((batch) => batch.targetId === targetId);
    expect(own).toEqual(
      Array.from({ length: count }, (_, at) => ({ targetId, place: at, sequence: targetId === 'early' ? at + 1 : null, records: 1 })),
    );
  }
  expect(await scenario.counts()).toMatchObject([
    { targetId: 'early', routed: kept.early },
    { targetId: 'late', routed: kept.late },
  ]);
  const [found] = await scenario.rows<{ work: number; events: number }>(
    `/* follow */ select (select count(*) from headgate.work_items where tenant_id = $1 and kind = 'deliver')::int as work,
       (select count(*) from headgate.events where tenant_id = $1 and type = 'batch.cut')::int as events`,
  );
  expect(found).toEqual({ work: kept.early + kept.late, events: kept.early + kept.late });
});
