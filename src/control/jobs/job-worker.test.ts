import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../test/support/delivery-scenario.ts';
import { createJobScenario, type JobScenario, type JobScenarioOptions, scenarioKey } from '../../../test/support/job-scenario.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/support/postgres.ts';
import { fixtureLines, fixturePlan } from '../../../test/support/verified-flow.ts';
import type { Plan } from '../../pipeline/engine/plan.ts';
import { delimitedFormat, fieldPlan, planOf, recordPlan, targetPlan } from '../../pipeline/engine/plan-fixtures.ts';
import type { Receipt } from '../../pipeline/ledger/receipt.ts';
import { decodeReceipt } from '../../pipeline/ledger/receipt-schema.ts';
import { verifyReceiptSignature } from '../../pipeline/ledger/receipt-signature.ts';
import { parseTrustFile, printTrustFile } from '../../pipeline/ledger/trust-file.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import { jobTransitions } from './job-state.ts';

let database: TestDatabase;
let scenario: JobScenario | undefined;
beforeAll(async () => {
  database = await createTestDatabase({ connectionsMax: 12 });
});
afterEach(async () => {
  await scenario?.stopAll();
  scenario = undefined;
});
afterAll(() => database.drop());

const trust = parseTrustFile(printTrustFile([scenarioKey]));
const fixture = fixturePlan(Buffer.from('a flow'));
const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');

/** id,amount,currency; the id is unique in a file. */
function simplePlan(more: Partial<Plan> = {}): Plan {
  const at = (column: number) => ({ column, header: null });
  const record = recordPlan(
    [
      fieldPlan('id', 'string', at(0), { unique: 'file' }),
      fieldPlan('amount', 'decimal', at(1), { sum: true, currencyField: 2 }),
      fieldPlan('currency', 'string', at(2), { enum: ['ZAR', 'USD'] }),
    ],
    { key: [0] },
  );
  return planOf({ format: delimitedFormat, records: [record], targets: [targetPlan('all', undefined, { batchRecords: 50 })], ...more });
}

const line = (id: number | string, amount = '1.00', currency = 'ZAR') => `p${id},${amount},${currency}`;
const simpleLines = (count: number, from = 0) => Array.from({ length: count }, (_, index) => line(from + index));

async function start(options: Omit<JobScenarioOptions, 'database'>): Promise<JobScenario> {
  scenario = await createJobScenario({ database, ...options });
  return scenario;
}

async function closed(of: JobScenario, count: number): Promise<void> {
  await until(async () => (await of.jobs()).filter((job) => job.closedAt !== null).length >= count, 'the jobs did not close');
}

/** Checked: signature, and that the receipt is in the only form there is. */
async function receipts(of: JobScenario): Promise<Receipt[]> {
  const rows = await of.rows<{ body: string; signature: string }>(
    '/* read receipts */ select body, signature from headgate.receipts where tenant_id = $1 order by job_id',
  );
  return rows.map(({ body, signature }) => {
    const receipt = decodeReceipt(Buffer.from(body));
    verifyReceiptSignature(Buffer.from(body), signature, trust, Date.parse(receipt.times.closedAt));
    return receipt;
  });
}

/** Every event of jobs is a step of the table, from the state that the one before left. */
async function assertLegalEvents(of: JobScenario): Promise<void> {
  const states = new Map<string, string>();
  const table = jobTransitions as Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  for (const { type, objectId, from, to } of await of.events()) {
    if (!type.startsWith('job.')) continue;
    expect(from).toBe(states.get(objectId) ?? '');
    if (from !== to) expect(Object.values(table[from]!).flat()).toContain(to);
    states.set(objectId, to);
  }
  for (const job of await of.jobs()) expect(states.get(job.jobId)).toBe(job.state);
}

