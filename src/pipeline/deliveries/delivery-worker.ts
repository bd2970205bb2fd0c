/**
 * The loop that delivers: claims work across tenants, hands each batch to its handler, keeps the leases of what is in hand,
 * and never dies of an error. What it can't finish comes back to the queue, by itself or when its lease runs out. Stopping
 * claims nothing more, lets attempts end for a while, then gives them up; either way it returns within its time.
 */
import { tenantNameOf } from '../../platform/access/tenant-names.ts';
import type { CrashPoints } from '../../platform/base/crash-points.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import type { FolderFence } from '../../platform/base/folder-fence.ts';
import type { Waiter } from '../../platform/base/notifier.ts';
import { createPollingLoop } from '../../platform/base/polling-loop.ts';
import type { Ports } from '../../platform/base/ports.ts';
import type { Db } from '../../platform/postgres/database.ts';
import { CommitUnknownError } from '../../platform/postgres/postgres-errors.ts';
import type { ConnectionSecrets } from '../../platform/secrets/connection-secrets.ts';
import type { SealedStore } from '../../platform/storage/object-store.ts';
import type { Logger } from '../../platform/telemetry/logger.ts';
import type { Metrics } from '../../platform/telemetry/metrics.ts';
import { withWork } from '../../platform/telemetry/work-context.ts';
import { withTenant } from '../../platform/tenancy/tenant-scope.ts';
import type { Connector, MatchAnswers, ResolveHost } from '../connectors/connector.ts';
import { type AttemptStart, type Started, writeStarts } from './attempts/attempt-start.ts';
import { createLeaseKeeper } from './attempts/lease-keeper.ts';
import { createLeases } from './attempts/leases.ts';
import { createOpenTargets } from './attempts/open-targets.ts';
import type { Refusal } from './attempts/target-admission.ts';
import { createTargetCrowd } from './attempts/target-crowd.ts';
import { BatchHandler } from './batch-handler.ts';
import { createBreakerKeeper } from './breakers/breaker-keeper.ts';
import { createBreakerReports } from './breakers/breaker-reports.ts';
import { breakerName } from './breakers/breaker-store.ts';
import { commitForCertain } from './certain-transaction.ts';
import { type ClaimedBatch, workOf } from './claimed-batch.ts';
import { createClaimLoader } from './claimed-batches.ts';
import type { DeliveryDefinitions } from './delivery-definitions.ts';
import type { DeliveryServices } from './delivery-services.ts';
import { type BatchEnding, writeEndings } from './endings/batch-ending.ts';
import { createGroupCommit } from './endings/group-commit.ts';
import { createLetterRoom, lettersMax } from './endings/letter-room.ts';
import { probeTarget, probeTimeoutMs } from './probes/target-probe.ts';
import type { WorkItem, WorkQueue } from './work-queue-port.ts';

export interface DeliveryWorkerOptions {
  readonly db: Db;
  readonly store: SealedStore;
  readonly queue: WorkQueue;
  readonly definitions: DeliveryDefinitions;
  readonly connectors: readonly Connector[];
  readonly folders: FolderFence;
  readonly secrets: ConnectionSecrets;
  readonly resolveHost: ResolveHost;
  readonly matchAnswers?: MatchAnswers;
  readonly ports: Ports;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'add' | 'observe'>;
  readonly crashPoints: CrashPoints;
  /** Of this process. */
  readonly workerId: string;
  readonly leaseMs: number;
  /** Batches in hand at once. */
  readonly inHandMax?: number;
  /** Keys that one target may have blocked before whole lanes are. */
  readonly blockedKeysMax?: number;
  /** Dead letters in memory. */
  readonly lettersMax?: number;
  readonly waiter?: Waiter;
  readonly breakerWaiter?: Waiter;
  /** Called when parked batches go on. */
  readonly onBatchesResumed?: () => void;
  /** Called when jobs were sent to be closed, so that their loop needn't wait for its next poll. */
  readonly onJobsEnded?: () => void;
}

