import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../../test/support/delivery-scenario.ts';
import { createJobScenario, scenarioKey } from '../../../test/support/job-scenario.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { fixtureLines, fixturePlan } from '../../../test/support/verified-flow.ts';
import { decodeReceipt } from '../../pipeline/ledger/receipt-schema.ts';
import { verifyReceiptSignature } from '../../pipeline/ledger/receipt-signature.ts';
import { parseTrustFile, printTrustFile } from '../../pipeline/ledger/trust-file.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 12 });
});
afterAll(() => database.drop());

const plan = fixturePlan(Buffer.from('a flow'));
const trust = parseTrustFile(printTrustFile([scenarioKey]));
const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');

it('a small file goes from acceptance to a signed receipt', async () => {
  const scenario = await createJobScenario({ database, plan });
  await scenario.accept([text(fixtureLines)]);
  scenario.startAll();
  await until(async () => (await scenario.jobs()).every((job) => job.closedAt !== null), 'the job did not close');
  await scenario.stopAll();
  const [job] = await scenario.jobs();
  expect(job).toMatchObject({ state: 'completed', verdict: 'partial', read: 12, valid: 6, rejected: 5, filtered: 1 });
  const [row] = await scenario.rows<{ body: string; signature: string }>(
    '/* r */ select body, signature from headgate.receipts where tenant_id = $1',
  );
  const receipt = decodeReceipt(Buffer.from(row!.body));
  verifyReceiptSignature(Buffer.from(row!.body), row!.signature, trust, Date.parse(receipt.times.closedAt));
  expect(receipt.targets.map(({ id, delivered }) => [id, delivered.records])).toEqual([
    ['ledger', 4],
    ['archive', 6],
  ]);
  expect(scenario.delivered.get('archive')!.length).toBe(6);
  expect(await scenario.usage()).toMatchObject({ held: 0, inFlight: 0 });
});
