import { afterAll, beforeAll, expect, it } from 'vitest';
import { targetPlan } from '../../src/pipeline/engine/plans.fixture.ts';
import { deliveryLine, deliveryPlan } from '../support/delivery-files.ts';
import { createDeliveryScenario } from '../support/delivery-scenario.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const changes = [
  `spans = '[]'`,
  `members = '[]'`,
  `body_sha256 = 'other'`,
  `job_ids = '{}'`,
  'records = records + 1',
  `target_id = 'other'`,
  'lane = lane + 1',
  'lane_scheme = lane_scheme + 1',
  'order_number = order_number + 1',
  'order_offset = order_offset + 1',
  'file_sequence = 1',
];

it('what a batch holds, and its place in the order, never changes', async () => {
  const plan = deliveryPlan([targetPlan('api', { format: 'ndjson' }, { type: 'http', connection: 'api' })]);
  const scenario = await createDeliveryScenario({ database, plan, bindings: {} });
  await scenario.deliverJobs([{ lines: [deliveryLine({ id: 'r', customer: 'c', amount: 100, currency: 'EUR', letters: 'a' })] }]);
  const change = (what: string) =>
    scenario.rows(`/* change batch */ update headgate.batches set ${what} where tenant_id = $1 returning batch_id`);
  for (const what of changes) await expect(change(what), what).rejects.toMatchObject({ code: 'E_DATABASE_REFUSED' });
  expect(await change("reason_code = 'E_TEST'")).toHaveLength(1);
});