describe('a small file', () => {
  it('goes from acceptance to a signed receipt', async () => {
    const jobs = await start({ plan: fixture });
    await jobs.accept([text(fixtureLines)]);
    jobs.startAll();
    await closed(jobs, 1);
    const [job] = await jobs.jobs();
    expect(job).toMatchObject({ state: 'completed', verdict: 'partial', read: 12, valid: 6, rejected: 5, filtered: 1 });
    const [receipt] = await receipts(jobs);
    expect(receipt!.targets.map(({ id, delivered }) => [id, delivered.records])).toEqual([
      ['ledger', 4],
      ['archive', 6],
    ]);
    expect(receipt!.excluded).toBe(2);
    expect(jobs.delivered.get('archive')!.length).toBe(6);
    expect(await jobs.usage()).toMatchObject({ held: 0, inFlight: 0 });
    await assertLegalEvents(jobs);
  });

  it('whose trailer does not match is held, and delivers nothing', async () => {
    const jobs = await start({ plan: fixture });
    const file = text(fixtureLines.map((one) => (one.startsWith('T') ? 'T,99,1.00' : one)));
    await jobs.accept([file]);
    jobs.startAll();
    await until(async () => (await jobs.jobs())[0]!.state === 'held', 'the job was not held');
    expect((await jobs.jobs())[0]).toMatchObject({ verdict: 'held', reasonCode: 'CTL01', read: 12 });
    expect(await jobs.rows('/* no batches */ select 1 from headgate.batches where tenant_id = $1')).toEqual([]);
    expect(await jobs.usage()).toMatchObject({ held: file.length, inFlight: 0 });
  });

  it('without a record is rejected with a receipt, and its routes are cancelled', async () => {
    const jobs = await start({ plan: simplePlan() });
    await jobs.accept(['']);
    jobs.startAll();
    await closed(jobs, 1);
    expect((await jobs.jobs())[0]).toMatchObject({ state: 'rejected', verdict: 'rejected', reasonCode: 'E_EMPTY' });
    expect((await receipts(jobs))[0]!.job).toMatchObject({ state: 'rejected', verdict: 'rejected', decision: null });
    await assertLegalEvents(jobs);
  });

  it('all of whose records are invalid is closed with nothing delivered', async () => {
    const jobs = await start({ plan: simplePlan() });
    await jobs.accept([text(['p1,x,ZAR', 'p2,1.00,XXX'])]);
    jobs.startAll();
    await closed(jobs, 1);
    expect((await jobs.jobs())[0]).toMatchObject({ state: 'completed', verdict: 'partial', valid: 0, rejected: 2 });
    const samples = await jobs.rows<{ record: number; code: string }>(
      '/* look */ select record_number as record, code from headgate.rejections where tenant_id = $1 order by record_number',
    );
    expect(samples).toEqual([
      { record: 1, code: 'E_DECIMAL' },
      { record: 2, code: 'E_ENUM' },
    ]);
  });
});

describe('many small files', () => {
  it('share a group, its segments and its batches, and each has its own receipt', async () => {
    const jobs = await start({ plan: simplePlan() });
    const files = Array.from({ length: 60 }, (_, index) => text(simpleLines(3, index * 10)));
    await jobs.accept(files);
    expect(await jobs.rows('/* groups */ select 1 from headgate.chunk_groups where tenant_id = $1')).toHaveLength(1);
    jobs.startAll();
    await closed(jobs, 60);
    const found = await receipts(jobs);
    expect(found.map((receipt) => receipt.records.valid)).toEqual(files.map(() => 3));
    expect(jobs.delivered.get('all')!.length).toBe(180);
    const batches = await jobs.rows('/* batches */ select 1 from headgate.batches where tenant_id = $1');
    expect(batches.length).toBeLessThan(6);
    const stored = await jobs.rows<{ objects: number }>(
      '/* objects */ select count(distinct object_id)::int as objects from headgate.segments where tenant_id = $1',
    );
    expect(stored[0]!.objects).toBe(1);
    for (const receipt of found) expect(receipt.batches.count).toBeGreaterThan(0);
    await assertLegalEvents(jobs);
  });

  it('one of which is damaged in storage: it is held alone, the others are delivered', async () => {
    const jobs = await start({ plan: simplePlan() });
    const ids = await jobs.accept([text(simpleLines(2)), text(simpleLines(2, 10)), text(simpleLines(2, 20))]);
    await jobs.rows(
      `/* lose a file */ update headgate.files f set object = jsonb_set(object, '{wrappedKey}', '""') from headgate.jobs j
       where f.tenant_id = $1 and j.tenant_id = f.tenant_id and j.file_id = f.file_id and j.job_id = $2`,
      [ids[1]],
    );
    jobs.startAll();
    await closed(jobs, 2);
    const states = (await jobs.jobs()).map((job) => [job.state, job.reasonCode]);
    expect(states).toEqual([
      ['completed', null],
      ['held', 'E_KEY_ERASED'],
      ['completed', null],
    ]);
    expect(jobs.delivered.get('all')!.length).toBe(4);
  });
});

