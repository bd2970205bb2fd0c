/**
 * The work queue over `headgate.work_items`: what is to be done, by whom it is being done, and until when. A claim is a
 * lease with a fence; whatever is written under it counts only while the fence is still the same. Claims are fair between
 * tenants and go across them (`headgate.claim_work`); everything else happens in the tenant's own transaction.
 */

import type { ClaimedWork, NewWork, RenewedWork, WorkItem, WorkKind, WorkQueue } from '../../../pipeline/deliveries/work-queue-port.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { isPlanted } from '../../../platform/base/planted-faults.ts';
import type { Ids } from '../../../platform/base/ports.ts';
import type { Db } from '../../../platform/postgres/database.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { jobErrors } from '../job-errors.ts';

const insertItems = `
  insert into headgate.work_items as w (tenant_id, work_id, kind, reference_id, lane_key, lane_order, lane_offset, cost, due_at)
  select $1, n.work_id, n.kind, n.reference_id, n.lane_key, n.lane_order, n.lane_offset, n.cost, (select headgate.clock()) + n.delay_ms * interval '1 millisecond'
  from unnest($2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::bigint[], $7::int[], $8::bigint[], $9::bigint[])
    as n (work_id, kind, reference_id, lane_key, lane_order, lane_offset, cost, delay_ms)
  order by n.kind, n.reference_id
  on conflict (tenant_id, kind, reference_id) do update`;
const insertWork = `/* add work */ ${insertItems}
    set lease_until = null, worker_id = null, due_at = least(w.due_at, excluded.due_at)`;

/**
 * An item that exists for its kind and reference becomes ready again, and whoever has it now loses it: what it saw may be
 * older than the reason for this call.
 */
export async function addWork(tx: TenantTx, ids: Ids, items: readonly NewWork[]): Promise<void> {
  if (items.length > 0) await tx.query(insertWork, insertValues(tx, ids, items));
}

const keepItems = `/* keep work */ ${insertItems} set due_at = w.due_at`;

/** Locks what is there, so that it is not finished by a transaction that does not see yet what this one writes. */
async function keepWork(tx: TenantTx, ids: Ids, items: readonly NewWork[]): Promise<void> {
  if (items.length > 0) await tx.query(keepItems, insertValues(tx, ids, items));
}

function insertValues(tx: TenantTx, ids: Ids, items: readonly NewWork[]): unknown[] {
  return [
    tx.tenantId,
    items.map(() => ids.next()),
    items.map((item) => item.kind),
    items.map((item) => item.referenceId),
    items.map((item) => item.laneKey ?? ''),
    items.map((item) => item.laneOrder ?? 0),
    items.map((item) => item.laneOffset ?? 0),
    items.map((item) => Math.max(1, Math.ceil(item.cost ?? 1))),
    items.map((item) => Math.round(item.delayMs ?? 0)),
  ];
}

const hastenItems = `/* hasten work */
  with waiting as materialized (
    select w.reference_id from headgate.work_items w
    where w.tenant_id = $1 and w.kind = $2 and w.reference_id = any ($3::uuid[]) and w.lease_until is null and w.due_at > (select headgate.clock())
    order by w.reference_id for update skip locked)
  update headgate.work_items w set due_at = (select headgate.clock())
  where w.tenant_id = $1 and w.kind = $2 and w.reference_id = any (array(select waiting.reference_id from waiting))`;

async function hastenWork(tx: TenantTx, kind: WorkKind, referenceIds: readonly string[]): Promise<void> {
  if (referenceIds.length > 0) await tx.query(hastenItems, [tx.tenantId, kind, referenceIds]);
}

const selectClaims = `/* claim work */
  select tenant_id as "tenantId", work_id as "workId", $1 as kind, reference_id as "referenceId", lane_key as "laneKey", fence, attempts, cost
  from headgate.claim_work($1, $2, $3, $4)`;

export interface Claim {
  readonly limit: number;
  readonly workerId: string;
  readonly leaseMs: number;
}

