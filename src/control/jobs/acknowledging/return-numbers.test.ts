import { afterAll, beforeAll, expect, it } from 'vitest';
import { createJobScenario, type JobScenario } from '../../../../test/support/job-scenario.ts';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/postgres.ts';
import { fixturePlan } from '../../../../test/support/verified-flow.ts';
import { returnsMax, traceSequences } from '../../../pipeline/ledger/ach-returns.ts';
import { takeReturnNumbers } from './return-numbers.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 4 });
});
afterAll(() => database.drop());

const open = () => createJobScenario({ database, plan: fixturePlan(Buffer.from('a flow')) });

/** Of jobs that are closed together: the number of each one's file and of its first entry. */
async function take({ inTenant, flowId }: JobScenario, ...entries: number[]): Promise<readonly (readonly [number, number])[]> {
  const jobs = entries.map((count, index) => ({ jobId: `job ${index}`, flowId, entries: count }));
  const taken = await inTenant((tx) => takeReturnNumbers(tx, jobs));
  return jobs.map(({ jobId }) => [taken.get(jobId)!.file, taken.get(jobId)!.firstEntry]);
}

it('gives each file of returns, and each entry in it, the next number of its flow', async () => {
  const [one, other] = [await open(), await open()];
  expect(await take(one, 3, 1)).toEqual([
    [1, 1],
    [2, 4],
  ]);
  expect(await take(other, 2)).toEqual([[1, 1]]);
  expect(await take(one, 5)).toEqual([[3, 5]]);
});

it('leaves no number out where the transaction fails that would have taken it', async () => {
  const scenario = await open();
  await expect(
    scenario.inTenant(async (tx) => {
      await takeReturnNumbers(tx, [{ jobId: 'job', flowId: scenario.flowId, entries: 4 }]);
      throw new Error('it is closed by another');
    }),
  ).rejects.toThrow('closed by another');
  expect(await take(scenario, 1)).toEqual([[1, 1]]);
});

it('gives no number twice to jobs that are closed at once', async () => {
  const scenario = await open();
  const taken = (await Promise.all(Array.from({ length: 8 }, () => take(scenario, 3, 2)))).flat();
  expect(taken.map(([file]) => file).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, index) => index + 1));
  const entries = taken.flatMap(([, first], index) => Array.from({ length: index % 2 === 0 ? 3 : 2 }, (_, more) => first + more));
  expect(entries.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
});

it('begins with the first trace number again where there are not enough left for all of a file', async () => {
  const scenario = await open();
  await take(scenario, 1);
  await scenario.inTenant((tx) =>
    tx.query("/* pass numbers */ update headgate.output_sequences set last_number = $2 where tenant_id = $1 and target_id = '(returns)'", [
      tx.tenantId,
      traceSequences - 5,
    ]),
  );
  const [[, first]] = (await take(scenario, 5)) as [[number, number]];
  expect(first).toBe(traceSequences - 4);
  const [[, second]] = (await take(scenario, 3)) as [[number, number]];
  expect(second % traceSequences).toBe(1);
  await scenario.inTenant((tx) =>
    tx.query("/* pass numbers */ update headgate.output_sequences set last_number = $2 where tenant_id = $1 and target_id = '(returns)'", [
      tx.tenantId,
      2 * traceSequences - 2,
    ]),
  );
  const [[, third]] = (await take(scenario, 3)) as [[number, number]];
  expect((third - 1) % traceSequences).toBeLessThan(3);
});

it('takes as many numbers as a file can have entries, however many records were rejected', async () => {
  const scenario = await open();
  expect(await take(scenario, returnsMax + 50, 1)).toEqual([
    [1, 1],
    [2, returnsMax + 1],
  ]);
});
