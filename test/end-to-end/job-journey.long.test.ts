import { chmodSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadFlow } from '../../src/control/flows/load-flow.ts';
import { cancelJob, releaseJob } from '../../src/control/jobs/job-decisions.ts';
import { findJob } from '../../src/control/jobs/views/job-views.ts';
import { cardsFile, eftFile } from '../../src/main/demo/demo-files.ts';
import type { DeliveryOutcome, OutgoingBatch } from '../../src/pipeline/connectors/connector.ts';
import { decideHeldBatch } from '../../src/pipeline/deliveries/held/held-batches.ts';
import type { VerificationReport } from '../../src/pipeline/ledger/verification/verification-report.ts';
import { withTenant } from '../../src/platform/tenancy/tenant-scope.ts';
import { until } from '../support/delivery-scenario.ts';
import { closed } from '../support/job-facts.ts';
import { type JobScenario, type JobScenarioOptions, tenantName } from '../support/job-scenario.ts';
import { useJobScenarios } from '../support/job-scenarios.ts';
import { verifiedWithReceipt } from '../support/verified-job.ts';

const scenarios = useJobScenarios();

async function start(flow: string, options: Partial<JobScenarioOptions> = {}, edit = (text: string) => text): Promise<JobScenario> {
  const tenant = tenantName();
  const example = readFileSync(join(import.meta.dirname, '../../examples', flow), 'utf8');
  const source = edit(example.replace(/(?<=\btenant: )[a-z-]+/, tenant));
  const { plan } = loadFlow(source);
  return await scenarios.start({ plan: plan!, source, tenant, ...options });
}

async function verified(jobs: JobScenario, jobId: string): Promise<VerificationReport> {
  return (await verifiedWithReceipt(jobs, jobId)).report;
}

