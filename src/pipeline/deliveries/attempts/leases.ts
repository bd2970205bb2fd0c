/**
 * The work that this process holds, and until when, on its own rising clock: counted from before the lease was asked for,
 * so that it never believes longer than the database does. That clock stands still while a machine sleeps, so that the wall
 * clock has to agree; one that is set forward costs an attempt. Renewed together while it is in hand.
 */
import type { Clock } from '../../../platform/base/ports.ts';
import type { WorkItem } from '../work-queue-port.ts';

export interface Leases {
  readonly count: number;
  add(item: WorkItem, askedAtMs: number): void;
  extend(item: WorkItem, askedAtMs: number): void;
  /** It went to another, or it is not known to be ours. */
  lose(item: WorkItem): void;
  remove(item: WorkItem): void;
  /** Ours now, and for `certainMs` to come whatever happens to this process meanwhile. */
  isCertain(item: WorkItem): boolean;
  readonly certainMs: number;
  byTenant(): ReadonlyMap<string, readonly WorkItem[]>;
}

export function createLeases(clock: Clock, leaseMs: number): Leases {
  // Leases are renewed every third, so that two thirds are left in a process that runs.
  const certainMs = Math.floor(leaseMs / 3);
  const held = new Map<string, { readonly item: WorkItem; untilMs: number; readonly untilWallMs: number }>();
  const keep = (item: WorkItem, askedAtMs: number) => {
    const leftMs = askedAtMs + leaseMs - clock.monotonicMs();
    held.set(item.workId, { item, untilMs: askedAtMs + leaseMs, untilWallMs: clock.nowMs() + leftMs });
  };
  return {
    get count() {
      return held.size;
    },
    add: keep,
    extend(item, askedAtMs) {
      if (held.get(item.workId)?.item.fence === item.fence) keep(item, askedAtMs);
    },
    lose(item) {
      const lease = held.get(item.workId);
      if (lease?.item.fence === item.fence) lease.untilMs = 0;
    },
    remove(item) {
      if (held.get(item.workId)?.item.fence === item.fence) held.delete(item.workId);
    },
    certainMs,
    isCertain(item) {
      const lease = held.get(item.workId);
      if (lease === undefined || lease.item.fence !== item.fence) return false;
      return clock.monotonicMs() + certainMs < lease.untilMs && clock.nowMs() + certainMs < lease.untilWallMs;
    },
    byTenant() {
      const items = new Map<string, WorkItem[]>();
      for (const { item, untilMs } of held.values()) {
        if (untilMs === 0) continue;
        const own = items.get(item.tenantId);
        if (own === undefined) items.set(item.tenantId, [item]);
        else own.push(item);
      }
      return items;
    },
  };
}
