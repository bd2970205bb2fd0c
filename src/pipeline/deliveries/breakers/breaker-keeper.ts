/**
 * The work of a breaker, from its opening until nothing of its target is parked any more: asks the target without a record
 * whether it is back, lets a few batches go as probes, then the others in order, as many as the target may have. One process
 * at a time has it, under a fenced lease like all work, so that a killed process is followed by another.
 */
import { tenantNameOf } from '../../../platform/access/tenant-names.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { Waiter } from '../../../platform/base/notifier.ts';
import { createPollingLoop } from '../../../platform/base/polling-loop.ts';
import { type TenantTx, withTenant } from '../../../platform/tenancy/tenant-scope.ts';
import type { ProbeResult } from '../../connectors/connector.ts';
import { connectorErrors } from '../../connectors/connector-errors.ts';
import type { Plan } from '../../engine/plan.ts';
import type { TargetAddress } from '../attempts/open-targets.ts';
import { commitForCertain } from '../certain-transaction.ts';
import type { DeliveryDefinitions, TargetBinding } from '../delivery-definitions.ts';
import { isConfigurationFault } from '../held/configuration-codes.ts';
import { recordProbe } from '../probes/probe-store.ts';
import type { WorkItem } from '../work-queue-port.ts';
import type { BreakerServices } from './breaker-reports.ts';
import { afterProbe, roomOf } from './breaker-rules.ts';
import { breakerName, lockBreakers, readBreaker, readBreakers, type StoredBreaker, writeBreaker } from './breaker-store.ts';
import { countParked, lastParkedVersion, resumeParked } from './parked-batches.ts';

export interface BreakerKeeperOptions extends BreakerServices {
  readonly definitions: DeliveryDefinitions;
  readonly workerId: string;
  readonly leaseMs: number;
  readonly breakerWaiter?: Waiter;
  /** Called when parked batches go on. */
  readonly onBatchesResumed?: () => void;
  /** Asks the target; ends in time whatever happens. */
  readonly probe: (address: TargetAddress, stopping: AbortSignal) => Promise<ProbeResult>;
}

export interface BreakerKeeper {
  start(): void;
  stop(timeoutMs?: number): Promise<void>;
}

const inHandMax = 64;
/** Between two looks while something is parked: at a target that is tried, and at one that takes batches again. */
const lookMs = { half_open: 500, closed: 200, backup: 5_000 } as const;
/** A person keeps it open; their next word makes it due at once. */
const keptOpenMs = 3_600_000;
const failedAgainMs = 5_000;
/** Parked batches that go on at once where the target takes all that it may. */
const resumeMax = 256;

export function createBreakerKeeper(options: BreakerKeeperOptions): BreakerKeeper {
  const { db, queue, ports, logger, metrics, workerId, leaseMs } = options;
  const inHand = new Set<Promise<void>>();
  let stopping = new AbortController();

  async function claim(): Promise<boolean> {
    const limit = inHandMax - inHand.size;
    if (limit <= 0) return false;
    const items = await queue.claimWork(db, 'breaker', { limit, workerId, leaseMs });
    for (const item of items) {
      const ended = keep(item).finally(() => inHand.delete(ended));
      inHand.add(ended);
    }
    return items.length > 0;
  }

  /** Never rejects. */
  async function keep(item: WorkItem): Promise<void> {
    try {
      await keepBreaker(options, item, stopping.signal);
    } catch (error) {
      if (error instanceof HeadgateError && error.code === 'E_FENCED') {
        metrics.add('headgate_leases_lost_total', { kind: 'breaker' }, 1);
        return;
      }
      logger.error('a breaker could not be kept', { tenant: await tenantNameOf(db, item.tenantId), error });
      const back = withTenant(db, item.tenantId, (tx) => queue.releaseWork(tx, [{ ...item, delayMs: failedAgainMs }]));
      // Else its lease runs out.
      await back.catch(() => {});
    }
  }

  const onError = (error: unknown) => logger.error('the loop of breakers failed and goes on', { error });
  const claiming = createPollingLoop({ work: claim, onError, ports, ...(options.breakerWaiter ? { waiter: options.breakerWaiter } : {}) });
  return {
    start() {
      stopping = new AbortController();
      claiming.start();
    },
    async stop(timeoutMs = 5_000) {
      stopping.abort();
      await claiming.stop(timeoutMs);
      const timeout = new AbortController();
      await Promise.race([Promise.allSettled([...inHand]), ports.sleep.sleep(timeoutMs, timeout.signal)]);
      timeout.abort();
    },
  };
}