describe('the whole way of a file by a real flow', () => {
  it.each([
    [1, 20_000],
    [2, 10_000_000],
  ])('an EFT file (seed %i, chunks of %i bytes) is delivered, and its export verifies offline', async (seed, chunkBytes) => {
    const jobs = await start('eft.yaml', { chunkBytes });
    const [jobId] = await jobs.accept([[...eftFile(seed, 1_500)].join('')]);
    jobs.startAll();
    await closed(jobs, 1);
    const [job] = await jobs.jobs();
    expect(job).toMatchObject({ state: 'completed', verdict: 'partial', read: 1_500 });
    expect(job!.rejected).toBeGreaterThan(5);
    const delivered = [...jobs.delivered.values()].flat();
    expect(delivered.length).toBe(job!.valid);
    const report = await verified(jobs, jobId!);
    expect(report.failures).toEqual([]);
    expect(report.isSound).toBe(true);
  });

  it('of a held file that a person released verifies offline too', async () => {
    const jobs = await start('eft.yaml', { chunkBytes: 20_000 });
    const lines = [...eftFile(3, 500)];
    const bad = lines.map((line, index) =>
      index > 0 && index % 10 === 0 && line.startsWith('D') ? line.replace(/ZAR|USD|EUR/, 'QQQ') : line,
    );
    const [jobId] = await jobs.accept([bad.join('')]);
    jobs.startAll();
    await until(async () => (await jobs.jobs())[0]!.state === 'held', 'it was not held');
    await releaseJob(jobs.services, jobs.tenantId, { jobId: jobId!, reason: 'known to the sender', actor: 'key:ops' });
    await closed(jobs, 1);
    const report = await verified(jobs, jobId!);
    expect(report.failures).toEqual([]);
  });

  it('of a file whose records are held back behind a refused one of their key balances, closes and verifies offline', async () => {
    const refusesFirst = (batch: OutgoingBatch): DeliveryOutcome => {
      const perRecord = [{ index: 0, status: 'refused', code: 'ACCOUNT_CLOSED' } as const];
      return batch.number === '1-0000' ? { kind: 'acked', perRecord } : { kind: 'acked' };
    };
    const jobs = await start('eft.yaml', { chunkBytes: 20_000, answer: refusesFirst });
    const file = [...eftFile(4, 400)].join('');
    const ids = await jobs.accept([file]);
    jobs.startAll();
    await closed(jobs, 1);
    ids.push(...(await jobs.accept([file])));
    await closed(jobs, 2);
    expect((await jobs.jobs()).map(({ state }) => state)).toEqual(['completed_with_failures', 'completed_with_failures']);
    const [first, second] = [await verifiedWithReceipt(jobs, ids[0]!), await verifiedWithReceipt(jobs, ids[1]!)];
    expect([first.report.failures, second.report.failures]).toEqual([[], []]);
    const ends = ({ receipt }: typeof first) =>
      Object.fromEntries(receipt.targets.map(({ id, refused, dead }) => [id, [refused.records, dead.records]]));
    // Only rtgs keeps the order of keys.
    expect(ends(first)).toEqual({ rtgs: [1, 0], eft: [1, 0], fx: [1, 0] });
    expect(ends(second)).toEqual({ rtgs: [0, 1], eft: [0, 0], fx: [0, 0] });
  });

  it('of a file of which a person said that it was delivered has that word in its export, and the verifier notes it', async () => {
    const jobs = await start(
      'eft.yaml',
      {
        answer: ({ number, attempt }) =>
          number === '1-0000' && attempt === 1 ? { kind: 'unknown', code: 'E_TARGET_REPLY_LOST', message: 'no answer' } : { kind: 'acked' },
      },
      (text) => text.replace('path: rtgs,', 'path: rtgs, onUnknown: hold,'),
    );
    const [jobId] = await jobs.accept([[...eftFile(4, 400)].join('')]);
    jobs.startAll();
    const held = async () =>
      (
        await jobs.rows<{ id: string }>("/* held */ select batch_id as id from headgate.batches where tenant_id = $1 and state = 'held'")
      )[0];
    await until(async () => (await held()) !== undefined, 'nothing was held');
    const { db, store, queue, ports, flows } = jobs.services;
    const services = {
      db,
      store,
      queue,
      ports,
      loadPlan: async (...version: Parameters<typeof flows.load>) => (await flows.load(...version)).plan,
    };
    const decision = { batchId: (await held())!.id, decision: 'delivered', reason: 'seen in their portal', actor: 'key:ops' } as const;
    await decideHeldBatch(services, jobs.tenantId, decision);
    await closed(jobs, 1);
    const report = await verified(jobs, jobId!);
    expect(report.failures).toEqual([]);
    expect(report.notes).toContainEqual(expect.stringMatching(/^1 batches are delivered by the word of a person/));
  });

  it('of a file that a person cancelled while it ran shows the chunks that had been run, and the decision with its event', async () => {
    const jobs = await start('eft.yaml', { chunkBytes: 20_000 });
    const [jobId] = await jobs.accept([[...eftFile(5, 1_500)].join('')]);
    jobs.crash.arm('jobs.before-commit', 3);
    const worker = jobs.startWorker();
    await until(async () => (jobs.crash.reached.get('jobs.before-commit') ?? 0) >= 3, 'the worker did not come so far');
    await worker.stop(3_000);
    await cancelJob(jobs.services, jobs.tenantId, { jobId: jobId!, reason: 'the sender asked for it', actor: 'key:ops' });
    jobs.startCloser();
    await closed(jobs, 1);
    const { receipt, report } = await verifiedWithReceipt(jobs, jobId!);
    expect(report.failures).toEqual([]);
    expect(receipt.job).toMatchObject({ state: 'cancelled', checked: false });
    expect(receipt.job.decision).toMatchObject({ kind: 'cancel', reason: 'the sender asked for it', actor: 'key:ops' });
    const [event] = await jobs.rows<{ id: string; at: Date }>(
      "/* decision */ select event_id as id, at from headgate.events where tenant_id = $1 and type = 'job.cancelled'",
    );
    expect(receipt.job.decision).toMatchObject({ eventId: event!.id, at: event!.at.toISOString() });
    const [all] = await jobs.rows<{ chunks: number }>('/* chunks */ select chunks from headgate.jobs where tenant_id = $1');
    expect(receipt.chunks.length).toBeGreaterThan(0);
    expect(receipt.chunks.length).toBeLessThan(all!.chunks);
    expect(report.checks.find(({ name }) => name === 'output bytes')!.compared).toBeGreaterThan(0);
  });

  it('of small files that shared segments and batches verifies for each of them', async () => {
    const jobs = await start('cards.yaml', {}, (text) => text.replaceAll('connection: acme-out,', 'connection: acme-out, rollUp: true,'));
    const ids = await jobs.accept([1, 2, 3, 4, 5].map((seed) => [...cardsFile(seed, 20 * seed)].join('')));
    jobs.startAll();
    await closed(jobs, 5);
    const shared = await jobs.rows('/* shared */ select 1 from headgate.batches where tenant_id = $1 and cardinality(job_ids) > 1');
    expect(shared.length).toBeGreaterThan(0);
    for (const jobId of ids) {
      const report = await verified(jobs, jobId);
      expect(report.failures).toEqual([]);
      expect(report.isSound).toBe(true);
    }
  });
});

