/**
 * The loop that runs jobs: claims chunk groups and checks of files, gives them to the engine threads, and commits what comes
 * back under the fence of the claim. A group that fails for a passing cause is tried again; one that keeps ending its
 * thread goes to a child process, which finds the record to blame. SIGKILL at any point loses and doubles nothing.
 */
import { commitForCertain } from '../../pipeline/deliveries/certain-transaction.ts';
import type { WorkItem } from '../../pipeline/deliveries/work-queue-port.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import { withSpan } from '../../platform/telemetry/tracing.ts';
import { withWork } from '../../platform/telemetry/work-context.ts';
import { markObstacle, obstacleOf } from './closing/job-obstacles.ts';
import { checkJob, failCheck } from './file-checker.ts';
import { type ClaimedGroup, groupRunOf, type TakenUp, takeUpGroups } from './groups/claimed-groups.ts';
import { finishGroup } from './groups/group-finish.ts';
import { dropGroup, type ReturnedGroup, returnGroup } from './groups/group-return.ts';
import type { GroupResult } from './groups/group-run.ts';
import type { EngineThreads } from './groups/thread-pool.ts';
import { jobErrors } from './job-errors.ts';
import type { JobServices } from './job-services.ts';
import type { PoisonHunt } from './poison/poison-hunt.ts';
import { createWorkLoop } from './queue/work-loop.ts';
import { countFailure } from './queue/work-queue.ts';

export interface JobWorkerOptions {
  readonly services: JobServices;
  readonly threads: EngineThreads;
  readonly hunt: PoisonHunt;
  /** Of this process. */
  readonly workerId: string;
  readonly leaseMs: number;
}

export interface JobWorker {
  start(): void;
  /** Claims nothing more, lets runs end for a while, then ends the threads and gives the work back; within `timeoutMs`. */
  stop(timeoutMs?: number): Promise<void>;
}

/** Runs of a group that may end badly before a child process takes it. */
export const groupAttemptsMax = 3;
/** Of one file, those for a passing cause left out. */
const checkFailuresMax = 6;
const firstDelayMs = 200;
const delayMaxMs = 60_000;
/** Left of the time to stop, for giving work back. */
const returningMs = 1_000;