/** One look. Fails with E_FENCED when the work went to another. */
async function keepBreaker(options: BreakerKeeperOptions, item: WorkItem, stopping: AbortSignal): Promise<void> {
  const { db, ports, logger } = options;
  const seen = (await withTenant(db, item.tenantId, (tx) => readBreaker(tx, item.referenceId), { readOnly: true }))!;
  const { address, tenant } = await addressOf(options, item.tenantId, seen);
  const { state, mode, probeInMs } = seen.breaker;
  const isDue = state === 'open' && mode === 'auto' && probeInMs <= 0;
  const probed = isDue ? await options.probe(address, stopping) : null;
  // What a stopping process gave up says nothing about the target.
  const answer = stopping.aborted && probed?.isReachable === false ? null : probed;
  let after: StoredBreaker['breaker'] | undefined;
  await commitForCertain(options, item.tenantId, async (tx) => {
    const stored = (await lockBreakers(tx, ports.ids, [seen])).get(breakerName(seen))!;
    // Locked before what is parked is counted: who parks one meanwhile waits, and finds the work there or adds it again.
    await options.queue.renewWork(tx, [item], options.leaseMs);
    const { breaker: plan, concurrency } = address.target;
    const rules = { plan, concurrency, rng: ports.rng, isWanted: true };
    // Another's word came between: what was asked before it counts for nothing.
    const ruling =
      answer !== null && stored.fence === seen.fence
        ? afterProbe(stored.breaker, { ...answer, isReachable: isToBeTried(answer) }, rules)
        : { breaker: stored.breaker, events: [] };
    if (answer !== null) {
      await writeBreaker(tx, ports.ids, { stored, flowVersionId: stored.flowVersionId, ruling, actor: 'system' });
      const subject = { flowId: stored.flowId, kind: 'target', id: stored.targetId } as const;
      await recordProbe(tx, subject, { probeId: ports.ids.next(), askedBy: 'breaker', ...answer });
    }
    after = ruling.breaker;
    const delayMs = await letGo(options, tx, { stored, breaker: ruling.breaker, address });
    await options.queue.endWork(tx, [{ ...item, delayMs }]);
  });
  options.onBatchesResumed?.();
  if (answer === null || after === undefined || after.state === state) return;
  options.metrics.add('headgate_breaker_changes_total', { tenant, target: seen.targetId, to: after.state }, 1);
  logger.info('the target of an open breaker answers: a few batches are sent to it', { tenant, target: seen.targetId, to: after.state });
}

/**
 * Where settings are said to be at fault, batches find out: they are held with that, as with any target. A service may refuse what it is
 * asked without a record (OPTIONS, a path that it does not have) and take records all the same.
 */
function isToBeTried({ isReachable, code }: ProbeResult): boolean {
  return isReachable || isConfigurationFault(code);
}

type Tx = Parameters<Parameters<typeof commitForCertain>[2]>[0];