export interface DeliveryWorker {
  start(): void;
  /** Resolves when nothing is in hand any more, or after `timeoutMs`. */
  stop(timeoutMs?: number): Promise<void>;
}

const inHandDefault = 512;
/** Claims are made for this many at least, so that a claim is not made for each batch that ends. */
const claimMin = 128;
/** So long what is due waits at most for targets that take their batches so fast that they soon have room for more. */
const roomMs = 200;

/** What is left for writing endings after attempts were given up. */
const endingMs = 1_500;
const failedAgainMs = 5_000;

/** Attempts that may have their rows already are not given them again: the lease decides. */
const isOpen = (error: unknown) => error instanceof CommitUnknownError;
const isOfDatabase = (error: unknown) => error instanceof HeadgateError && error.code.startsWith('E_DATABASE_');

export function createDeliveryWorker(options: DeliveryWorkerOptions): DeliveryWorker {
  const { db, queue, ports, logger, metrics, workerId, leaseMs, inHandMax = inHandDefault } = options;
  const leases = createLeases(ports.clock, leaseMs);
  const opening = { ...options, ports: { ...ports, resolveHost: options.resolveHost } };
  const targets = createOpenTargets(opening);
  const breakers = createBreakerReports(options);
  // Less than its lease, which is not renewed meanwhile.
  const probeMs = Math.min(probeTimeoutMs, leaseMs / 2);
  const keeper = createBreakerKeeper({
    ...options,
    probe: (address, stopping) => probeTarget(opening, address, { timeoutMs: probeMs, stopping }),
  });
  const letterRoom = createLetterRoom(options.lettersMax ?? lettersMax);
  const services: DeliveryServices = {
    ...options,
    letterRoom,
    actor: 'system',
    leases,
    targets,
    breakers,
    starts: createGroupCommit<AttemptStart, Refusal>(async (tenantId, starts) => {
      let started: Started | undefined;
      await commitForCertain(options, tenantId, async (tx) => {
        started = await writeStarts(tx, starts, options);
      });
      const { refusals, breakers: read } = started!;
      for (const { admission } of starts) breakers.seen(tenantId, admission, read.get(breakerName(admission)));
      // Before the next group is written, which counts them.
      for (const [index, { admission }] of starts.entries()) if (refusals[index] === null) admission.gate.beginSending();
      return refusals;
    }, isOpen),
    endings: createGroupCommit<BatchEnding>(async (tenantId, endings) => {
      let ended = 0;
      await commitForCertain(options, tenantId, async (tx) => {
        ended = (await writeEndings(tx, endings, options)).length;
      });
      if (ended > 0) options.onJobsEnded?.();
      return [];
    }),
  };
  const loader = createClaimLoader(options);
  const crowd = createTargetCrowd(inHandMax / 2);
  const handler = new BatchHandler(services, crowd);
  const inHand = new Set<Promise<void>>();
  let stopping = new AbortController();
  let aborting = new AbortController();
  /** What the claim waits for, looked at when a batch in hand has ended. */
  let awaited: { readonly isThere: () => boolean; readonly found: AbortController } | undefined;
  const least = Math.min(claimMin, inHandMax / 4);
  const places = () => inHandMax - leases.count;
  const room = () => crowd.room(leases.count);

  async function claim(signal: AbortSignal): Promise<boolean> {
    while (places() < least && !signal.aborted) await freed(() => places() >= least, signal);
    if (room() < least) await freed(() => room() >= least, signal);
    if (signal.aborted) return false;
    const limit = Math.ceil(Math.min(places(), Math.max(least, room())));
    const askedAtMs = ports.clock.monotonicMs();
    const items = await queue.claimWork(db, 'deliver', { limit, workerId, leaseMs });
    metrics.add('headgate_claims_total', { kind: 'deliver', found: String(items.length > 0) }, 1);
    for (const item of items) leases.add(item, askedAtMs);
    await Promise.all(
      Map.groupBy(items, ({ tenantId }) => tenantId)
        .entries()
        .map(([tenantId, own]) => take(tenantId, own)),
    );
    return items.length > 0;
  }

  /** Resolves when enough batches in hand have ended, after a while, or at the signal. */
  async function freed(isThere: () => boolean, signal: AbortSignal): Promise<void> {
    const found = new AbortController();
    awaited = { isThere, found };
    await ports.sleep.sleep(roomMs, AbortSignal.any([signal, found.signal]));
    awaited = undefined;
  }

  /** One tenant's claims; its faults stay its own. */
  async function take(tenantId: string, items: readonly WorkItem[]): Promise<void> {
    let claimed: readonly ClaimedBatch[];
    try {
      claimed = await loader.load(tenantId, items);
    } catch (error) {
      // What can't be read of one, such as its version of the flow, keeps no other waiting.
      if (items.length > 1 && !isOfDatabase(error)) return void (await Promise.all(items.map((item) => take(tenantId, [item]))));
      logger.error('claimed deliveries could not be read', { tenant: await tenantNameOf(db, tenantId), error });
      for (const item of items) begin(giveBack(item, failedAgainMs), item);
      return;
    }
    const known = new Set(claimed.map(({ item }) => item.workId));
    for (const item of items) if (!known.has(item.workId)) begin(giveBack(item, null), item);
    for (const one of claimed) begin(handle(one), one.item);
  }

  function begin(work: Promise<void>, item: WorkItem): void {
    const ended = work.finally(() => {
      inHand.delete(ended);
      leases.remove(item);
      if (awaited?.isThere()) awaited.found.abort();
    });
    inHand.add(ended);
  }

  async function handle(claimed: ClaimedBatch): Promise<void> {
    await withWork(workOf(claimed), () => handleNamed(claimed));
  }

  async function handleNamed(claimed: ClaimedBatch): Promise<void> {
    try {
      await handler.handle(claimed, { stopping: stopping.signal, aborting: aborting.signal });
    } catch (error) {
      if (error instanceof HeadgateError && error.code === 'E_FENCED') {
        metrics.add('headgate_leases_lost_total', { kind: 'deliver' }, 1);
        logger.warn('a delivery went to another worker');
        return;
      }
      logger.error('a delivery failed inside', { error });
      await giveBack(claimed.item, failedAgainMs);
    } finally {
      letterRoom.leave(claimed.item);
    }
  }

  /** Never rejects: if this fails too, the lease runs out. Null: there is nothing to come back to. */
  async function giveBack(item: WorkItem, delayMs: number | null): Promise<void> {
    try {
      await withTenant(db, item.tenantId, (tx) =>
        delayMs === null ? queue.finishWork(tx, [item]) : queue.releaseWork(tx, [{ ...item, delayMs }]),
      );
    } catch (error) {
      logger.warn('a delivery could not be given back', { error });
    }
  }

  const onError = (error: unknown) => logger.error('the delivery loop failed and goes on', { error });
  const claiming = createPollingLoop({ work: claim, onError, ports, ...(options.waiter ? { waiter: options.waiter } : {}) });
  const renewing = createLeaseKeeper({ leases, db, queue, leaseMs, ports, onError });

  return {
    start() {
      stopping = new AbortController();
      aborting = new AbortController();
      claiming.start();
      renewing.start();
      keeper.start();
    },
    async stop(timeoutMs = 5_000) {
      const startedMs = ports.clock.monotonicMs();
      const leftMs = (reserveMs: number) => Math.max(0, timeoutMs - reserveMs - (ports.clock.monotonicMs() - startedMs));
      stopping.abort();
      const kept = keeper.stop(leftMs(0));
      await claiming.stop(leftMs(endingMs));
      await endedWithin(leftMs(endingMs));
      aborting.abort();
      await endedWithin(leftMs(0));
      await renewing.stop(leftMs(0));
      await kept;
      await targets.closeAll();
    },
  };

  async function endedWithin(ms: number): Promise<void> {
    const timeout = new AbortController();
    await Promise.race([Promise.allSettled([...inHand]), ports.sleep.sleep(ms, timeout.signal)]);
    timeout.abort();
  }
}