/** Across tenants. The leases are ours from now on, also when the answer is lost: then they run out. */
export async function claimWork(db: Db, kind: WorkKind, { limit, workerId, leaseMs }: Claim): Promise<WorkItem[]> {
  return (await db.query<WorkItem>(selectClaims, [kind, limit, workerId, leaseMs])).rows;
}

/**
 * Every statement on claimed work locks its rows in the order of their keys before it changes the first: renewals, ends and
 * returns of the same worker overlap in part, and whoever took rows in another order would wait for one that waits for it
 * (SQLSTATE 40P01). A transaction that ends some items and returns others locks both in one go (`endWork`). Claims never
 * wait for a row; work is locked before the rows it is about. No statement leaves the planner another index than the key to look
 * rows up by: the statistics of this table are never true, and one that it believes to be empty is read whole as gladly.
 */
const lockClaimed = (isOurs: string, more = '', values = '', locked = '') => `
  select d.reference_id, l.work_id as "workId"${more}
  from (select * from unnest($3::uuid[], $4::uuid[], $5::bigint[]${values}) as u (reference_id, work_id, fence${more.replace('d.', '')}) order by u.reference_id) d
  cross join lateral (select w.work_id from headgate.work_items w
    where w.tenant_id = $1 and w.kind = $2 and w.reference_id = d.reference_id and w.work_id = d.work_id and ${isOurs} limit 1 for update${locked}) l`;
/** So written that it does not fit the index of what is leased. */
const isLeased = "coalesce(w.lease_until, '-infinity') > '-infinity'";
const isOurs = `w.fence = d.fence and ${isLeased}`;
const amongOurs = 'w.tenant_id = $1 and w.kind = $2 and w.reference_id = any (array(select o.reference_id from ours o))';

const selectOurs = `/* lock work */ ${lockClaimed(isOurs)}`;

/** Those of the items that are still ours: nobody can take them from us before the transaction ends. */
export async function lockWork<Item extends ClaimedWork>(tx: TenantTx, items: readonly Item[]): Promise<Item[]> {
  if (items.length === 0) return [];
  const ours = new Set((await tx.query<{ workId: string }>(selectOurs, claimedValues(tx, items))).rows.map((row) => row.workId));
  return items.filter((item) => ours.has(item.workId));
}

const deleteWork = `/* finish work */
  with ours as materialized (${lockClaimed(isPlanted('no-fence') ? 'true' : isOurs)})
  delete from headgate.work_items w where ${amongOurs}`;

/** Fails with E_FENCED when any item is no longer ours: nothing of this transaction may then be kept. */
export async function finishWork(tx: TenantTx, items: readonly ClaimedWork[]): Promise<void> {
  if (items.length === 0) return;
  const { rowCount } = await tx.query(deleteWork, claimedValues(tx, items));
  assertOurs(rowCount, items);
}

const returnWork = `/* release work */
  with ours as materialized (${lockClaimed(isOurs, ', d.delay_ms', ', $6::bigint[]')})
  update headgate.work_items w
  set lease_until = null, worker_id = null,
    due_at = (select headgate.clock()) + (select o.delay_ms from ours o where o.reference_id = w.reference_id) * interval '1 millisecond'
  where ${amongOurs}`;

/** Fails with E_FENCED as `finishWork` does. */
export async function releaseWork(tx: TenantTx, items: readonly (ClaimedWork & { readonly delayMs: number })[]): Promise<void> {
  if (items.length === 0) return;
  const { rowCount } = await tx.query(returnWork, [...claimedValues(tx, items), items.map((item) => Math.round(item.delayMs))]);
  assertOurs(rowCount, items);
}

const countFailed = `/* count failure of work */
  with ours as materialized (${lockClaimed(isOurs)})
  update headgate.work_items w set failures = w.failures + 1 where ${amongOurs} returning w.failures`;

/**
 * How often the work failed for a cause of its own, this time included: its claims are also those that a passing cause ended. Fails
 * with E_FENCED as `finishWork` does.
 */