/** Lets parked batches go on as far as the target may have them. Until the next look; null: nothing is left to be done. */
async function letGo(
  { queue, ports }: BreakerKeeperOptions,
  tx: Tx,
  {
    stored,
    breaker,
    address,
  }: { readonly stored: StoredBreaker; readonly breaker: StoredBreaker['breaker']; readonly address: TargetAddress },
): Promise<number | null> {
  const { breaker: plan, concurrency } = address.target;
  if (breaker.state === 'open') {
    const nextMs = breaker.mode === 'auto' ? Math.max(0, breaker.probeInMs) : keptOpenMs;
    return Math.min(nextMs, await letGoToBackup({ queue, ports }, tx, stored, address));
  }
  const room = roomOf(breaker, plan, concurrency);
  const isFull = breaker.state === 'closed' && breaker.limit === null;
  const most = breaker.state === 'half_open' ? room : isFull ? Math.max(resumeMax, 2 * room) : 2 * room;
  const { parked, resumed } = await countParked(tx, stored, most + 1);
  // Whatever else is sent to a half-open target tells its breaker.
  if (parked === 0) return null;
  const { flowVersionId } = address;
  await resumeParked(tx, { queue, ids: ports.ids }, { ...stored, flowVersionId, count: Math.max(0, most - resumed), actor: 'system' });
  return Math.max(lookMs[breaker.state], breaker.pausedMs);
}

/** What was parked while the backup could take nothing either. Until the next look. */
async function letGoToBackup(
  { queue, ports }: Pick<BreakerKeeperOptions, 'queue' | 'ports'>,
  tx: Tx,
  stored: StoredBreaker,
  { plan, target, flowVersionId }: TargetAddress,
): Promise<number> {
  const backup = plan.targets.find(({ id }) => id === target.backup);
  if (backup === undefined) return Number.POSITIVE_INFINITY;
  const own = (await readBreakers(tx, [stored.flowId])).get(breakerName({ ...stored, targetId: backup.id }));
  const room = own === undefined ? backup.concurrency : roomOf(own.breaker, backup.breaker, backup.concurrency);
  const { parked, resumed } = await countParked(tx, stored, 2 * room + 1);
  if (parked === 0) return Number.POSITIVE_INFINITY;
  const count = Math.max(0, 2 * room - resumed);
  await resumeParked(tx, { queue, ids: ports.ids }, { ...stored, flowVersionId, count, actor: 'system' });
  return room > 0 ? lookMs.half_open : lookMs.backup;
}

/**
 * The target as the version of its flow has it under which the last parked batch was cut, of a backup that of what waits for it too, else
 * the one that was told of last.
 */
async function addressOf(
  { db, definitions }: BreakerKeeperOptions,
  tenantId: string,
  stored: StoredBreaker,
): Promise<{ readonly address: TargetAddress; readonly tenant: string }> {
  return await withTenant(
    db,
    tenantId,
    async (tx) => {
      const loadPlan = async (id: string) => ({ flowVersionId: id, plan: (await definitions.loadFlow(tx, id)).plan });
      const known = await loadPlan(stored.flowVersionId);
      const waiting = (await lastParkedVersion(tx, stored)) ?? (await lastWaitingVersion(tx, stored, known.plan));
      const asked = waiting === undefined ? known : await loadPlan(waiting);
      const isThere = asked.plan.targets.some(({ id }) => id === stored.targetId);
      const { flowVersionId, plan } = isThere ? asked : known;
      const target = plan.targets.find(({ id }) => id === stored.targetId)!;
      const binding = await definitions.loadBinding(tx, target.connection ?? '').catch((error: unknown): HeadgateError => asFault(error));
      return {
        address: { tenantId, flowVersionId, plan, target, binding: binding as TargetBinding | HeadgateError },
        tenant: plan.flow.tenant,
      };
    },
    { readOnly: true },
  );
}

/** Of what is parked at the targets that it stands in for, the latest version. Undefined: nothing is. */
async function lastWaitingVersion(tx: TenantTx, { flowId, targetId }: StoredBreaker, { targets }: Plan): Promise<string | undefined> {
  const versions: string[] = [];
  for (const { id, backup } of targets) {
    const version = backup === targetId ? await lastParkedVersion(tx, { flowId, targetId: id }) : undefined;
    if (version !== undefined) versions.push(version);
  }
  // Ids rise with time.
  return versions.sort().at(-1);
}

/** A connection that is missing, or can't be read as one, is a fault of settings. */
function asFault(error: unknown): HeadgateError {
  if (!(error instanceof HeadgateError) || error.code.startsWith('E_DATABASE_')) throw error;
  return new HeadgateError(connectorErrors.E_TARGET, error.message, { cause: error });
}
