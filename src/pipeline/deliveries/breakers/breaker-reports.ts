/**
 * Tells breakers what became of attempts. While a target is well nothing is written: its successes are counted in the process
 * and told with the first failure. Everything else is told at once, reports of a tenant that come together in one transaction.
 * A report that is lost with its process is missing from a statistic, and from nothing else.
 */
import type { Ports } from '../../../platform/base/ports.ts';
import type { Db } from '../../../platform/postgres/database.ts';
import type { Logger } from '../../../platform/telemetry/logger.ts';
import type { Metrics } from '../../../platform/telemetry/metrics.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import type { TargetPlan } from '../../engine/plan.ts';
import { commitForCertain } from '../certain-transaction.ts';
import { createGroupCommit } from '../endings/group-commit.ts';
import type { WorkQueue } from '../work-queue-port.ts';
import { afterReport, countedAttempts, isAtRest, type Report, type Ruling } from './breaker-rules.ts';
import { type BreakerKey, breakerName, lockBreakers, type StoredBreaker, writeBreaker } from './breaker-store.ts';
import { isWanted } from './parked-batches.ts';
import type { Health } from './target-health.ts';

export interface ReportedAttempt extends BreakerKey {
  readonly tenantId: string;
  /** As a label. */
  readonly tenant: string;
  readonly flowVersionId: string;
  readonly target: TargetPlan;
  readonly attempt: number;
  /** The second or a later one since the batch was cut or held last. */
  readonly isRetry: boolean;
  readonly health: Health;
}

export interface BreakerReports {
  /** What was read of a target's breaker; undefined: it has none. */
  seen(tenantId: string, key: BreakerKey, stored: StoredBreaker | undefined): void;
  /** Never rejects. */
  tell(attempt: ReportedAttempt): Promise<void>;
}

export interface BreakerServices {
  readonly db: Db;
  readonly queue: WorkQueue;
  readonly ports: Pick<Ports, 'ids' | 'clock' | 'rng' | 'sleep'>;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'add'>;
}

/** Of a target, in this process. */
interface Untold {
  isAtRest: boolean;
  successes: number;
  retries: number;
  sinceMs: number;
}

interface NewReport {
  readonly attempt: ReportedAttempt;
  readonly report: Report;
}

const untoldMax = 1_000;

export function createBreakerReports(services: BreakerServices): BreakerReports {
  const { ports, logger } = services;
  const untold = new Map<string, Untold>();
  const reports = createGroupCommit<NewReport>(async (tenantId, group) => {
    await commitForCertain(services, tenantId, async (tx) => await writeReports(tx, services, group));
    return [];
  });

  function untoldOf(tenantId: string, key: BreakerKey): Untold {
    const name = `${tenantId} ${breakerName(key)}`;
    let own = untold.get(name);
    if (own === undefined) {
      own = { isAtRest: true, successes: 0, retries: 0, sinceMs: ports.clock.monotonicMs() };
      untold.set(name, own);
      for (const oldest of untold.keys()) {
        if (untold.size <= untoldMax) break;
        untold.delete(oldest);
      }
    }
    return own;
  }

  return {
    seen(tenantId, key, stored) {
      untoldOf(tenantId, key).isAtRest = stored === undefined || isAtRest(stored.breaker);
    },
    async tell(attempt) {
      const { health, target, tenantId } = attempt;
      if (health.kind === 'nothing') return;
      const own = untoldOf(tenantId, attempt);
      const nowMs = ports.clock.monotonicMs();
      if (nowMs - own.sinceMs > target.breaker.windowMs) Object.assign(own, { successes: 0, retries: 0, sinceMs: nowMs });
      if (health.kind === 'success') own.successes += 1;
      if (attempt.isRetry) own.retries += 1;
      if (health.kind === 'success' && own.isAtRest) return;
      const report = reportOf(own, attempt);
      Object.assign(own, { isAtRest: false, successes: 0, retries: 0, sinceMs: nowMs });
      try {
        await reports.submit(tenantId, { attempt, report });
      } catch (error) {
        logger.warn('a breaker could not be told of an attempt', { error });
      }
    },
  };
}

/** Of a failure, after the successes that were not told. */
function reportOf({ successes, retries }: Untold, { health, attempt, target }: ReportedAttempt): Report {
  if (health.kind !== 'failure') return { successes, retries, failures: 0, countedFailures: 0, pauseMs: 0, code: null };
  // Where all wait behind one batch there is no other to judge the target by.
  const isCounted = attempt <= countedAttempts || target.lanes === 1;
  return { successes, retries, failures: 1, countedFailures: isCounted ? 1 : 0, pauseMs: health.pauseMs, code: health.code };
}

async function writeReports(tx: TenantTx, services: BreakerServices, group: readonly NewReport[]): Promise<void> {
  const { ports, queue, metrics, logger } = services;
  const byTarget = Map.groupBy(group, ({ attempt }) => breakerName(attempt));
  const stored = await lockBreakers(
    tx,
    ports.ids,
    [...byTarget.values()].map(([first]) => first!.attempt),
  );
  for (const [name, reports] of byTarget) {
    const before = stored.get(name)!;
    const { target, flowVersionId, tenant } = reports.at(-1)!.attempt;
    const { breaker: plan, concurrency } = target;
    const rules = { plan, concurrency, rng: ports.rng, isWanted: before.breaker.state !== 'half_open' || (await isWanted(tx, before)) };
    let ruling: Ruling = { breaker: before.breaker, events: [] };
    for (const { report } of reports) {
      const next = afterReport(ruling.breaker, report, rules);
      ruling = { breaker: next.breaker, events: [...ruling.events, ...next.events] };
    }
    await writeBreaker(tx, ports.ids, { stored: before, flowVersionId, ruling, actor: 'system' });
    const last = ruling.events.at(-1);
    if (last === undefined) continue;
    const { state, probeInMs, reasonCode } = ruling.breaker;
    const work = { kind: 'breaker', referenceId: before.breakerId, delayMs: last === 'trip' ? probeInMs : 0 } as const;
    await (last === 'trip' ? queue.keepWork(tx, [work]) : queue.addWork(tx, [work]));
    metrics.add('headgate_breaker_changes_total', { tenant, target: target.id, to: state }, 1);
    const fields = { tenant, target: target.id, to: state, code: reasonCode };
    if (state === 'open') logger.warn('a breaker opened: nothing is sent to its target', { ...fields, probeInMs });
    else logger.info('a breaker closed: its target takes batches again', fields);
  }
}
