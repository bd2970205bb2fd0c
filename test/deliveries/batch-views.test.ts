import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { fileConnector } from '../../src/pipeline/connectors/file/file-connector.ts';
import { getBatch, listBatches } from '../../src/pipeline/deliveries/batch-views.ts';
import { targetPlan } from '../../src/pipeline/engine/plans.fixture.ts';
import { deliveryLine, deliveryPlan } from '../support/delivery-files.ts';
import { bindingOf, createDeliveryScenario } from '../support/delivery-scenario.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { temporaryFolder } from '../support/temporary-store.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const lineOf = (id: string) => deliveryLine({ id, customer: 'c', amount: 100, currency: 'EUR', letters: 'a' });

it('a batch shows the number of its file, also of one that was given up, and what its acknowledgement rests on', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'OUT2.ndjson'), 'of somebody else');
  const settings = { name: 'OUT{sequence}.{extension}' };
  const plan = deliveryPlan([targetPlan('out', { format: 'ndjson' }, { connection: 'folder', batchRecords: 1_000, settings })]);
  const bindings = { folder: bindingOf('folder', { root: folder }) };
  const scenario = await createDeliveryScenario({ database, plan, bindings, connectors: [fileConnector] });
  onTestFinished(async () => void (await scenario.stopWorkers()));
  const jobs = [...(await scenario.deliverJobs([{ lines: [lineOf('a')] }])), ...(await scenario.deliverJobs([{ lines: [lineOf('b')] }]))];
  scenario.startWorker();
  await scenario.allEnded(jobs);
  const [second, first] = await scenario.inTenant((tx) => listBatches(tx, {}, { limit: 10 }));
  expect([first, second]).toMatchObject([
    { fileSequence: 1, state: 'acked', message: null },
    { fileSequence: 2, state: 'refused', reasonCode: 'E_TARGET_CONFLICT', message: 'the name "OUT2.ndjson" is taken by other bytes' },
  ]);
  const views = await scenario.inTenant(async (tx) => [await getBatch(tx, first!.batchId), await getBatch(tx, second!.batchId)]);
  expect(views).toMatchObject([
    { fileSequence: 1, evidence: 'the file was written, named and fsynced' },
    { fileSequence: 2, evidence: null },
  ]);
});
