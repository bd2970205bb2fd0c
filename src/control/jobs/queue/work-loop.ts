/**
 * The frame of a loop over one kind of work: claims across tenants as far as there is room, keeps the leases of what is in
 * hand, and hands a tenant's claims to the handler. It outlives every error: what a handler throws is logged once, and the
 * work comes back when its lease runs out, if the handler did not give it back.
 */
import { createLeaseKeeper } from '../../../pipeline/deliveries/attempts/lease-keeper.ts';
import { createLeases, type Leases } from '../../../pipeline/deliveries/attempts/leases.ts';
import type { WorkItem, WorkKind } from '../../../pipeline/deliveries/work-queue-port.ts';
import { tenantNameOf } from '../../../platform/access/tenant-names.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { createPollingLoop } from '../../../platform/base/polling-loop.ts';
import { withWork } from '../../../platform/telemetry/work-context.ts';
import type { JobServices } from '../job-services.ts';

/** Whether claimed work is ours for certain, and for how long it stays so after that was asked. */
export type LeaseView = Pick<Leases, 'isCertain' | 'certainMs'>;

export interface WorkLoopOptions {
  readonly services: JobServices;
  readonly kind: WorkKind;
  readonly workerId: string;
  readonly leaseMs: number;
  readonly inHandMax: number;
  /** Handles a tenant's claims; `done` makes room for another one before all of them have ended. */
  readonly handle: (tenantId: string, items: readonly WorkItem[], done: (item: WorkItem) => void, leases: LeaseView) => Promise<void>;
}

export interface WorkLoop {
  start(): void;
  /** Claims nothing more; resolves when nothing is in hand, or after `timeoutMs`. True when nothing is. */
  stop(timeoutMs?: number): Promise<boolean>;
}

export function createWorkLoop(options: WorkLoopOptions): WorkLoop {
  const { services, kind, workerId, leaseMs, inHandMax, handle } = options;
  const { db, queue, ports, logger, metrics } = services;
  const leases: Leases = createLeases(ports.clock, leaseMs);
  const inHand = new Set<Promise<void>>();
  let freed: (() => void) | undefined;

  async function claim(signal: AbortSignal): Promise<boolean> {
    if (leases.count >= inHandMax) await roomAgain(signal);
    const limit = inHandMax - leases.count;
    if (signal.aborted || limit <= 0) return !signal.aborted;
    const askedAtMs = ports.clock.monotonicMs();
    const items = await queue.claimWork(db, kind, { limit, workerId, leaseMs });
    metrics.add('headgate_claims_total', { kind, found: String(items.length > 0) });
    for (const item of items) leases.add(item, askedAtMs);
    for (const [tenantId, own] of Map.groupBy(items, (item) => item.tenantId)) begin(tenantId, own);
    return items.length > 0;
  }

  function begin(tenantId: string, items: readonly WorkItem[]): void {
    const done = (item: WorkItem) => {
      leases.remove(item);
      freed?.();
    };
    const ended = handleNamed(tenantId, items, done).finally(() => {
      inHand.delete(ended);
      for (const item of items) done(item);
    });
    inHand.add(ended);
  }

  /** Never rejects. */
  async function handleNamed(tenantId: string, items: readonly WorkItem[], done: (item: WorkItem) => void): Promise<void> {
    await withWork({ tenant: await tenantNameOf(db, tenantId) }, () => handle(tenantId, items, done, leases).catch(reportFailure));
  }

  function reportFailure(error: unknown): void {
    if (error instanceof HeadgateError && error.code === 'E_FENCED') {
      metrics.add('headgate_leases_lost_total', { kind });
      logger.warn('work went to another worker', { kind });
    } else logger.error('work failed', { kind, error });
  }

  async function roomAgain(signal: AbortSignal): Promise<void> {
    const room = Promise.withResolvers<void>();
    const stop = () => room.resolve();
    freed = stop;
    signal.addEventListener('abort', stop, { once: true });
    await room.promise;
    signal.removeEventListener('abort', stop);
  }

  const onError = (error: unknown) => logger.error('a loop over work failed and goes on', { kind, error });
  const claiming = createPollingLoop({ work: claim, onError, ports, waiter: services.signals[kind].waiter(ports.sleep) });
  const renewing = createLeaseKeeper({ leases, db, queue, leaseMs, ports, onError });
  return {
    start() {
      claiming.start();
      renewing.start();
    },
    async stop(timeoutMs = 4_000) {
      const untilMs = ports.clock.monotonicMs() + timeoutMs;
      const leftMs = () => Math.max(0, untilMs - ports.clock.monotonicMs());
      await claiming.stop(leftMs());
      const timeout = new AbortController();
      await Promise.race([Promise.allSettled([...inHand]), ports.sleep.sleep(leftMs(), timeout.signal)]);
      timeout.abort();
      await renewing.stop(leftMs());
      return inHand.size === 0;
    },
  };
}
