/** A file of very many batches, from its cut to its audit: nothing that is done to the job reads, locks or writes all of them at once. */

import { expect, it, onTestFinished } from 'vitest';
import { loadFlow } from '../../src/control/flows/load-flow.ts';
import { cancelJob } from '../../src/control/jobs/job-decisions.ts';
import { previewRedrive } from '../../src/control/redrives/redrive-creation.ts';
import type { Db } from '../../src/platform/postgres/database.ts';
import { until } from '../support/delivery-scenario.ts';
import { type JobScenario, tenantName } from '../support/job-scenario.ts';
import { useJobScenarios } from '../support/job-scenarios.ts';
import { singleFlowOf } from '../support/single-flow.ts';
import { verifiedWithReceipt } from '../support/verified-job.ts';

const scenarios = useJobScenarios();

const records = 5_600;

interface Parts {
  readonly outputs?: readonly ({ readonly stripes: readonly unknown[] } | null)[];
}

interface ChunkRow {
  readonly parts?: Parts;
  readonly segments?: Parts;
}

const stripesOf = ({ parts, segments }: ChunkRow) =>
  [parts, segments].flatMap((own) => own?.outputs?.flatMap((output) => output?.stripes ?? []) ?? []);

/** The same database, telling how many rows or stripes a statement is given or gives at most. */
function counted(db: Db, told: (rows: number) => void): Db {
  const transaction: Db['transaction'] = (work, options) =>
    db.transaction(
      (tx) =>
        work({
          ...tx,
          query: async (sql, params = []) => {
            const answer = await tx.query(sql, params);
            const stripes = answer.rows.flatMap((row) => stripesOf(row as ChunkRow));
            told(Math.max(answer.rows.length, stripes.length, ...params.map((value) => (Array.isArray(value) ? value.length : 0))));
            return answer as never;
          },
        }),
      options,
    );
  return { query: (sql, params) => db.query(sql, params), transaction, close: () => db.close() };
}

const refused = ['p7', 'p5599'];
const refusal = { kind: 'refused', retryable: false, code: 'E_TARGET_REFUSED', message: 'not this one' } as const;

function isRefused(lines: Iterable<Uint8Array>): boolean {
  const [line] = lines;
  return refused.includes((JSON.parse(Buffer.from(line!).toString()) as { id: string }).id);
}

/** Holds the work of a batch as a transaction does that has not ended, until it is let go. */
async function hold(jobs: JobScenario, batchId: string): Promise<() => Promise<void>> {
  const [held, letGo] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const holding = jobs.inTenant(async (tx) => {
    const lock = "/* hold */ select from headgate.work_items where tenant_id = $1 and kind = 'deliver' and reference_id = $2 for update";
    await tx.query(lock, [tx.tenantId, batchId]);
    held.resolve();
    await letGo.promise;
  });
  await held.promise;
  const end = async () => {
    letGo.resolve();
    await holding;
  };
  onTestFinished(end);
  return end;
}

