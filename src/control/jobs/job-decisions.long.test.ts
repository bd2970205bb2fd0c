import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import { until } from '../../../test/support/delivery-scenario.ts';
import type { JobScenario, JobScenarioOptions } from '../../../test/support/job-scenario.ts';
import { useJobScenarios } from '../../../test/support/job-scenarios.ts';
import { fixtureLines, fixturePlan } from '../../../test/support/verified-flow.ts';
import { decodeReceipt } from '../../pipeline/ledger/receipt-schema.ts';
import { cancelJob, type DecisionRequest, previewDecision, rejectJob, releaseJob } from './job-decisions.ts';

const scenarios = useJobScenarios();

const fixture = fixturePlan(Buffer.from('a flow'));
const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');
const wrongTrailer = text(fixtureLines.map((line) => (line.startsWith('T') ? 'T,99,1.00' : line)));
const because = { reason: 'agreed with the sender', actor: 'key:ops' };

async function start(options: Partial<JobScenarioOptions> = {}): Promise<JobScenario> {
  return await scenarios.start({ plan: fixture, ...options });
}

async function held(options: Partial<JobScenarioOptions> = {}): Promise<{ jobs: JobScenario; jobId: string }> {
  const jobs = await start(options);
  const [jobId] = await jobs.accept([wrongTrailer]);
  jobs.startAll();
  await stateIs(jobs, 'held');
  return { jobs, jobId: jobId! };
}

async function stateIs(jobs: JobScenario, state: string): Promise<void> {
  await until(async () => (await jobs.jobs())[0]!.state === state, `the job did not become ${state}`);
}

async function receiptOf(jobs: JobScenario) {
  await until(async () => (await jobs.jobs())[0]!.closedAt !== null, 'the job did not close');
  const [row] = await jobs.rows<{ body: string }>('/* read receipt */ select body from headgate.receipts where tenant_id = $1');
  return decodeReceipt(Buffer.from(row!.body));
}

