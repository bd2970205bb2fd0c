/**
 * Keeps the leases of the work that a loop has in hand: renewed every third of their time, all of a tenant in one
 * transaction. When one of them is lost, the others are renewed one by one, and the lost one is known to be lost.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import { createPollingLoop, type PollingLoop } from '../../../platform/base/polling-loop.ts';
import type { Ports } from '../../../platform/base/ports.ts';
import type { Db } from '../../../platform/postgres/database.ts';
import { retryTransient } from '../../../platform/postgres/transient-retry.ts';
import { withTenant } from '../../../platform/tenancy/tenant-scope.ts';
import type { WorkItem, WorkQueue } from '../work-queue-port.ts';
import type { Leases } from './leases.ts';

export interface LeaseKeeperOptions {
  readonly leases: Leases;
  readonly db: Db;
  readonly queue: Pick<WorkQueue, 'renewWork'>;
  readonly leaseMs: number;
  readonly ports: Pick<Ports, 'clock' | 'rng' | 'sleep'>;
  readonly onError: (error: unknown) => void;
}

export function createLeaseKeeper({ leases, db, queue, leaseMs, ports, onError }: LeaseKeeperOptions): PollingLoop {
  async function renew(): Promise<boolean> {
    for (const [tenantId, items] of leases.byTenant()) {
      if (!(await renewAll(tenantId, items)) && items.length > 1) for (const item of items) await renewAll(tenantId, [item]);
    }
    return false;
  }

  /** False when any of them is lost. */
  async function renewAll(tenantId: string, items: readonly WorkItem[]): Promise<boolean> {
    const askedAtMs = ports.clock.monotonicMs();
    try {
      await retryTransient(() => withTenant(db, tenantId, (tx) => queue.renewWork(tx, items, leaseMs)), { ports, attemptsMax: 3 });
    } catch (error) {
      if (!(error instanceof HeadgateError) || error.code !== 'E_FENCED') throw error;
      if (items.length === 1) leases.lose(items[0]!);
      return false;
    }
    for (const item of items) leases.extend(item, askedAtMs);
    return true;
  }

  const pauseMs = leaseMs / 3;
  return createPollingLoop({ work: renew, onError, ports, idleMinMs: pauseMs, idleMaxMs: pauseMs, errorPauseMaxMs: pauseMs });
}
