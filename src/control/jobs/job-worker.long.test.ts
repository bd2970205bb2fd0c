import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { until } from '../../../test/support/delivery-scenario.ts';
import { assertLegalEvents, closed, lineOf, receiptsOf, simpleLines, simplePlan, textOf } from '../../../test/support/job-facts.ts';
import type { JobScenario, JobScenarioOptions } from '../../../test/support/job-scenario.ts';
import { useJobScenarios } from '../../../test/support/job-scenarios.ts';
import { fixtureLines, fixturePlan } from '../../../test/support/verified-flow.ts';
import { targetPlan } from '../../pipeline/engine/plans.fixture.ts';

const fixture = fixturePlan(Buffer.from('a flow'));
const scenarios = useJobScenarios();

async function start(options: Omit<JobScenarioOptions, 'database'>): Promise<JobScenario> {
  return await scenarios.start({ ...options });
}

describe('a small file', () => {
  it('goes from acceptance to a signed receipt', async () => {
    const jobs = await start({ plan: fixture });
    await jobs.accept([textOf(fixtureLines)]);
    jobs.startAll();
    await closed(jobs, 1);
    const [job] = await jobs.jobs();
    expect(job).toMatchObject({ state: 'completed', verdict: 'partial', read: 12, valid: 6, rejected: 5, filtered: 1 });
    const [receipt] = await receiptsOf(jobs);
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
    const file = textOf(fixtureLines.map((one) => (one.startsWith('T') ? 'T,99,1.00' : one)));
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
    expect((await receiptsOf(jobs))[0]!.job).toMatchObject({ state: 'rejected', verdict: 'rejected', decision: null });
    await assertLegalEvents(jobs);
  });

  it('all of whose records are invalid is closed with nothing delivered', async () => {
    const jobs = await start({ plan: simplePlan() });
    await jobs.accept([textOf(['p1,x,ZAR', 'p2,1.00,XXX'])]);
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

it('lines of a file that are no records are counted, and stay known when it was checked', async () => {
  const jobs = await start({ plan: simplePlan() });
  await jobs.accept([`\n${textOf(simpleLines(2))}\n\n`]);
  const skipped = async () =>
    (await jobs.rows<{ split: unknown }>("/* look */ select totals -> 'split' as split from headgate.jobs where tenant_id = $1"))[0]!.split;
  expect(await skipped()).toEqual({ blankLines: 3, comments: 0 });
  jobs.startAll();
  await closed(jobs, 1);
  expect((await jobs.jobs())[0]).toMatchObject({ valid: 2, read: 2 });
  expect(await skipped()).toEqual({ blankLines: 3, comments: 0 });
});

describe('many small files', () => {
  it('share a group, its segments and its batches, and each has its own receipt', async () => {
    const jobs = await start({ plan: simplePlan() });
    const files = Array.from({ length: 60 }, (_, index) => textOf(simpleLines(3, index * 10)));
    await jobs.accept(files);
    expect(await jobs.rows('/* groups */ select 1 from headgate.chunk_groups where tenant_id = $1')).toHaveLength(1);
    jobs.startAll();
    await closed(jobs, 60);
    const found = await receiptsOf(jobs);
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
    const ids = await jobs.accept([textOf(simpleLines(2)), textOf(simpleLines(2, 10)), textOf(simpleLines(2, 20))]);
    await jobs.rows(
      `/* lose a file */ update headgate.files f set object = jsonb_set(object::jsonb, '{wrappedKey}', '""') from headgate.jobs j
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
    const lines = [...simpleLines(400), lineOf(7), lineOf(399), 'p500,x,ZAR', ...simpleLines(100, 600)];
    const outputs: string[] = [];
    for (const chunkBytes of [1_000_000, 700]) {
      const jobs = await start({ plan: simplePlan(), chunkBytes });
      await jobs.accept([textOf(lines)]);
      jobs.startAll();
      await closed(jobs, 1);
      const [job] = await jobs.jobs();
      expect(job).toMatchObject({ state: 'completed', verdict: 'partial', read: 503, valid: 500, rejected: 3 });
      const [receipt] = await receiptsOf(jobs);
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
    await jobs.accept([textOf(fixtureLines)]);
    jobs.startAll();
    await closed(jobs, 1);
    const [receipt] = await receiptsOf(jobs);
    expect(receipt!.chunks.length).toBeGreaterThan(2);
    expect(receipt!.controlTotals).toMatchObject({ balanced: true });
    expect(receipt!.records).toEqual({ read: 12, valid: 6, rejected: 5, filtered: 1 });
  });
});

describe('a delivery that fails', () => {
  it('leaves the job completed with failures, and the receipt says how much', async () => {
    const plan = simplePlan({ targets: [targetPlan('all', undefined, { batchRecords: 10, retry: { max: 0, initialMs: 1, capMs: 1 } })] });
    const jobs = await start({ plan, answer: () => ({ kind: 'refused', retryable: false, code: 'E_TEST', message: 'no' }) });
    await jobs.accept([textOf(simpleLines(5))]);
    jobs.startAll();
    await closed(jobs, 1);
    const [receipt] = await receiptsOf(jobs);
    const { refused, dead, delivered } = receipt!.targets[0]!;
    expect(refused.records + dead.records).toBe(5);
    expect(delivered.records).toBe(0);
    expect(receipt!.job.state).toBe('completed_with_failures');
  });
});

describe('a job that does not balance', () => {
  it('is not closed: it stays delivering, is reported, and has no receipt', async () => {
    const jobs = await start({ plan: simplePlan() });
    await jobs.accept([textOf(simpleLines(4))]);
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
    expect(await receiptsOf(jobs)).toEqual([]);
    expect((await jobs.services.metrics.render()).body).toContain('headgate_invariant_violations_total{invariant="job-balance"} 1');
  });
});
