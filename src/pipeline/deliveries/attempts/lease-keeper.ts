/**
 * Keeps the leases of the work that a loop has in hand: renewed every third of their time, all of a tenant in one
 * transaction, however many of them are lost, which are known to be lost from then on. A renewal that took longer the more were
 * lost would lose ever more. The failure of one tenant's renewal keeps no other from its own.
 */
import { forEachAtOnce } from '../../../platform/base/at-once.ts';
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
  readonly queue: Pick<WorkQueue, 'renewOurs'>;
  readonly leaseMs: number;
  readonly ports: Pick<Ports, 'clock' | 'rng' | 'sleep'>;
  readonly onError: (error: unknown) => void;
}

/** Connections to the database are few. */
const tenantsAtOnce = 4;

export function createLeaseKeeper({ leases, db, queue, leaseMs, ports, onError }: LeaseKeeperOptions): PollingLoop {
  async function renew(): Promise<boolean> {
    const failures: unknown[] = [];
    await forEachAtOnce([...leases.byTenant()], tenantsAtOnce, async ([tenantId, items]) => {
      await renewAll(tenantId, items).catch((error: unknown) => failures.push(error));
    });
    if (failures.length > 0) throw failures[0];
    return false;
  }

  async function renewAll(tenantId: string, items: readonly WorkItem[]): Promise<void> {
    const askedAtMs = ports.clock.monotonicMs();
    const renewOurs = () => withTenant(db, tenantId, (tx) => queue.renewOurs(tx, items, leaseMs));
    const { renewed, locked } = await retryTransient(renewOurs, { ports, attemptsMax: 3 });
    for (const item of items) {
      if (renewed.has(item.workId)) leases.extend(item, askedAtMs);
      // What is locked runs out by itself where it is not ended by then.
      else if (!locked.has(item.workId)) leases.lose(item);
    }
  }

  const pauseMs = leaseMs / 3;
  return createPollingLoop({ work: renew, onError, ports, idleMinMs: pauseMs, idleMaxMs: pauseMs, errorPauseMaxMs: pauseMs });
}
