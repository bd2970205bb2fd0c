/**
 * Lets attempts start within what their target takes: batches under way at once and records a second, over all processes.
 * Part of the transaction that starts them, under a lock of the target, so that two processes never count past each other;
 * it costs that transaction three statements, however many attempts it starts, and two more where a rate is set. What the target's
 * breaker says holds too (docs/breakers.md).
 */
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import type { BreakerPlan } from '../../engine/plan.ts';
import { mayRetry, roomOf } from '../breakers/breaker-rules.ts';
import { breakerName, readBreakers, type StoredBreaker } from '../breakers/breaker-store.ts';
import type { TargetGate } from './target-gate.ts';

export interface AdmissionRequest {
  readonly flowId: string;
  readonly targetId: string;
  readonly records: number;
  /** Most that a batch of the target may have. */
  readonly batchRecords: number;
  /** From 1, since it was held last. */
  readonly attempt: number;
  readonly breaker: BreakerPlan;
  /** Of the target in this process. */
  readonly gate: TargetGate;
}

/** Null: it may start. Else how long to wait before it is worth another try, or that its target's breaker is open. */
export type Refusal = { readonly waitMs: number } | { readonly openBreaker: StoredBreaker } | null;

/** Until somebody else's batch may have ended. */
const busyMs = 25;
/** Until first attempts or successes may have paid for a try again. */
const unpaidMs = 1_000;

/** In a fixed order, so that two transactions never wait for each other. */
const lockTargets = `/* lock targets */
  select pg_advisory_xact_lock(7273, t.lock) from (select distinct hashtext($1 || ' ' || x.name) as lock from unnest($2::text[]) as x (name) order by 1) t`;

const countOthers = `/* count batches under way elsewhere */
  select b.flow_id as "flowId", coalesce(b.via, b.target_id) as "targetId", count(*)::int as count
  from headgate.batches b
  cross join lateral (select x.lease_until, x.worker_id from headgate.work_items x
    where x.tenant_id = $1 and x.kind = 'deliver' and x.reference_id = b.batch_id limit 1) w
  where b.tenant_id = $1 and b.state = 'sending' and b.flow_id = any ($2::uuid[]) and w.lease_until is not null and w.worker_id is distinct from $3::uuid
  group by b.flow_id, coalesce(b.via, b.target_id)`;

/**
 * In the order of the requests, with the breakers that were read. Statements of their own after the lock: they must see what the
 * lock's last holder committed.
 */
export async function admitAttempts(
  tx: TenantTx,
  requests: readonly AdmissionRequest[],
  workerId: string,
): Promise<{ readonly refusals: readonly Refusal[]; readonly breakers: ReadonlyMap<string, StoredBreaker> }> {
  const names = [...new Set(requests.map(breakerName))];
  await tx.query(lockTargets, [tx.tenantId, names]);
  const flowIds = [...new Set(requests.map(({ flowId }) => flowId))];
  const { rows } = await tx.query<{ flowId: string; targetId: string; count: number }>(countOthers, [tx.tenantId, flowIds, workerId]);
  const breakers = await readBreakers(tx, flowIds);
  const underWay = new Map(rows.map((row) => [breakerName(row), row.count]));
  const admitted = requests.map((request): Refusal => {
    const name = breakerName(request);
    const count = underWay.get(name) ?? 0;
    const refusal = refusalOf(request, breakers.get(name), count + request.gate.sending);
    if (refusal === null) underWay.set(name, count + 1);
    return refusal;
  });
  return { refusals: await withinRates(tx, requests, admitted), breakers };
}

