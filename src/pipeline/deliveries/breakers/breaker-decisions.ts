/**
 * A person's word about a breaker: open or closed until it is told otherwise, deciding by itself again, or tried at once. One
 * transaction with its event, which keeps the reason; what is parked goes on by the breaker's own work.
 */
import type { Ports } from '../../../platform/base/ports.ts';
import { recordEvents } from '../../../platform/events/event-log.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import type { TargetPlan } from '../../engine/plan.ts';
import { commitForCertain } from '../certain-transaction.ts';
import type { WorkQueue } from '../work-queue-port.ts';
import { afterDecision, type BreakerDecision } from './breaker-rules.ts';
import { type BreakerKey, breakerName, lockBreakers, writeBreaker } from './breaker-store.ts';

export const breakerDecisions = ['open', 'close', 'auto'] as const satisfies readonly BreakerDecision[];

export interface BreakerWord extends BreakerKey {
  readonly flowVersionId: string;
  readonly target: TargetPlan;
  /** `probe`: what is open and decides by itself is tried at once; else nothing changes. */
  readonly decision: BreakerDecision | 'probe';
  /** In words, kept in the event. */
  readonly reason: string;
  readonly actor: string;
}

export interface WordServices {
  readonly queue: WorkQueue;
  readonly ports: Pick<Ports, 'ids' | 'rng'>;
}

const pastOf = { open: 'kept_open', close: 'kept_closed', auto: 'released', probe: 'probe_asked' } as const;

/**
 * Part of the caller's transaction. Where more batches wait for a time to come than are looked at in it, the place to go on behind
 * (`hastenWaiting`).
 */
export async function decideBreaker(tx: TenantTx, { queue, ports }: WordServices, word: BreakerWord): Promise<WaitingPlace | null> {
  const { target, decision, flowVersionId, actor, reason } = word;
  const stored = (await lockBreakers(tx, ports.ids, [word])).get(breakerName(word))!;
  const rules = { plan: target.breaker, concurrency: target.concurrency, rng: ports.rng, isWanted: true };
  const ruling = afterDecision(stored.breaker, decision, rules);
  await writeBreaker(tx, ports.ids, { stored, flowVersionId, ruling, actor, detail: { reason } });
  const state = ruling.breaker.state;
  const said = { type: `breaker.${pastOf[decision]}`, objectId: stored.breakerId, from: state, to: state, actor } as const;
  await recordEvents(tx, ports.ids, [{ ...said, detail: { flowId: word.flowId, target: word.targetId, reason } }]);
  await queue.addWork(tx, [{ kind: 'breaker', referenceId: stored.breakerId }]);
  // Each would else wait as long as the target asked for when it was refused or given back.
  if (decision === 'close' || (decision !== 'open' && stored.breaker.state === 'open')) return await hastenPage(tx, queue, word, null);
  return null;
}

/** The rest of them, some in a transaction. What a process leaves that ends meanwhile goes on in its time. */
export async function hastenWaiting(
  scope: Parameters<typeof commitForCertain>[0] & { readonly queue: WorkQueue },
  tenantId: string,
  key: BreakerKey,
  after: WaitingPlace,
): Promise<void> {
  for (let place: WaitingPlace | null = after; place !== null; )
    await commitForCertain(scope, tenantId, async (tx) => {
      place = await hastenPage(tx, scope.queue, key, place);
    });
}

/** In the order of lanes, which an index gives. */
export interface WaitingPlace {
  readonly lane: number;
  readonly orderNumber: number;
  readonly batchId: string;
}

/** Batches of a transaction. */
const pageMax = 5_000;

const selectWaiting = `/* list waiting batches */
  select b.batch_id as "batchId", b.lane, b.order_number as "orderNumber" from headgate.batches b
  cross join lateral (select w.lease_until, w.due_at from headgate.work_items w
    where w.tenant_id = $1 and w.kind = 'deliver' and w.reference_id = b.batch_id limit 1) w
  where b.tenant_id = $1 and b.flow_id = $2 and b.target_id = $3 and b.state in ('ready', 'unknown')
    and w.lease_until is null and w.due_at > (select headgate.clock())
    and ($4::smallint is null or (b.lane, b.order_number, b.batch_id) > ($4::smallint, $5::bigint, $6::uuid))
  order by b.lane, b.order_number, b.batch_id limit $7`;

/** Batches of the target that nobody looks at before a time to come are due at once. */
async function hastenPage(
  tx: TenantTx,
  queue: WorkQueue,
  { flowId, targetId }: BreakerKey,
  after: WaitingPlace | null,
): Promise<WaitingPlace | null> {
  const behind = [after?.lane ?? null, after?.orderNumber ?? null, after?.batchId ?? null];
  const { rows } = await tx.query<WaitingPlace>(selectWaiting, [tx.tenantId, flowId, targetId, ...behind, pageMax]);
  await queue.hastenWork(
    tx,
    'deliver',
    rows.map(({ batchId }) => batchId),
  );
  return rows.length < pageMax ? null : rows.at(-1)!;
}