it('a job of very many batches is cancelled in many transactions: what was in hand is lost by whoever had it, other files go on, and another process ends what one began', async () => {
  const tenant = tenantName();
  const source = singleFlowOf(tenant);
  const jobs = await scenarios.start({ plan: loadFlow(source).plan!, source, tenant });
  const { queue, ports } = jobs.services;
  const [jobId] = await jobs.accept([`id,amount\n${Array.from({ length: records }, (_, at) => `p${at},1.25\n`).join('')}`]);
  jobs.startWorker();
  await until(async () => (await jobs.jobs())[0]!.state === 'delivering', 'the file was not cut');
  const batchIds = (
    await jobs.rows<{ batchId: string }>(
      '/* batches */ select batch_id as "batchId" from headgate.batches where tenant_id = $1 order by batch_id',
    )
  ).map(({ batchId }) => batchId);
  const claim = (limit: number) =>
    queue.claimWork(scenarios.database.db, 'deliver', { limit, workerId: ports.ids.next(), leaseMs: 30_000 });
  const ours = async (items: Awaited<ReturnType<typeof claim>>) =>
    (await jobs.inTenant((tx) => queue.renewOurs(tx, items, 30_000))).renewed.size;
  // As an open breaker leaves them: nobody has work to look at them before it closes.
  const parked = batchIds.slice(2_000, 3_100);
  await jobs.rows("/* park */ update headgate.batches set state = 'parked' where tenant_id = $1 and batch_id = any ($2::uuid[])", [parked]);
  await jobs.rows('/* park work */ delete from headgate.work_items where tenant_id = $1 and reference_id = any ($2::uuid[])', [parked]);
  const early = await claim(300);
  const letGo = [await hold(jobs, early[0]!.referenceId), await hold(jobs, batchIds[900]!)];
  const deciding = cancelJob(jobs.services, jobs.tenantId, { jobId: jobId!, reason: 'too many', actor: 'key:anna' });
  const isHeldUp = "/* waits */ select 1 as found from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
  await until(
    async () => (await scenarios.database.adminDb.query(isHeldUp)).rows.length > 0,
    'the decision locked nothing of what is in hand',
  );
  // By a worker that can't see the decision.
  const late = await claim(100);
  await letGo[0]!();
  expect([(await deciding).state, early.length, late.length]).toEqual(['delivering', 300, 100]);
  expect([await ours(early), await ours(late)]).toEqual([0, 100]);
  jobs.startCloser();
  await until(async () => (await ours(late)) === 0, 'what was claimed before the decision was committed would be sent');
  jobs.startDeliveries();
  await jobs.accept(['id,amount\nq1,1.00\n']);
  await until(async () => (await jobs.jobs())[1]!.state === 'completed', 'another file waited');
  await jobs.rows("/* expire */ update headgate.work_items set lease_until = null where tenant_id = $1 and kind = 'close'");
  jobs.startCloser();
  await letGo[1]!();
  await until(async () => (await jobs.jobs())[0]!.state === 'cancelled', 'the job was not cancelled');
  expect(jobs.delivered.get('api')).toEqual(['{"id":"q1","amount":"1.00"}\n']);
  const { receipt, report } = await verifiedWithReceipt(jobs, jobId!);
  expect(report.failures).toEqual([]);
  expect(receipt.targets).toMatchObject([{ cancelled: { records } }]);
});

it.each([
  ['delivered', 'one chunk', undefined],
  ['cancelled', 'several chunks', 20_000],
] as const)(
  'a job of very many batches that are %s, of %s, is closed, its receipt verifies, and what was given up is found again',
  async (how, _chunks, chunkBytes) => {
    const tenant = tenantName();
    const source = singleFlowOf(tenant);
    let rowsMax = 0;
    const db = counted(scenarios.database.db, (rows) => {
      rowsMax = Math.max(rowsMax, rows);
    });
    const jobs = await scenarios.start({
      database: { ...scenarios.database, db },
      plan: loadFlow(source).plan!,
      source,
      tenant,
      answer: ({ body }) => (isRefused(body.lines()) ? refusal : { kind: 'acked' }),
      ...(chunkBytes === undefined ? {} : { chunkBytes }),
    });
    const [jobId] = await jobs.accept([`id,amount\n${Array.from({ length: records }, (_, at) => `p${at},1.25\n`).join('')}`]);
    jobs.startWorker();
    const isIn = (state: string) => async () => (await jobs.jobs()).every((job) => job.state === state);
    await until(isIn('delivering'), 'the file was not cut');
    // Small ones beside it are found together with it by who closes jobs.
    const cancelled = how === 'cancelled' ? [jobId!, ...(await jobs.accept(['id,amount\nq1,1.00\n', 'id,amount\nq2,1.00\n']))] : [];
    await until(isIn('delivering'), 'the small files were not cut');
    for (const each of cancelled) await cancelJob(jobs.services, jobs.tenantId, { jobId: each, reason: 'too many', actor: 'key:anna' });
    if (how === 'delivered') jobs.startDeliveries();
    jobs.startCloser();
    await until(isIn(how === 'cancelled' ? 'cancelled' : 'completed_with_failures'), 'the job was not closed');
    // One more than are read at once, to see whether there are more.
    expect(rowsMax).toBe(5_001);
    const failed = how === 'cancelled' ? 0 : refused.length;
    if (failed > 0) {
      const wanted = { selection: { jobId: jobId! }, repair: null };
      expect(await previewRedrive(jobs.services, jobs.tenantId, wanted)).toMatchObject({ sent: { records: failed } });
      expect(rowsMax).toBe(5_001);
    }
    const { receipt, report } = await verifiedWithReceipt(jobs, jobId!);
    expect(report.failures).toEqual([]);
    expect(receipt.batches.count).toBe(records);
    const amount = { scale: 2, byCurrency: { XXX: String((records - failed) * 125) }, unreadable: 0 };
    expect(receipt.targets).toMatchObject([{ [how]: { records: records - failed, amounts: { amount } }, refused: { records: failed } }]);
  },
);