function refusalOf({ gate, attempt, breaker: plan }: AdmissionRequest, stored: StoredBreaker | undefined, underWay: number): Refusal {
  const { concurrency } = gate.limits;
  if (stored === undefined) return underWay < concurrency ? null : { waitMs: busyMs };
  const { breaker } = stored;
  if (breaker.state === 'open') return { openBreaker: stored };
  if (underWay >= roomOf(breaker, plan, concurrency)) return { waitMs: busyMs };
  if (breaker.pausedMs > 0) return { waitMs: Math.ceil(breaker.pausedMs) };
  return attempt > 1 && breaker.state === 'closed' && !mayRetry(breaker, plan) ? { waitMs: unpaidMs } : null;
}

/** `paid`: until when what was sent is paid for at the rate, in ms from now; negative: how much is saved up. */
const readRates = `/* read rates of targets */
  select flow_id as "flowId", target_id as "targetId", extract(epoch from paid_until - headgate.clock())::float8 * 1000 as "paidMs"
  from headgate.target_rates where tenant_id = $1 and flow_id = any ($2::uuid[])`;

const writeRates = `/* write rates of targets */
  insert into headgate.target_rates (tenant_id, flow_id, target_id, paid_until)
  select $1, r.flow_id, r.target_id, (select headgate.clock()) + r.paid_ms * interval '1 millisecond'
  from unnest($2::uuid[], $3::text[], $4::float8[]) as r (flow_id, target_id, paid_ms)
  on conflict (tenant_id, flow_id, target_id) do update set paid_until = excluded.paid_until`;

async function withinRates(tx: TenantTx, requests: readonly AdmissionRequest[], admitted: readonly Refusal[]): Promise<Refusal[]> {
  const limited = requests.filter(({ gate }, index) => gate.limits.ratePerSecond !== null && admitted[index] === null);
  if (limited.length === 0) return [...admitted];
  const flowIds = [...new Set(limited.map(({ flowId }) => flowId))];
  const { rows } = await tx.query<{ flowId: string; targetId: string; paidMs: number }>(readRates, [tx.tenantId, flowIds]);
  const paid = new Map(rows.map((row) => [breakerName(row), row.paidMs]));
  const changed = new Map<string, AdmissionRequest>();
  const results = requests.map((request, index): Refusal => {
    const perSecond = request.gate.limits.ratePerSecond;
    if (perSecond === null || admitted[index] !== null) return admitted[index]!;
    const name = breakerName(request);
    const paidMs = paid.get(name) ?? Number.NEGATIVE_INFINITY;
    // More can only be owed where the database's clock was set back: that is forgiven at once, or nothing would be sent until it is there again.
    const owedMs = Math.min(paidMs, owedMostMs(request, perSecond));
    const taken = takeRecords(owedMs, request.records, perSecond);
    const isRefused = 'waitMs' in taken;
    if (isRefused && owedMs === paidMs) return taken;
    paid.set(name, isRefused ? owedMs : taken.paidMs);
    changed.set(name, request);
    return isRefused ? taken : null;
  });
  const rates = [...changed.values()];
  if (rates.length > 0) {
    const values = rates.map((request) => paid.get(breakerName(request))!);
    await tx.query(writeRates, [tx.tenantId, rates.map(({ flowId }) => flowId), rates.map(({ targetId }) => targetId), values]);
  }
  return results;
}

/** What the largest batch leaves owed when it goes. */
function owedMostMs({ records, batchRecords }: AdmissionRequest, perSecond: number): number {
  return (Math.max(records, batchRecords) / perSecond) * 1_000;
}

/** More than what sums of such times lose to rounding, so that waiting as long as is said is enough. */
const roundingMs = 0.001;

/**
 * A token bucket of one second's worth, as the time until which it is paid. More than that at once leaves a debt that the
 * next ones wait for.
 */
export function takeRecords(paidMs: number, records: number, perSecond: number): { readonly paidMs: number } | { readonly waitMs: number } {
  const from = Math.max(paidMs, -1_000);
  const neededMs = (Math.min(records, perSecond) / perSecond) * 1_000;
  return -from >= neededMs ? { paidMs: from + (records / perSecond) * 1_000 } : { waitMs: Math.ceil(neededMs + from + roundingMs) };
}