it('the same file run twice for a tenant leaves the same bytes in every part', async () => {
  const jobs = await start('eft.yaml', { chunkBytes: 30_000 });
  const file = [...eftFile(4, 1_000)].join('');
  await jobs.accept([file]);
  await jobs.accept([file]);
  jobs.startAll();
  await closed(jobs, 2);
  const rows = await jobs.rows<{ hashes: string; jobs: number; objects: number }>(
    `/* hashes */ select jsonb_path_query_array(segments::jsonb, '$.**.sha256')::text as hashes, count(distinct job_id)::int as jobs,
       count(distinct segments #>> '{outcomes,segmentId}')::int as objects
     from headgate.chunks where tenant_id = $1 group by 1`,
  );
  expect(rows.length).toBeGreaterThan(2);
  for (const row of rows) expect(row).toMatchObject({ jobs: 2, objects: 2 });
});

describe('a target whose files end by time', () => {
  const windowed = (text: string) => text.replace('      path: eft\n', '      path: eft\n      window: 1h\n');
  const eftRows = (jobs: JobScenario) =>
    jobs.rows<{ routed: number; delivered: number; cancelled: number }>(
      "/* eft */ select routed, delivered, cancelled from headgate.job_targets where tenant_id = $1 and target_id = 'eft' order by job_id",
    );
  const eftBatches = (jobs: JobScenario) =>
    jobs.rows<{ records: number; jobs: number; state: string }>(
      "/* batches */ select records, cardinality(job_ids) as jobs, state from headgate.batches where tenant_id = $1 and target_id = 'eft' order by state",
    );
  const allCut = async (jobs: JobScenario, count: number) =>
    until(async () => (await eftRows(jobs)).length === count, 'the files were not accepted');

  it('puts what comes within the window into one file when it ends, once, and every job balances and verifies offline', async () => {
    const jobs = await start('eft.yaml', { chunkBytes: 20_000, leaseMs: 7_200_000 }, windowed);
    jobs.crash.arm('collections.before-commit');
    const ids = await jobs.accept([[...eftFile(6, 400)].join(''), [...eftFile(7, 400)].join('')]);
    jobs.startAll();
    await allCut(jobs, 2);
    const waiting = await eftRows(jobs);
    expect(waiting.map(({ routed, delivered }) => [routed > 0, delivered])).toEqual([
      [true, 0],
      [true, 0],
    ]);
    expect(await eftBatches(jobs)).toEqual([]);
    await jobs.passTime(3_600);
    await until(async () => jobs.crash.reached.has('collections.before-commit'), 'the window did not end');
    expect(await eftBatches(jobs)).toEqual([]);
    await jobs.passTime(7_200);
    await closed(jobs, 2);
    const routed = waiting.reduce((sum, row) => sum + row.routed, 0);
    expect(await eftBatches(jobs)).toEqual([{ records: routed, jobs: 2, state: 'acked' }]);
    expect(jobs.delivered.get('eft') ?? []).toHaveLength(routed);
    expect((await jobs.jobs()).map(({ state }) => state)).toEqual(['completed', 'completed']);
    for (const id of ids) expect((await verified(jobs, id)).failures).toEqual([]);
  });

  it('waits for no file whose bytes can not be read: that is held by itself, and the others are written', async () => {
    const jobs = await start('eft.yaml', { leaseMs: 7_200_000 }, windowed);
    jobs.startAll();
    for (const seed of [6, 7, 8]) {
      await jobs.accept([[...eftFile(seed, 100)].join('')]);
      await allCut(jobs, seed - 5);
    }
    const [, damaged] = await jobs.rows<{ object: { name: string } }>(
      "/* objects */ select object from headgate.segments where tenant_id = $1 and target_id = 'eft' order by segment_id",
    );
    const path = join(jobs.root, damaged!.object.name);
    chmodSync(path, 0o600);
    truncateSync(path, 40);
    const isCut = async () => {
      await jobs.passTime(3_600);
      return (await eftBatches(jobs)).some(({ state }) => state === 'held');
    };
    await until(isCut, 'nothing was held');
    await closed(jobs, 2);
    expect((await eftBatches(jobs)).map(({ jobs, state }) => [jobs, state])).toEqual([
      [2, 'acked'],
      [1, 'held'],
    ]);
    const states = (await jobs.jobs()).map(({ jobId, state }) => [jobId, state] as const);
    expect(states.map(([, state]) => state)).toEqual(['completed', 'delivering', 'completed']);
    const view = await withTenant(jobs.services.db, jobs.tenantId, (tx) => findJob(tx, states[1]![0]));
    expect(view!.targets.eft).toMatchObject({ waitingForWindow: 0, heldFor: ['E_OBJECT_DAMAGED'] });
  });

  it('leaves out what is cancelled before its window ends', async () => {
    const jobs = await start('eft.yaml', { chunkBytes: 20_000, leaseMs: 7_200_000 }, windowed);
    const ids = await jobs.accept([[...eftFile(8, 100)].join(''), [...eftFile(9, 100)].join('')]);
    jobs.startAll();
    await allCut(jobs, 2);
    const view = await withTenant(jobs.services.db, jobs.tenantId, (tx) => findJob(tx, ids[1]!));
    const { waitingForWindow, windowEndsAt, routed, inFlight } = view!.targets.eft!;
    expect([waitingForWindow, inFlight, windowEndsAt]).toEqual([routed, routed, expect.any(Date)]);
    await cancelJob(jobs.services, jobs.tenantId, { jobId: ids[0]!, reason: 'sent by mistake', actor: 'key:ops' });
    await jobs.passTime(3_600);
    await closed(jobs, 2);
    const [first, second] = await eftRows(jobs);
    expect(first).toEqual({ routed: first!.routed, delivered: 0, cancelled: first!.routed });
    expect(second).toEqual({ routed: second!.routed, delivered: second!.routed, cancelled: 0 });
    expect(await eftBatches(jobs)).toEqual([
      { records: second!.routed, jobs: 1, state: 'acked' },
      { records: first!.routed, jobs: 1, state: 'cancelled' },
    ]);
    for (const id of ids) expect((await verified(jobs, id)).failures).toEqual([]);
  });
});

