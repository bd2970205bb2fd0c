import { describe, expect, it } from 'vitest';
import { until } from '../../../test/support/delivery-scenario.ts';
import {
  assertLegalEvents,
  closed,
  receiptsOf,
  simpleLines,
  simplePlan,
  textOf,
  threadStorageOf,
} from '../../../test/support/job-facts.ts';
import type { JobScenario, JobScenarioOptions } from '../../../test/support/job-scenario.ts';
import { useJobScenarios } from '../../../test/support/job-scenarios.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import { createLogger } from '../../platform/telemetry/logger.ts';
import { groupRunOf, takeUpGroups } from './groups/claimed-groups.ts';
import { finishGroup } from './groups/group-finish.ts';
import { runGroup } from './groups/group-runner.ts';
import { cancelJob } from './job-decisions.ts';
import { rescueWork } from './queue/work-rescuer.ts';

const scenarios = useJobScenarios();

async function start(options: Omit<JobScenarioOptions, 'database'>): Promise<JobScenario> {
  return await scenarios.start({ ...options });
}

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
    const lines: Record<string, unknown>[] = [];
    const logger = createLogger({ level: 'warn', destination: { write: (line) => void lines.push(JSON.parse(line)) } });
    const jobs = await start({ plan: simplePlan(), chunkBytes: 700, leaseMs: 60_000, logger });
    jobs.crash.arm(point);
    const jobIds = await jobs.accept([textOf(simpleLines(120)), textOf(simpleLines(2, 900))]);
    jobs.startAll();
    let [looks, nextPass] = [0, 40];
    await until(async () => {
      if ((await jobs.jobs()).every((job) => job.closedAt !== null)) return true;
      // What the dead process held comes back when its leases have run out. The living must have time to end theirs, however slow they are.
      if (++looks === nextPass) {
        nextPass *= 2;
        await jobs.passTime(61);
      }
      return false;
    }, 'the jobs did not close');
    expect(jobs.crash.reached.get(point)).toBeGreaterThan(0);
    expect((await jobs.jobs()).map((job) => job.state)).toEqual(['completed', 'completed']);
    expect([...jobs.delivered.get('all')!].sort()).toEqual([...new Set(jobs.delivered.get('all')!)].sort());
    expect(jobs.delivered.get('all')!.length).toBe(122);
    expect((await receiptsOf(jobs)).map((receipt) => receipt.records.valid)).toEqual([120, 2]);
    expect(await jobs.rows('/* no work */ select 1 from headgate.work_items where tenant_id = $1')).toEqual([]);
    await assertLegalEvents(jobs);
    for (const line of lines) expect(line).toMatchObject({ tenant: expect.any(String) });
    for (const { message, ...ids } of lines.filter((line) => line['message'] === 'a check of a file failed'))
      expect(ids).toMatchObject({
        flow: simplePlan().flow.name,
        jobId: jobIds[0],
        traceId: expect.any(String),
        spanId: expect.any(String),
      });
  });
});