describe('a held job', () => {
  it('is previewed with the records and the money that a decision affects', async () => {
    const { jobs, jobId } = await held();
    const preview = await previewDecision(jobs.services, jobs.tenantId, jobId);
    expect(preview).toMatchObject({ state: 'held', allowed: ['release', 'reject', 'cancel'], records: { read: 12, valid: 6 } });
    expect(preview.reasons.map((reason) => reason.code)).toEqual(['CTL01']);
    expect(preview.targets.map(({ id, records, withdrawable }) => [id, records, withdrawable.records])).toEqual([
      ['ledger', 4, 4],
      ['archive', 6, 6],
    ]);
    expect(Object.keys(preview.targets[1]!.amounts['amount']!.byCurrency).sort()).toEqual(['USD', 'ZAR']);
  });

  it.each([1_000_000, 60])(
    'that is released is delivered without its duplicates, and its receipt names the decision (chunks of %i)',
    async (chunkBytes) => {
      const { jobs, jobId } = await held({ chunkBytes });
      const { version } = await previewDecision(jobs.services, jobs.tenantId, jobId);
      expect(await releaseJob(jobs.services, jobs.tenantId, { jobId, ...because, previewed: version })).toEqual({
        jobId,
        state: 'delivering',
      });
      const receipt = await receiptOf(jobs);
      expect(receipt.job).toMatchObject({ state: 'completed', verdict: 'partial', decision: { kind: 'release', ...because } });
      expect(receipt.reasons.map((reason) => reason.code)).toEqual(['CTL01']);
      expect(receipt).toMatchObject({ excluded: 2 });
      expect(jobs.delivered.get('archive')!.length).toBe(6);
      expect(await jobs.usage()).toMatchObject({ held: 0, inFlight: 0 });
      expect((await jobs.events()).filter((event) => event.type === 'job.released')).toHaveLength(1);
    },
  );

  it('that is rejected delivers nothing, and its routes are cancelled', async () => {
    const { jobs, jobId } = await held();
    await rejectJob(jobs.services, jobs.tenantId, { jobId, ...because });
    const receipt = await receiptOf(jobs);
    expect(receipt.job).toMatchObject({ state: 'rejected', verdict: 'rejected', decision: { kind: 'reject', ...because } });
    expect(receipt.targets.map(({ routed, cancelled }) => [routed.records, cancelled.records])).toEqual([
      [4, 4],
      [6, 6],
    ]);
    expect(jobs.delivered.size).toBe(0);
    expect(await jobs.usage()).toMatchObject({ held: 0 });
  });

  it('whose trailer is missing may be released, with a warning, because all its records were read', async () => {
    const jobs = await start();
    const [jobId] = await jobs.accept([text(fixtureLines.filter((line) => !line.startsWith('T')))]);
    jobs.startAll();
    await stateIs(jobs, 'held');
    const { allowed, warnings, records } = await previewDecision(jobs.services, jobs.tenantId, jobId!, 'release');
    expect([allowed, records.read]).toEqual([['release', 'reject', 'cancel'], 12]);
    expect(warnings).toEqual([{ code: 'E_TRUNCATED', message: expect.stringContaining('it holds 12 records') }]);
    await releaseJob(jobs.services, jobs.tenantId, { jobId: jobId!, ...because });
    expect((await receiptOf(jobs)).job).toMatchObject({ state: 'completed', verdict: 'partial' });
  });

  it.each([1_000_000, 60])('of which a record was not read cannot be released, only rejected (chunks of %i)', async (chunkBytes) => {
    const jobs = await start({ chunkBytes });
    const [jobId] = await jobs.accept([text([...fixtureLines.slice(0, -1), 'D,open,"1.00,ZAR,r'])]);
    jobs.startAll();
    await stateIs(jobs, 'held');
    const reasons = (await previewDecision(jobs.services, jobs.tenantId, jobId!)).reasons.map(({ code }) => code);
    expect(reasons).toContain('E_QUOTE_OPEN');
    const refusal = {
      code: 'E_JOB_INCOMPLETE',
      message: 'records of the file could not be read, or its format finds it wrong as a whole (E_QUOTE_OPEN)',
    };
    await expect(previewDecision(jobs.services, jobs.tenantId, jobId!, 'release')).rejects.toMatchObject(refusal);
    await expect(releaseJob(jobs.services, jobs.tenantId, { jobId: jobId!, ...because })).rejects.toMatchObject(refusal);
    await rejectJob(jobs.services, jobs.tenantId, { jobId: jobId!, ...because });
    expect((await receiptOf(jobs)).job).toMatchObject({ state: 'rejected' });
  });

  it('whose file could not be processed cannot be released, only rejected', async () => {
    const jobs = await start();
    const [jobId] = await jobs.accept([text(fixtureLines)]);
    await jobs.rows(
      `/* lose the file */ update headgate.files set object = jsonb_set(object::jsonb, '{wrappedKey}', '""') where tenant_id = $1`,
    );
    jobs.startAll();
    await stateIs(jobs, 'held');
    expect((await previewDecision(jobs.services, jobs.tenantId, jobId!)).allowed).toEqual(['reject', 'cancel']);
    await expect(releaseJob(jobs.services, jobs.tenantId, { jobId: jobId!, ...because })).rejects.toMatchObject({
      code: 'E_JOB_INCOMPLETE',
    });
    await rejectJob(jobs.services, jobs.tenantId, { jobId: jobId!, ...because });
    expect(await receiptOf(jobs)).toMatchObject({ chunks: [], records: { read: 0 }, job: { state: 'rejected' } });
  });
});