describe('a target whose batches linger', () => {
  const lingering = (text: string) =>
    text.replace(/ {4}eft:\n(?: {6}.*\n)+/, '    eft: { type: http, connection: eft-out, path: /, batch: { size: 100, linger: 1m } }\n');
  const eftBatches = (jobs: JobScenario) =>
    jobs.rows<{ records: number; jobs: number; state: string }>(
      "/* batches */ select records, cardinality(job_ids) as jobs, state from headgate.batches where tenant_id = $1 and target_id = 'eft' order by records",
    );
  const routed = (jobs: JobScenario) =>
    jobs.rows<{ routed: number }>("/* eft */ select routed from headgate.job_targets where tenant_id = $1 and target_id = 'eft'");

  it('sends full batches at once, and what is left over of many small files in one when they have waited', async () => {
    const jobs = await start('eft.yaml', { chunkBytes: 10_000_000, leaseMs: 7_200_000 }, lingering);
    const ids = await jobs.accept([5, 10, 15, 400].map((records, seed) => [...eftFile(seed, records)].join('')));
    jobs.startAll();
    await until(async () => (await routed(jobs)).length === 4, 'the files were not accepted');
    const sum = (await routed(jobs)).reduce((total, row) => total + row.routed, 0);
    const atOnce = await eftBatches(jobs);
    expect(atOnce.map(({ jobs }) => jobs)).toEqual(atOnce.map(() => 1));
    expect(atOnce.length).toBeGreaterThan(1);
    await jobs.passTime(60);
    await closed(jobs, 4);
    const late = (await eftBatches(jobs)).filter(({ jobs }) => jobs > 1);
    expect(late).toEqual([
      { records: sum - atOnce.reduce((total, batch) => total + batch.records, 0), jobs: expect.any(Number), state: 'acked' },
    ]);
    expect(late[0]!.jobs).toBeGreaterThanOrEqual(3);
    expect(jobs.delivered.get('eft') ?? []).toHaveLength(sum);
    for (const id of ids) expect((await verified(jobs, id)).failures).toEqual([]);
  });
});