describe('a big file', () => {
  it('runs in chunks, is judged as a whole, and gives the bytes that one chunk gives', async () => {
    const lines = [...simpleLines(400), line(7), line(399), 'p500,x,ZAR', ...simpleLines(100, 600)];
    const outputs: string[] = [];
    for (const chunkBytes of [1_000_000, 700]) {
      const jobs = await start({ plan: simplePlan(), chunkBytes });
      await jobs.accept([text(lines)]);
      jobs.startAll();
      await closed(jobs, 1);
      const [job] = await jobs.jobs();
      expect(job).toMatchObject({ state: 'completed', verdict: 'partial', read: 503, valid: 500, rejected: 3 });
      const [receipt] = await receipts(jobs);
      expect(receipt!.chunks.length > 5).toBe(chunkBytes === 700);
      expect(receipt!).toMatchObject({ excluded: 2, records: { read: 503 } });
      expect(receipt!.exclusions).not.toBeNull();
      outputs.push(
        createHash('sha256')
          .update([...jobs.delivered.get('all')!].sort().join(''))
          .digest('hex'),
      );
      expect(await jobs.usage()).toMatchObject({ inFlight: 0 });
      await assertLegalEvents(jobs);
      await jobs.stopAll();
    }
    expect(outputs[0]).toBe(outputs[1]);
  });

  it('with header and trailer in different chunks balances its control totals', async () => {
    const jobs = await start({ plan: fixture, chunkBytes: 60 });
    await jobs.accept([text(fixtureLines)]);
    jobs.startAll();
    await closed(jobs, 1);
    const [receipt] = await receipts(jobs);
    expect(receipt!.chunks.length).toBeGreaterThan(2);
    expect(receipt!.controlTotals).toMatchObject({ balanced: true });
    expect(receipt!.records).toEqual({ read: 12, valid: 6, rejected: 5, filtered: 1 });
  });
});

describe('a delivery that fails', () => {
  it('leaves the job completed with failures, and the receipt says how much', async () => {
    const plan = simplePlan({ targets: [targetPlan('all', undefined, { batchRecords: 10, retry: { max: 0, initialMs: 1, capMs: 1 } })] });
    const jobs = await start({ plan, answer: () => ({ kind: 'refused', retryable: false, code: 'E_TEST', message: 'no' }) });
    await jobs.accept([text(simpleLines(5))]);
    jobs.startAll();
    await closed(jobs, 1);
    const [receipt] = await receipts(jobs);
    const { refused, dead, delivered } = receipt!.targets[0]!;
    expect(refused.records + dead.records).toBe(5);
    expect(delivered.records).toBe(0);
    expect(receipt!.job.state).toBe(dead.records > 0 ? 'completed_with_failures' : 'completed');
  });
});

describe('the end of the process at any point', () => {
  const points = [
    'jobs.after-start',
    'jobs.before-run',
    'jobs.after-segments',
    'jobs.before-commit',
    'jobs.after-commit',
    'jobs.after-check',
    'jobs.before-check-commit',
    'jobs.after-check-commit',
    'jobs.before-close',
    'jobs.before-close-commit',
    'jobs.after-close-commit',
  ];

  it.each(points)('%s: everything is delivered once and accounted for', async (point) => {
    const jobs = await start({ plan: simplePlan(), chunkBytes: 700, leaseMs: 60_000 });
    jobs.crash.arm(point);
    await jobs.accept([text(simpleLines(120)), text(simpleLines(2, 900))]);
    jobs.startAll();
    let looks = 0;
    await until(async () => {
      if ((await jobs.jobs()).every((job) => job.closedAt !== null)) return true;
      // What the dead process held comes back when its leases have run out; the living must have time to end theirs.
      if (++looks % 40 === 0) await jobs.passTime(61);
      return false;
    }, 'the jobs did not close');
    expect(jobs.crash.reached.get(point)).toBeGreaterThan(0);
    expect((await jobs.jobs()).map((job) => job.state)).toEqual(['completed', 'completed']);
    expect([...jobs.delivered.get('all')!].sort()).toEqual([...new Set(jobs.delivered.get('all')!)].sort());
    expect(jobs.delivered.get('all')!.length).toBe(122);
    expect((await receipts(jobs)).map((receipt) => receipt.records.valid)).toEqual([120, 2]);
    expect(await jobs.rows('/* no work */ select 1 from headgate.work_items where tenant_id = $1')).toEqual([]);
    await assertLegalEvents(jobs);
  });
});

describe('two workers on one group', () => {
  it('the one whose lease ran out commits nothing, and its segments are gone', async () => {
    const jobs = await start({ plan: simplePlan(), leaseMs: 60_000 });
    await jobs.accept([text(simpleLines(4))]);
    const { takeUpGroups, groupRunOf } = await import('./claimed-groups.ts');
    const { finishGroup } = await import('./group-finish.ts');
    const { runGroup } = await import('./group-runner.ts');
    const { openThreadStorage } = await import('./thread-storage.ts');
    const { rescueWork } = await import('./work-rescuer.ts');
    const threadStorage = openThreadStorage({
      root: jobs.root,
      cell: 'local',
      masterKeys: [{ version: 1, bytes: new Uint8Array(32).fill(7) }],
    });
    const claim = async () => {
      const items = await jobs.services.queue.claimWork(database.db, 'chunks', { limit: 1, workerId: jobs.ids.next(), leaseMs: 1_000 });
      const [group] = await jobs.inTenant((tx) => takeUpGroups(tx, jobs.services, items));
      return { group: group!, result: runGroup(threadStorage, groupRunOf(group!)) };
    };
    const zombie = await claim();
    await jobs.passTime(2);
    await rescueWork(jobs.services);
    await jobs.passTime(60);
    const winner = await claim();
    const hashes = (result: typeof winner.result) => result.segments.map((segment) => [segment.kind, segment.object.sha256]);
    expect(hashes(winner.result)).toEqual(hashes(zombie.result));
    await finishGroup(jobs.services, winner.group, winner.result);
    await expect(finishGroup(jobs.services, zombie.group, zombie.result)).rejects.toMatchObject({ code: 'E_FENCED' });
    for (const { object } of zombie.result.segments) expect(() => jobs.store.open(jobs.tenantId, object)).toThrow(HeadgateError);
    for (const { object } of winner.result.segments) jobs.store.open(jobs.tenantId, object).close();
    expect((await jobs.jobs())[0]).toMatchObject({ state: 'delivering', read: 4 });
  });
});

