/** What a planner believes of a table may be far from what is in it. Nothing is read the more often for that. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadFlow } from '../../src/control/flows/load-flow.ts';
import { openPool } from '../../src/platform/postgres/pool.ts';
import { until } from '../support/delivery-scenario.ts';
import { createJobScenario, tenantName } from '../support/job-scenario.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { singleFlowOf } from '../support/single-flow.ts';
import { verifiedWithReceipt } from '../support/verified-job.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** From its file to its verified receipt. */
async function runJob(own: TestDatabase, batches: number): Promise<void> {
  const tenant = tenantName();
  const source = singleFlowOf(tenant);
  const refused = { kind: 'refused', retryable: false, code: 'E_TARGET_REFUSED', message: 'not this one' } as const;
  const jobs = await createJobScenario({
    database: own,
    plan: loadFlow(source).plan!,
    source,
    tenant,
    answer: ({ body }) => (Buffer.concat([...body.lines()]).includes('"p7"') ? refused : { kind: 'acked' }),
  });
  try {
    const [jobId] = await jobs.accept([`id,amount\n${Array.from({ length: batches }, (_, at) => `p${at},1.25\n`).join('')}`]);
    jobs.startWorker();
    jobs.startDeliveries();
    jobs.startCloser();
    await until(async () => (await jobs.jobs())[0]!.state === 'completed_with_failures', 'the job was not closed');
    const { receipt, report } = await verifiedWithReceipt(jobs, jobId!);
    expect([report.failures, receipt.batches.count]).toEqual([[], batches]);
  } finally {
    await jobs.stopAll();
  }
}

/** Rows and entries of indexes that statements read. */
async function readsOf(db: TestDatabase['adminDb']): Promise<number> {
  const { rows } = await db.query<{ reads: number }>(`/* count reads */ select
    ((select sum(t.seq_tup_read) from pg_stat_user_tables t where t.schemaname = 'headgate')
      + (select sum(i.idx_tup_read) from pg_stat_user_indexes i where i.schemaname = 'headgate'))::int as reads`);
  return rows[0]!.reads;
}

it.each([
  ['were counted when there was nothing of it yet but of another tenant', '/* analyze */ analyze'],
  [
    'are those of tables that were empty',
    "/* forget */ update pg_class set relpages = 10, reltuples = 0 where relnamespace = 'headgate'::regnamespace and relkind in ('r', 'i')",
  ],
])('a job of many batches reads as much for each of them as one of few, where statistics %s', async (_when, spoil) => {
  // Also the plans are older than what is in the tables, and what a session read is counted when it has ended.
  const db = openPool({ url: database.url, applicationName: 'headgate test', connectionsMax: 12 });
  await runJob({ ...database, db }, 100);
  await database.adminDb.query(spoil);
  await database.adminDb.query('/* begin again */ select pg_stat_reset()');
  const batches = 1_000;
  await runJob({ ...database, db }, batches);
  await db.close();
  let reads = 0;
  await until(async () => reads === (reads = await readsOf(database.adminDb)) && reads > batches, 'the counts did not come');
  expect(reads / batches).toBeLessThan(150);
});