const singleFlow = (tenant: string) => `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: ${tenant}, service: payments, name: single, version: 1.0.0 }
spec:
  sources: [{ id: upload, type: http }]
  format: { type: delimited, header: true }
  schema: { record: { key: [id], fields: { id: { type: string, required: true, unique: file } } } }
  routes: { default: { to: [api] } }
  targets: { api: { type: http, connection: api, order: file, batch: { size: 1 } } }
  targetDefaults: { retry: { max: 50, initial: 20ms, cap: 50ms } }
`;

describe('the clock of the database', () => {
  it('that is set forth and back by an hour in mid-run makes work wait at the most: everything is delivered once, in order', async () => {
    let calls = 0;
    const sent = new Set<string>();
    const unlabelled: string[] = [];
    const tenant = tenantName();
    const source = singleFlow(tenant);
    const answer = ({ attempt, batchId, possibleDuplicate }: OutgoingBatch): DeliveryOutcome => {
      if (calls++ % 10 === 0 && attempt === 1) return { kind: 'refused', retryable: true, code: 'E_TARGET_BUSY', message: 'busy' };
      // What is under way when the clock is set forth may be taken from its worker: it is sent again, and labelled.
      if (sent.has(batchId) && !possibleDuplicate) unlabelled.push(batchId);
      sent.add(batchId);
      return { kind: 'acked' };
    };
    const jobs = await scenarios.start({ plan: loadFlow(source).plan!, source, tenant, leaseMs: 2_000, answer });
    const file = (name: string, records: number) => `id\n${Array.from({ length: records }, (_, at) => `${name}${at}\n`).join('')}`;
    const [first] = await jobs.accept([file('a', 40)]);
    jobs.startAll();
    await until(async () => sent.size > 8, 'nothing was delivered');
    await jobs.passTime(3_600);
    await until(async () => sent.size > 18, 'nothing was delivered once the clock was set forth');
    await jobs.passTime(-3_600);
    const [second] = await jobs.accept([file('b', 5)]);
    const isDue = '/* due */ select from headgate.work_items where tenant_id = $1 and due_at <= headgate.clock() and lane_order = 1';
    await until(async () => (await jobs.rows(isDue)).length === 0, 'what was due then is still due');
    expect(await jobs.jobs()).toMatchObject([{ state: 'delivering' }, {}]);
    await jobs.passTime(3_600);
    await closed(jobs, 2);
    const expected = [...Array.from({ length: 40 }, (_, at) => `a${at}`), ...Array.from({ length: 5 }, (_, at) => `b${at}`)];
    expect(jobs.delivered.get('api')!.map((line) => (JSON.parse(line) as { id: string }).id)).toEqual(expected);
    for (const jobId of [first!, second!]) expect((await verified(jobs, jobId)).failures).toEqual([]);
    expect([sent.size, unlabelled]).toEqual([45, []]);
  });
});