describe('a worker that is stopped', () => {
  it('while a thread hangs, gives the work back within its time, and another worker finishes it', async () => {
    const jobs = await start({ plan: simplePlan(), env: { HEADGATE_TEST_STALL: 'p3,' } });
    await jobs.accept([text(simpleLines(4)), text(simpleLines(2, 900))]);
    const worker = jobs.startWorker();
    await until(() => jobs.crash.reached.has('jobs.before-run'), 'nothing was run');
    const startedMs = performance.now();
    await worker.stop(2_000);
    expect(performance.now() - startedMs).toBeLessThan(4_000);
    const [work] = await jobs.rows<{ leased: boolean }>(
      '/* look */ select lease_until is not null as leased from headgate.work_items where tenant_id = $1',
    );
    expect(work).toEqual({ leased: false });
    const groups = await jobs.rows('/* look */ select state, attempts from headgate.chunk_groups where tenant_id = $1');
    expect(groups).toEqual([{ state: 'ready', attempts: 0 }]);
    const again = await createJobScenario({ database, plan: simplePlan(), beside: jobs.storage });
    again.startAll();
    jobs.startDeliveries();
    jobs.startCloser();
    await closed(jobs, 2);
    expect((await jobs.jobs()).map((job) => job.state)).toEqual(['completed', 'completed']);
    await again.stopAll();
  });

  it('with nothing in hand, is done at once and can start again', async () => {
    const jobs = await start({ plan: simplePlan() });
    const worker = jobs.startWorker();
    const startedMs = performance.now();
    await worker.stop();
    expect(performance.now() - startedMs).toBeLessThan(1_500);
    worker.start();
    jobs.startDeliveries();
    jobs.startCloser();
    await jobs.accept([text(simpleLines(4))]);
    await closed(jobs, 1);
  });
});

describe('a lease', () => {
  it('is kept while a thread works longer than it lasts', async () => {
    const jobs = await start({ plan: simplePlan(), leaseMs: 500, env: { HEADGATE_TEST_STALL: 'p3,' } });
    await jobs.accept([text(simpleLines(4))]);
    const worker = jobs.startWorker();
    jobs.startRescuer();
    await until(() => jobs.crash.reached.has('jobs.before-run'), 'nothing was run');
    const leases = new Set<number>();
    await until(async () => {
      const [row] = await jobs.rows<{ until: Date; fence: number }>(
        '/* look */ select lease_until as until, fence from headgate.work_items where tenant_id = $1',
      );
      expect(row!.fence).toBe(1);
      leases.add(row!.until.getTime());
      return leases.size > 4;
    }, 'the lease was not renewed');
    await worker.stop(1_500);
  });
});

describe('a job that does not balance', () => {
  it('is not closed: it stays delivering, is reported, and has no receipt', async () => {
    const jobs = await start({ plan: simplePlan() });
    await jobs.accept([text(simpleLines(4))]);
    jobs.startWorker();
    jobs.startDeliveries();
    await until(
      async () =>
        (await jobs.rows("/* close work */ select 1 from headgate.work_items where tenant_id = $1 and kind = 'close'")).length === 1,
      'the delivery did not end',
    );
    await jobs.rows(
      '/* plant an imbalance */ update headgate.job_targets set delivered = delivered - 1, cancelled = cancelled + 1 where tenant_id = $1',
    );
    jobs.startCloser();
    await until(async () => (await jobs.events()).some((event) => event.type === 'job.unbalanced'), 'it was not reported');
    expect((await jobs.jobs())[0]).toMatchObject({ state: 'delivering', reasonCode: 'E_UNBALANCED', closedAt: null });
    expect(await receipts(jobs)).toEqual([]);
    expect((await jobs.services.metrics.render()).body).toContain('headgate_invariant_violations_total{invariant="job-balance"} 1');
  });
});