export async function countFailure(tx: TenantTx, item: ClaimedWork): Promise<number> {
  const { rows } = await tx.query<{ failures: number }>(countFailed, claimedValues(tx, [item]));
  assertOurs(rows.length, [item]);
  return rows[0]?.failures ?? 0;
}

/** Ends those without a delay and gives the others back. Fails with E_FENCED as `finishWork` does. */
export async function endWork(tx: TenantTx, items: readonly (ClaimedWork & { readonly delayMs: number | null })[]): Promise<void> {
  const done = items.filter(({ delayMs }) => delayMs === null);
  const again = items.flatMap(({ delayMs, ...item }) => (delayMs === null ? [] : { ...item, delayMs }));
  if (done.length > 0 && again.length > 0) await lockWork(tx, items);
  await finishWork(tx, done);
  await releaseWork(tx, again);
}

const extendLeases = (ours: string) => `
  with ours as materialized (${ours})
  update headgate.work_items w set lease_until = (select headgate.clock()) + $6 * interval '1 millisecond'
  where ${amongOurs} returning w.work_id as "workId"`;
const renewAll = `/* renew work */ ${extendLeases(lockClaimed(isOurs))}`;
const renewFree = `/* renew work that is not being ended */ ${extendLeases(lockClaimed(isOurs, '', '', ' skip locked'))}`;
const selectStillOurs = `/* find work that is ours */
  select l.work_id as "workId" from unnest($3::uuid[], $4::uuid[], $5::bigint[]) as d (reference_id, work_id, fence)
  cross join lateral (select w.work_id from headgate.work_items w
    where w.tenant_id = $1 and w.kind = $2 and w.reference_id = d.reference_id and w.work_id = d.work_id and ${isOurs} limit 1) l`;

/** A lease that ran out but was taken by nobody is extended too: its fence is still ours. Fails with E_FENCED as `finishWork` does. */
export async function renewWork(tx: TenantTx, items: readonly ClaimedWork[], leaseMs: number): Promise<void> {
  if (items.length === 0) return;
  assertOurs((await tx.query(renewAll, [...claimedValues(tx, items), leaseMs])).rows.length, items);
}

/**
 * As `renewWork`, of those that are still ours. Waits for none that another transaction has locked: one that ends a big batch may
 * take minutes, and the leases of all others would run out meanwhile.
 */
export async function renewOurs(tx: TenantTx, items: readonly ClaimedWork[], leaseMs: number): Promise<RenewedWork> {
  if (items.length === 0) return { renewed: new Set(), locked: new Set() };
  const { rows } = await tx.query<{ workId: string }>(renewFree, [...claimedValues(tx, items), leaseMs]);
  const renewed = new Set((isPlanted('no-fence') ? items : rows).map(({ workId }) => workId));
  const left = items.filter(({ workId }) => !renewed.has(workId));
  if (left.length === 0) return { renewed, locked: new Set() };
  const ours = await tx.query<{ workId: string }>(selectStillOurs, claimedValues(tx, left));
  return { renewed, locked: new Set(ours.rows.map(({ workId }) => workId)) };
}

/** Of one kind, as every loop has them. */
function claimedValues(tx: TenantTx, items: readonly ClaimedWork[]): unknown[] {
  const { kind } = items[0]!;
  if (items.some((item) => item.kind !== kind)) throw new Error('work of several kinds in one call');
  return [tx.tenantId, kind, items.map((item) => item.referenceId), items.map((item) => item.workId), items.map((item) => item.fence)];
}

function assertOurs(rowCount: number, items: readonly ClaimedWork[]): void {
  if (rowCount === items.length || isPlanted('no-fence')) return;
  throw new HeadgateError(jobErrors.E_FENCED, `${items.length - rowCount} of ${items.length} units of work are no longer ours`);
}

/** The queue as deliveries see it. */
export function createWorkQueue(ids: Ids): WorkQueue {
  return {
    addWork: (tx, items) => addWork(tx, ids, items),
    keepWork: (tx, items) => keepWork(tx, ids, items),
    hastenWork,
    claimWork,
    finishWork,
    releaseWork,
    endWork,
    renewWork,
    renewOurs,
  };
}