describe('a decision', () => {
  it('needs a reason in words', async () => {
    const { jobs, jobId } = await held();
    for (const reason of ['', '   ', 'x'.repeat(501)]) {
      await expect(releaseJob(jobs.services, jobs.tenantId, { jobId, actor: 'a', reason })).rejects.toMatchObject({
        code: 'E_REASON_REQUIRED',
      });
    }
  });

  it('that was made on an older preview is refused', async () => {
    const { jobs, jobId } = await held();
    const { version } = await previewDecision(jobs.services, jobs.tenantId, jobId);
    await jobs.rows('/* touch */ update headgate.jobs set changed_at = headgate.clock() where tenant_id = $1');
    const late: DecisionRequest = { jobId, ...because, previewed: version };
    await expect(rejectJob(jobs.services, jobs.tenantId, late)).rejects.toMatchObject({ code: 'E_DECISION_STALE' });
    expect((await jobs.jobs())[0]!.state).toBe('held');
  });

  it('of two people at once is made once', async () => {
    const { jobs, jobId } = await held();
    const both = await Promise.allSettled([
      releaseJob(jobs.services, jobs.tenantId, { jobId, ...because }),
      rejectJob(jobs.services, jobs.tenantId, { jobId, ...because }),
    ]);
    expect(both.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected']);
    const receipt = await receiptOf(jobs);
    expect(receipt.job.state).toBe(both[0]!.status === 'fulfilled' ? 'completed' : 'rejected');
  });

  it('about a job of another tenant, or of none, finds nothing', async () => {
    const { jobs, jobId } = await held();
    const other = await scenarios.start({ plan: fixture });
    for (const act of [releaseJob, rejectJob, cancelJob]) {
      await expect(act(other.services, other.tenantId, { jobId, ...because })).rejects.toMatchObject({ code: 'E_JOB_UNKNOWN' });
    }
    expect((await jobs.jobs())[0]!.state).toBe('held');
  });

  it('about a closed job is refused', async () => {
    const jobs = await start();
    const [jobId] = await jobs.accept([text(fixtureLines)]);
    jobs.startAll();
    await receiptOf(jobs);
    for (const act of [releaseJob, rejectJob, cancelJob]) {
      await expect(act(jobs.services, jobs.tenantId, { jobId: jobId!, ...because })).rejects.toMatchObject({ code: 'E_JOB_STATE' });
    }
  });
});

describe('a cancelled job', () => {
  it.each([1_000_000, 60])('that waits is never run (chunks of %i), and has a receipt of nothing', async (chunkBytes) => {
    const jobs = await start({ chunkBytes });
    const [jobId] = await jobs.accept([text(fixtureLines)]);
    expect(await cancelJob(jobs.services, jobs.tenantId, { jobId: jobId!, ...because })).toEqual({ jobId, state: 'cancelled' });
    expect(await jobs.usage()).toMatchObject({ inFlight: 0 });
    jobs.startAll();
    expect(await receiptOf(jobs)).toMatchObject({ job: { state: 'cancelled', verdict: 'cancelled' }, chunks: [], records: { read: 0 } });
    expect(jobs.delivered.size).toBe(0);
  });

  it('leaves the others of its group alone', async () => {
    const jobs = await start();
    const ids = await jobs.accept([text(fixtureLines), text(fixtureLines), text(fixtureLines)]);
    await cancelJob(jobs.services, jobs.tenantId, { jobId: ids[1]!, ...because });
    jobs.startAll();
    await until(async () => (await jobs.jobs()).every((job) => job.closedAt !== null), 'the jobs did not close');
    expect((await jobs.jobs()).map((job) => job.state)).toEqual(['completed', 'cancelled', 'completed']);
    expect(jobs.delivered.get('archive')!.length).toBe(12);
    expect(await jobs.usage()).toMatchObject({ inFlight: 0 });
  });

  it('is previewed with what was delivered apart from what it would keep back, which is what it keeps back then', async () => {
    const busy = { kind: 'refused', retryable: true, retryAfterMs: 60_000, code: 'E_TARGET_BUSY', message: 'later' } as const;
    const jobs = await start({ answer: ({ records }) => (records === 4 ? busy : { kind: 'acked' }) });
    const [jobId] = await jobs.accept([text(fixtureLines)]);
    const before = await previewDecision(jobs.services, jobs.tenantId, jobId!, 'cancel');
    expect(before.targets.map(({ withdrawable }) => withdrawable.records)).toEqual([0, 0]);
    jobs.startAll();
    const waits =
      "/* look at batches */ select 1 from headgate.batches where tenant_id = $1 and (state, attempts) in (('ready', 1), ('acked', 1))";
    await until(async () => (await jobs.rows(waits)).length === 2, 'one target did not deliver, or the other did not refuse');
    const [ledger, archive] = (await previewDecision(jobs.services, jobs.tenantId, jobId!, 'cancel')).targets;
    expect(ledger).toMatchObject({ records: 4, delivered: 0, underWay: 0, withdrawable: { records: 4, amounts: ledger!.amounts } });
    expect(archive).toMatchObject({ records: 6, delivered: 6, underWay: 0, withdrawable: { records: 0, amounts: {} } });
    await cancelJob(jobs.services, jobs.tenantId, { jobId: jobId!, ...because });
    expect((await receiptOf(jobs)).targets.map(({ cancelled }) => cancelled.records)).toEqual([4, 0]);
    const after = await previewDecision(jobs.services, jobs.tenantId, jobId!);
    expect(after.targets.map(({ delivered, withdrawable }) => [delivered, withdrawable.records])).toEqual([
      [0, 0],
      [6, 0],
    ]);
  });

  it('whose deliveries wait closes as cancelled with them', async () => {
    const jobs = await start();
    const [jobId] = await jobs.accept([text(fixtureLines)]);
    jobs.startWorker();
    await stateIs(jobs, 'delivering');
    await cancelJob(jobs.services, jobs.tenantId, { jobId: jobId!, ...because });
    // Asked again while it is not closed, by somebody else, it stays as it was decided.
    expect((await previewDecision(jobs.services, jobs.tenantId, jobId!)).allowed).toEqual([]);
    const again = cancelJob(jobs.services, jobs.tenantId, { jobId: jobId!, reason: 'a second thought', actor: 'key:bea' });
    await expect(again).rejects.toMatchObject({ code: 'E_JOB_STATE', message: expect.stringContaining('cancelled already') });
    jobs.startCloser();
    const receipt = await receiptOf(jobs);
    expect(receipt.job).toMatchObject({ state: 'cancelled', decision: { kind: 'cancel', ...because } });
    expect(receipt.targets.map(({ routed, cancelled }) => [routed.records, cancelled.records])).toEqual([
      [4, 4],
      [6, 6],
    ]);
    jobs.startDeliveries();
    expect(jobs.delivered.size).toBe(0);
  });

  it('while it is being closed is named in its receipt', async () => {
    const jobs = await start();
    const [jobId] = await jobs.accept([text(fixtureLines)]);
    jobs.startWorker();
    jobs.startDeliveries();
    const ready = "/* look at work */ select 1 from headgate.work_items where tenant_id = $1 and kind = 'close'";
    await until(async () => (await jobs.rows(ready)).length === 1, 'the job is not to be closed');
    const { queue } = jobs.services;
    const beside = AsyncLocalStorage.snapshot();
    let isDecided = false;
    const finishWork: typeof queue.finishWork = async (tx, items) => {
      if (!isDecided && items.some(({ referenceId }) => referenceId === jobId)) {
        isDecided = true;
        await beside(() => cancelJob(jobs.services, jobs.tenantId, { jobId: jobId!, ...because }));
      }
      await queue.finishWork(tx, items);
    };
    jobs.startCloser({ ...jobs.services, queue: { ...queue, finishWork } });
    expect((await receiptOf(jobs)).job).toMatchObject({ state: 'completed', decision: { kind: 'cancel', ...because } });
    expect((await jobs.events()).filter(({ type }) => type === 'job.completed')).toHaveLength(1);
  });
});
