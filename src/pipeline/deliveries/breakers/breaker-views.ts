/** Queries for lists and pages of targets: how each breaker stands, what is parked or held, what changed last. */

import { nextOf } from '../../../platform/base/errors.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import type { BreakerMode, BreakerState } from './breaker-state.ts';
import { type BreakerKey, breakerName } from './breaker-store.ts';

export interface BreakerView {
  readonly state: BreakerState;
  /** `open` and `closed`: a person keeps it so until it is `auto` again. */
  readonly mode: BreakerMode;
  /** Null: it never failed. */
  readonly since: Date | null;
  /** Why it is not closed: what the target answered to the last failure, or probe. */
  readonly reasonCode: string | null;
  /** What can be done about that, and by a person who keeps it open or closed. */
  readonly next: string | null;
  /** When an open one is tried next by itself. */
  readonly nextProbeAt: Date | null;
  /** Until when the target asked to be left alone. */
  readonly pausedUntil: Date | null;
  /** Batches that it gets at once now. */
  readonly concurrency: number;
  readonly parkedBatches: number;
  readonly parkedRecords: number;
  /** Held until their settings are mended, or a person decides. */
  readonly heldBatches: number;
  readonly heldRecords: number;
}

type Held = Pick<BreakerView, 'heldBatches' | 'heldRecords'>;

interface Row extends BreakerKey, Omit<BreakerView, 'next' | 'concurrency' | 'since' | keyof Held> {
  readonly since: Date;
  readonly limit: number | null;
  readonly probes: number;
}

const selectViews = `/* list breakers */
  select k.flow_id as "flowId", k.target_id as "targetId", k.state, k.mode, k.since, k.reason_code as "reasonCode",
    case when k.state = 'open' and k.mode = 'auto' then k.probe_at end as "nextProbeAt",
    case when k.paused_until > (select headgate.clock()) then k.paused_until end as "pausedUntil", floor(k.limit_thousandths / 1000.0)::int as "limit",
    p.batches as "parkedBatches", p.records as "parkedRecords"
  from headgate.breakers k
  cross join lateral (select count(*)::int8 as batches, coalesce(sum(b.records), 0)::int8 as records from headgate.batches b
    where b.tenant_id = $1 and b.flow_id = k.flow_id and b.target_id = k.target_id and b.state = 'parked') p
  where k.tenant_id = $1 and k.flow_id = any ($2::uuid[])`;

const countHeld = `/* count held batches */
  select b.flow_id as "flowId", b.target_id as "targetId", count(*)::int8 as "heldBatches", sum(b.records)::int8 as "heldRecords" from headgate.batches b
  where b.tenant_id = $1 and b.flow_id = any ($2::uuid[]) and b.state = 'held' group by b.flow_id, b.target_id`;

/** By `breakerName`; `plans`: what their flows say. A target without a breaker is closed. */
export async function viewBreakers(
  tx: TenantTx,
  targets: readonly (BreakerKey & { readonly concurrency: number; readonly probes: number })[],
): Promise<readonly BreakerView[]> {
  const parameters = [tx.tenantId, [...new Set(targets.map(({ flowId }) => flowId))]];
  const known = new Map((await tx.query<Row>(selectViews, parameters)).rows.map((row) => [breakerName(row), row]));
  const held = new Map((await tx.query<BreakerKey & Held>(countHeld, parameters)).rows.map((row) => [breakerName(row), row]));
  return targets.map((target) => {
    const { heldBatches, heldRecords } = held.get(breakerName(target)) ?? { heldBatches: 0, heldRecords: 0 };
    return { ...viewOf(known.get(breakerName(target)), target), heldBatches, heldRecords };
  });
}

const never: Omit<BreakerView, 'concurrency' | keyof Held> = {
  state: 'closed',
  mode: 'auto',
  since: null,
  reasonCode: null,
  next: null,
  nextProbeAt: null,
  pausedUntil: null,
  parkedBatches: 0,
  parkedRecords: 0,
};

function viewOf(
  row: Row | undefined,
  { concurrency, probes }: { readonly concurrency: number; readonly probes: number },
): Omit<BreakerView, keyof Held> {
  if (row === undefined) return { ...never, concurrency };
  const { flowId: _flow, targetId: _target, limit, ...view } = row;
  const now = {
    closed: limit === null ? concurrency : Math.min(concurrency, Math.max(1, limit)),
    half_open: Math.min(probes, concurrency),
    open: 0,
  };
  return { ...view, reasonCode: view.state === 'closed' ? null : view.reasonCode, concurrency: now[view.state], next: nextOfBreaker(view) };
}

function nextOfBreaker({ state, mode, reasonCode }: Pick<Row, 'state' | 'mode' | 'reasonCode'>): string | null {
  if (mode === 'open')
    return 'Nothing is sent to it while a person keeps it open: `headgate target breaker auto` lets it decide by itself.';
  if (mode === 'closed')
    return 'Its failures open nothing while a person keeps it closed: `headgate target breaker auto` lets it decide by itself.';
  if (state === 'half_open')
    return 'Nothing: it answers again, and the breaker closes by itself when it has taken the next batches that there are for it.';
  return state === 'closed' || reasonCode === null ? null : nextOf(reasonCode) || null;
}

export interface BreakerChangeView {
  /** `breaker.opened` and so on. */
  readonly type: string;
  readonly from: BreakerState;
  readonly to: BreakerState;
  readonly at: Date;
  readonly actor: string;
  readonly code: string | null;
  /** A person's. */
  readonly reason: string | null;
}

const changesMax = 20;

const selectChanges = `/* list changes of breaker */
  select e.type, e.from_state as "from", e.to_state as "to", e.at, e.actor, e.detail ->> 'code' as code, e.detail ->> 'reason' as reason
  from headgate.breakers k join headgate.events e on e.tenant_id = k.tenant_id and e.object_id = k.breaker_id
  where k.tenant_id = $1 and k.flow_id = $2 and k.target_id = $3 order by e.event_id desc limit ${changesMax}`;

/** Newest first, the last ${changesMax}. */
export async function listBreakerChanges(tx: TenantTx, { flowId, targetId }: BreakerKey): Promise<BreakerChangeView[]> {
  return (await tx.query<BreakerChangeView>(selectChanges, [tx.tenantId, flowId, targetId])).rows;
}
