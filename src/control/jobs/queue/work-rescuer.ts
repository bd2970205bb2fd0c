/**
 * The loop that takes back what workers left behind: work whose lease ran out, on the database's clock. Each is returned in
 * its own tenant's transaction, a chunk group together with its row, so that whoever had it can commit nothing any more.
 * How often a group was run is counted where it is claimed; deliveries settle what an attempt may have done.
 */
import type { WorkKind } from '../../../pipeline/deliveries/work-queue-port.ts';
import { tenantNameOf } from '../../../platform/access/tenant-names.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { createPollingLoop, type PollingLoop } from '../../../platform/base/polling-loop.ts';
import { withTenant } from '../../../platform/tenancy/tenant-scope.ts';
import { returnGroup } from '../groups/group-return.ts';
import { jobErrors } from '../job-errors.ts';
import type { JobServices } from '../job-services.ts';

export interface WorkRescuerOptions {
  readonly services: JobServices;
  /** Between two looks, when there was nothing to do. */
  readonly idleMs?: number;
}

interface ExpiredWork {
  readonly tenantId: string;
  readonly workId: string;
  readonly kind: WorkKind;
  readonly referenceId: string;
  readonly fence: number;
  readonly attempts: number;
}

const expiredMax = 500;
const delayMaxMs = 30_000;

const selectExpired = `/* sweep expired work */
  select tenant_id as "tenantId", work_id as "workId", kind, reference_id as "referenceId", fence, attempts from headgate.sweep($1)`;

const lockExpired = `/* lock expired work */
  select from headgate.work_items
  where tenant_id = $1 and kind = $2 and reference_id = $3 and work_id = $4 and fence = $5 and lease_until <= (select headgate.clock())
  for update skip locked`;

export function createWorkRescuer({ services, idleMs = 1_000 }: WorkRescuerOptions): PollingLoop {
  const { ports, logger } = services;
  return createPollingLoop({
    work: () => rescueWork(services),
    onError: (error) => logger.error('the rescuer failed and goes on', { error }),
    ports,
    idleMinMs: idleMs,
    idleMaxMs: idleMs,
  });
}

/** One look. True when there may be more. One that cannot be returned does not hold up the others. */
export async function rescueWork(services: JobServices): Promise<boolean> {
  const { db, metrics, logger, signals } = services;
  const expired = (await db.query<ExpiredWork>(selectExpired, [expiredMax])).rows;
  let passedOver = 0;
  for (const work of expired) {
    try {
      const isReturned = await withTenant(db, work.tenantId, async (tx) => {
        const { kind, referenceId, workId, fence } = work;
        const item = { kind, referenceId, workId, fence };
        // Its holder is ending it, however long that takes: none behind it waits for that. Or it was renewed, which keeps the fence.
        if ((await tx.query(lockExpired, [work.tenantId, kind, referenceId, workId, fence])).rowCount === 0) return false;
        const delayMs = Math.min(delayMaxMs, 100 * 2 ** Math.min(work.attempts, 10));
        if (work.kind !== 'chunks') await services.queue.releaseWork(tx, [{ ...item, delayMs }]);
        else await returnGroup(tx, services, { groupId: work.referenceId, item, delayMs, isPassing: false, cause: 'lease expired' });
        return true;
      });
      if (!isReturned) {
        passedOver++;
        continue;
      }
      metrics.add('headgate_rescued_total', { kind: work.kind });
      signals[work.kind].notify();
    } catch (error) {
      // Its holder finished or renewed it, or another rescuer was faster.
      if (error instanceof HeadgateError && error.code === jobErrors.E_FENCED) continue;
      passedOver++;
      logger.error('expired work could not be returned', { tenant: await tenantNameOf(db, work.tenantId), kind: work.kind, error });
    }
  }
  return expired.length === expiredMax && passedOver < expired.length;
}