export function createJobWorker(options: JobWorkerOptions): JobWorker {
  const { services, threads, hunt, workerId, leaseMs } = options;
  const { ports, logger, metrics, signals } = services;
  let isStopping = false;

  async function runGroups(tenantId: string, items: readonly WorkItem[], done: (item: WorkItem) => void): Promise<void> {
    let taken: TakenUp = { groups: [], unloadable: [] };
    await commitForCertain(services, tenantId, async (tx) => {
      taken = await takeUpGroups(tx, services, items);
    });
    services.crashPoints.reach('jobs.after-start');
    const { groups, unloadable } = taken;
    for (const { groupId, item, error } of unloadable) {
      logger.error('a flow version cannot be loaded, its chunks wait', { error });
      await giveBack({ groupId, item, delayMs: delayMaxMs, isPassing: true, cause: error.code }, tenantId, null);
    }
    const known = new Set(groups.map((group) => group.item.workId));
    for (const item of items) if (!known.has(item.workId)) done(item);
    await Promise.all(groups.map((group) => runGroup(group).finally(() => done(group.item))));
  }

  async function runGroup(group: ClaimedGroup): Promise<void> {
    const [first] = group.chunks;
    if (first === undefined) {
      await commitForCertain(services, group.item.tenantId, (tx) => dropGroup(tx, services, group));
      return;
    }
    const isAlone = group.chunks.every((chunk) => chunk.jobId === first.jobId);
    const { plan, flowName } = group.flow;
    const work = { tenant: plan.flow.tenant, flow: flowName, ...(isAlone ? { jobId: first.jobId, chunk: first.chunkNumber } : {}) };
    await withSpan('run chunks', { parent: first.traceParent, work }, async (span) => {
      try {
        const result = await run(group);
        services.crashPoints.reach('jobs.after-segments');
        await finishGroup(services, group, result);
        span.set({ records: result.chunks.reduce((sum, chunk) => sum + chunk.summary.records.read, 0) });
        observe(group, result);
        signals.deliver.notify();
        signals.check.notify();
        signals.close.notify();
      } catch (error) {
        span.fail(error);
        await afterFailure(group, error);
      }
    });
  }

  async function run(group: ClaimedGroup): Promise<GroupResult> {
    services.crashPoints.reach('jobs.before-run');
    if (group.attempts <= groupAttemptsMax) return await threads.runGroup(groupRunOf(group));
    logger.warn('a chunk group goes to a child process, because its runs ended badly', { attempts: group.attempts });
    return await hunt.run((poison) => groupRunOf(group, poison));
  }

  /** Never rejects: what cannot be given back comes back when its lease runs out. */
  async function afterFailure(group: ClaimedGroup, error: unknown): Promise<void> {
    const code = error instanceof HeadgateError ? error.code : null;
    if (code === jobErrors.E_FENCED) {
      metrics.add('headgate_leases_lost_total', { kind: 'chunks' });
      logger.warn('a chunk group went to another worker');
      return;
    }
    const isPassing = isStopping || (error instanceof HeadgateError && error.retryable);
    metrics.add('headgate_chunks_total', { outcome: isStopping ? 'released' : 'failed' }, group.chunks.length);
    if (!isStopping) logger.error('a run of a chunk group failed', { error, attempts: group.attempts });
    const delayMs = isStopping ? 0 : delayAfter(isPassing ? group.item.attempts : group.attempts);
    const obstacle = isStopping ? null : obstacleOf(error);
    await giveBack({ ...group, delayMs, isPassing, cause: code ?? 'fault' }, group.item.tenantId, obstacle);
  }

  /** `obstacle`: for which the jobs of its chunks wait. */
  async function giveBack(group: ReturnedGroup & Partial<ClaimedGroup>, tenantId: string, obstacle: string | null): Promise<void> {
    const jobIds = [...new Set(group.chunks?.map(({ jobId }) => jobId))];
    try {
      await commitForCertain(services, tenantId, async (tx) => {
        await returnGroup(tx, services, group);
        if (obstacle !== null) await markObstacle(tx, ports.ids, jobIds, obstacle);
      });
    } catch (failure) {
      logger.warn('a chunk group could not be given back', { error: failure });
    }
  }

  function delayAfter(attempts: number): number {
    return Math.min(delayMaxMs, firstDelayMs * 2 ** Math.min(attempts, 12)) * (0.5 + ports.rng.fraction() / 2);
  }

  function observe(group: ClaimedGroup, result: GroupResult): void {
    metrics.add('headgate_chunks_total', { outcome: 'done' }, result.chunks.length);
    if (result.failed.length > 0) metrics.add('headgate_chunks_total', { outcome: 'failed' }, result.failed.length);
    metrics.observe('headgate_chunk_seconds', {}, result.seconds);
    const { tenant } = group.flow.plan.flow;
    for (const outcome of ['valid', 'rejected', 'filtered'] as const) {
      const count = result.chunks.reduce((sum, chunk) => sum + chunk.summary.records[outcome], 0);
      if (count > 0) metrics.add('headgate_records_total', { tenant, flow: group.flow.flowName, outcome }, count);
    }
  }

  async function checkFiles(tenantId: string, items: readonly WorkItem[], done: (item: WorkItem) => void): Promise<void> {
    await Promise.all(items.map((item) => checkFile(tenantId, item).finally(() => done(item))));
  }

  async function checkFile(tenantId: string, item: WorkItem): Promise<void> {
    await withWork({ jobId: item.referenceId }, async () => {
      if (!(await checkJob(services, threads, item, (error) => afterFailedCheck(tenantId, item, error)))) return;
      signals.deliver.notify();
      signals.close.notify();
    });
  }

  async function afterFailedCheck(tenantId: string, item: WorkItem, error: unknown): Promise<void> {
    if (error instanceof HeadgateError && error.code === jobErrors.E_FENCED) throw error;
    if (!isStopping) logger.error('a check of a file failed', { error, attempts: item.attempts });
    const isPassing = isStopping || (error instanceof HeadgateError && error.retryable);
    const delayMs = isStopping ? 0 : delayAfter(item.attempts);
    const obstacle = isStopping ? null : obstacleOf(error);
    let isGivenUp = false;
    await commitForCertain(services, tenantId, async (tx) => {
      isGivenUp = !isPassing && (await countFailure(tx, item)) >= checkFailuresMax;
      if (isGivenUp) return;
      await services.queue.releaseWork(tx, [{ ...item, delayMs }]);
      if (obstacle !== null) await markObstacle(tx, ports.ids, [item.referenceId], obstacle);
    });
    if (isGivenUp) await failCheck(services, item, error);
  }

  const common = { services, workerId, leaseMs };
  const chunkLoop = createWorkLoop({ ...common, kind: 'chunks', inHandMax: threads.size * 2, handle: runGroups });
  const checkLoop = createWorkLoop({ ...common, kind: 'check', inHandMax: threads.size, handle: checkFiles });
  return {
    start() {
      isStopping = false;
      chunkLoop.start();
      checkLoop.start();
    },
    async stop(timeoutMs = 4_000) {
      const untilMs = ports.clock.monotonicMs() + timeoutMs;
      const leftMs = (reserveMs: number) => Math.max(0, untilMs - reserveMs - ports.clock.monotonicMs());
      await Promise.all([chunkLoop.stop(leftMs(returningMs)), checkLoop.stop(leftMs(returningMs))]);
      isStopping = true;
      hunt.stop();
      await threads.stop();
      await Promise.all([chunkLoop.stop(leftMs(0)), checkLoop.stop(leftMs(0))]);
    },
  };
}