describe('two workers on one group', () => {
  it('the one whose lease ran out commits nothing, and its segments are gone', async () => {
    const jobs = await start({ plan: simplePlan(), leaseMs: 60_000 });
    await jobs.accept([textOf(simpleLines(4))]);
    const threadStorage = threadStorageOf(jobs);
    const claim = async () => {
      const items = await jobs.services.queue.claimWork(scenarios.database.db, 'chunks', {
        limit: 1,
        workerId: jobs.ids.next(),
        leaseMs: 1_000,
      });
      const { groups } = await jobs.inTenant((tx) => takeUpGroups(tx, jobs.services, items));
      const [group] = groups;
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

it('work whose lease ran out is returned, although the work of another is being ended by a transaction that takes long', async () => {
  const jobs = await start({ plan: simplePlan() });
  const work = Array.from({ length: 2 }, () => ({ kind: 'deliver', referenceId: jobs.ids.next() }) as const);
  await jobs.inTenant((tx) => jobs.services.queue.addWork(tx, work));
  const claim = async () => {
    const items = await jobs.services.queue.claimWork(scenarios.database.db, 'deliver', {
      limit: 100,
      workerId: jobs.ids.next(),
      leaseMs: 1_000,
    });
    return items.filter(({ tenantId }) => tenantId === jobs.tenantId);
  };
  const [ending, left] = (await claim()).toSorted((a, b) => (a.workId < b.workId ? -1 : 1));
  await jobs.passTime(2);
  const locked = Promise.withResolvers<void>();
  const letGo = Promise.withResolvers<void>();
  const end = jobs.inTenant(async (tx) => {
    await jobs.services.queue.endWork(tx, [{ ...ending!, delayMs: null }]);
    locked.resolve();
    await letGo.promise;
  });
  await locked.promise;
  const told: string[] = [];
  const logger = { ...jobs.services.logger, error: (message: string) => void told.push(message) };
  await rescueWork({ ...jobs.services, logger }).finally(() => letGo.resolve());
  await end;
  expect(told).toEqual([]);
  await jobs.passTime(60);
  expect((await claim()).map(({ workId }) => workId)).toEqual([left!.workId]);
});

it('work that is renewed after it was found expired stays with the one who has it', async () => {
  const jobs = await start({ plan: simplePlan() });
  const { queue, db } = jobs.services;
  await jobs.inTenant((tx) => queue.addWork(tx, [{ kind: 'deliver', referenceId: jobs.ids.next() }]));
  const claim = async () => {
    const items = await queue.claimWork(scenarios.database.db, 'deliver', { limit: 100, workerId: jobs.ids.next(), leaseMs: 1_000 });
    return items.filter(({ tenantId }) => tenantId === jobs.tenantId);
  };
  const mine = await claim();
  await jobs.passTime(2);
  const query: typeof db.query = async (...asked) => {
    const found = await db.query(...asked);
    if (String(asked[0]).startsWith('/* sweep')) await jobs.inTenant((tx) => queue.renewOurs(tx, mine, 3_600_000));
    return found as never;
  };
  await rescueWork({ ...jobs.services, db: { query, transaction: db.transaction.bind(db), close: () => db.close() } });
  await jobs.passTime(60);
  expect(await claim()).toEqual([]);
  await jobs.inTenant((tx) => queue.finishWork(tx, mine));
});

it('a job of which several chunks can not be processed is held once', async () => {
  const jobs = await start({ plan: simplePlan() });
  await jobs.accept([textOf(simpleLines(4))]);
  const claimed = { limit: 1, workerId: jobs.ids.next(), leaseMs: 60_000 };
  const items = await jobs.services.queue.claimWork(scenarios.database.db, 'chunks', claimed);
  const { groups } = await jobs.inTenant((tx) => takeUpGroups(tx, jobs.services, items));
  const { jobId } = groups[0]!.chunks[0]!;
  const failed = ['the first', 'the second'].map((message, number) => ({ jobId, number, failure: { code: 'E_SEAL', message } }));
  await finishGroup(jobs.services, groups[0]!, { chunks: [], failed, segments: [], seconds: 0 });
  const [row] = await jobs.rows<{ state: string; bytes: number; reason: string }>(
    '/* look at job */ select state, bytes, reason from headgate.jobs where tenant_id = $1',
  );
  expect(row).toMatchObject({ state: 'held', reason: 'the first' });
  expect(await jobs.usage()).toMatchObject({ held: row!.bytes });
  expect((await jobs.events()).filter(({ type }) => type === 'job.held')).toHaveLength(1);
});

describe('a worker that wakes up after its claim has gone to another', () => {
  it.each(['before', 'after'])('%s the other began, starts nothing, and the other finishes', async (when) => {
    const jobs = await start({ plan: simplePlan() });
    await jobs.accept([textOf(simpleLines(4))]);
    const claim = () =>
      jobs.services.queue.claimWork(scenarios.database.db, 'chunks', { limit: 1, workerId: jobs.ids.next(), leaseMs: 1_000 });
    const takeUp = (items: Awaited<ReturnType<typeof claim>>) => jobs.inTenant((tx) => takeUpGroups(tx, jobs.services, items));
    const late = await claim();
    await jobs.passTime(2);
    await rescueWork(jobs.services);
    await jobs.passTime(60);
    const winner = await claim();
    if (when === 'before') expect((await takeUp(late)).groups).toEqual([]);
    const { groups } = await takeUp(winner);
    if (when === 'after') expect((await takeUp(late)).groups).toEqual([]);
    await finishGroup(jobs.services, groups[0]!, runGroup(threadStorageOf(jobs), groupRunOf(groups[0]!)));
    expect((await jobs.jobs())[0]).toMatchObject({ state: 'delivering', read: 4 });
  });
});

describe('a flow version that this program cannot load', () => {
  it('lets its own work wait, and no other', async () => {
    const jobs = await start({ plan: simplePlan() });
    const { flows } = jobs.services;
    let isBroken = true;
    Object.assign(jobs.services, {
      flows: {
        load: async (tx: never, id: string) => {
          if (isBroken) throw new HeadgateError('E_FLOW_UNKNOWN', 'it does not compile any more');
          return await flows.load(tx, id);
        },
      },
    });
    await jobs.accept([textOf(simpleLines(2))]);
    jobs.startWorker();
    await until(async () => (await jobs.events()).some((event) => event.type === 'chunk_group.released'), 'it was not given back');
    const groups = await jobs.rows('/* look */ select state, attempts from headgate.chunk_groups where tenant_id = $1');
    expect(groups).toEqual([{ state: 'ready', attempts: 0 }]);
    isBroken = false;
    await jobs.passTime(61);
    jobs.services.signals.chunks.notify();
    await until(async () => (await jobs.jobs())[0]!.state === 'delivering', 'it did not go on');
  });
});

describe('a file whose check fails', () => {
  it.each([
    ['five times for a cause of its own goes on, however often it failed for a passing one', 5, 5, 'completed'],
    ['six times for a cause of its own is held', 0, 6, 'held'],
  ])('%s', async (_, passing, own, state) => {
    const jobs = await start({ plan: simplePlan(), chunkBytes: 700, leaseMs: 60_000 });
    let failures = 0;
    Object.assign(jobs.services, {
      crashPoints: {
        reach(point: string) {
          if (point !== 'jobs.after-check' || failures >= passing + own) return;
          if (failures++ < passing) throw new HeadgateError('E_STORAGE_FULL', 'the disk is full');
          throw new Error('it can not be judged');
        },
      },
    });
    await jobs.accept([textOf(simpleLines(120))]);
    jobs.startAll();
    const isSo = async () => {
      if ((await jobs.jobs())[0]!.state === state) return true;
      // What was given back would be due after a while.
      await jobs.rows(
        "/* hasten */ update headgate.work_items set due_at = headgate.clock() where tenant_id = $1 and kind = 'check' and lease_until is null",
      );
      jobs.services.signals.check.notify();
      return false;
    };
    await until(isSo, `the file is not ${state}`);
    expect(failures).toBe(passing + own);
  });
});

describe('a job that a person cancels while its group runs', () => {
  it.each([
    ['beside others', 3],
    ['alone', 1],
  ])('%s leaves no batch, whoever commits first', async (_, files) => {
    const jobs = await start({ plan: simplePlan(), leaseMs: 60_000 });
    const ids = await jobs.accept(Array.from({ length: files }, (__, index) => textOf(simpleLines(2, index * 10))));
    const threadStorage = threadStorageOf(jobs);
    const items = await jobs.services.queue.claimWork(scenarios.database.db, 'chunks', {
      limit: 1,
      workerId: jobs.ids.next(),
      leaseMs: 60_000,
    });
    const { groups } = await jobs.inTenant((tx) => takeUpGroups(tx, jobs.services, items));
    const [group] = groups;
    const result = runGroup(threadStorage, groupRunOf(group!));
    await cancelJob(jobs.services, jobs.tenantId, { jobId: ids[0]!, reason: 'sent by mistake', actor: 'key:ops' });
    const finishing = finishGroup(jobs.services, group!, result);
    if (files === 1) await expect(finishing).rejects.toMatchObject({ code: 'E_FENCED' });
    else await finishing;
    expect((await jobs.jobs()).map((job) => job.state)).toEqual(['cancelled', 'delivering', 'delivering'].slice(0, files));
    const batches = await jobs.rows<{ jobIds: string[] }>(
      '/* batches */ select job_ids as "jobIds" from headgate.batches where tenant_id = $1',
    );
    expect(batches.flatMap((batch) => batch.jobIds).includes(ids[0]!)).toBe(false);
    expect(await jobs.usage()).toMatchObject({ inFlight: 0 });
    jobs.startAll();
    await closed(jobs, files);
    expect(jobs.delivered.get('all')?.length ?? 0).toBe((files - 1) * 2);
    await assertLegalEvents(jobs);
  });
});

describe('a worker that is stopped', () => {
  it('while a thread hangs, gives the work back within its time, and another worker finishes it', async () => {
    const jobs = await start({ plan: simplePlan(), env: { HEADGATE_TEST_STALL: 'p3,' } });
    await jobs.accept([textOf(simpleLines(4)), textOf(simpleLines(2, 900))]);
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
    const again = await scenarios.start({ plan: simplePlan(), beside: jobs.storage });
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
    await jobs.accept([textOf(simpleLines(4))]);
    await closed(jobs, 1);
  });
});

describe('a lease', () => {
  it('is kept while a thread works longer than it lasts', async () => {
    const jobs = await start({ plan: simplePlan(), leaseMs: 2_000, env: { HEADGATE_TEST_STALL: 'p3,' } });
    await jobs.accept([textOf(simpleLines(4))]);
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
