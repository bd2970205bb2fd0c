/**
 * The lease of a polled source: whoever holds it with the present fence may write for the source, inside the transaction
 * that proves it. A process that slept past its lease is refused by the database, on the database's clock.
 */
import { HeadgateError } from '../../platform/base/errors.ts';
import type { Queryable } from '../../platform/postgres/database.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import { arrivalErrors } from './arrival-errors.ts';

export interface SourceLease {
  readonly tenantId: string;
  readonly flowId: string;
  readonly sourceId: string;
  readonly fence: number;
  /** How long it had been due when it was leased. */
  readonly lateMs: number;
  /** Names were told of (`source-hints.ts`). */
  readonly isHinted: boolean;
  /** All of its place is to be looked at; else only for what was told of. */
  readonly isListing: boolean;
}

const leaseDue = `/* lease due sources */
  select tenant_id as "tenantId", flow_id as "flowId", source_id as "sourceId", fence, late_ms as "lateMs", is_hinted as "isHinted", is_listing as "isListing"
  from headgate.list_due_sources($1, $2, $3)`;

/** Leases sources that are due, of any tenant. */
export async function leaseDueSources(
  db: Queryable,
  request: { readonly workerId: string; readonly limit: number; readonly leaseMs: number },
): Promise<SourceLease[]> {
  return (await db.query<SourceLease>(leaseDue, [request.workerId, request.limit, request.leaseMs])).rows;
}

const lockLease = `/* prove source lease */
  select 1 from headgate.source_schedules where tenant_id = $1 and flow_id = $2 and source_id = $3 and fence = $4 and lease_until is not null for share`;

/** Nobody else can lease the source until this transaction ends. Fails with E_SOURCE_FENCED. */
export async function proveLease(tx: TenantTx, lease: SourceLease): Promise<void> {
  const { rowCount } = await tx.query(lockLease, [tx.tenantId, lease.flowId, lease.sourceId, lease.fence]);
  if (rowCount !== 1) throw fenced();
}

const extendLease = `/* renew source lease */
  update headgate.source_schedules set lease_until = headgate.clock() + $5 * interval '1 millisecond'
  where tenant_id = $1 and flow_id = $2 and source_id = $3 and fence = $4 and lease_until is not null`;

/** Fails with E_SOURCE_FENCED. */
export async function renewLease(tx: TenantTx, lease: SourceLease, leaseMs: number): Promise<void> {
  const { rowCount } = await tx.query(extendLease, [tx.tenantId, lease.flowId, lease.sourceId, lease.fence, leaseMs]);
  if (rowCount !== 1) throw fenced();
}

const endLeaseAt = `/* end source lease */
  update headgate.source_schedules set lease_until = null, worker_id = null,
    list_due_at = case when $6 or $7 then n.at else least(list_due_at, n.at) end,
    retry_at = case when $7 then n.at else retry_at end,
    due_at = case when $7 then n.at when hinted then headgate.clock() when $6 then n.at else least(list_due_at, n.at) end
  from (select headgate.clock() + $5 * interval '1 millisecond' as at) n
  where tenant_id = $1 and flow_id = $2 and source_id = $3 and fence = $4`;

/**
 * Gives the source back, to be polled again after `dueInMs`, or at once for what was told of meanwhile. `isHeld`: nothing makes it
 * due earlier, because its place can not be used now. Of no effect when another process has it.
 */
export async function endLease(tx: TenantTx, lease: SourceLease, dueInMs: number, isHeld: boolean): Promise<void> {
  const { flowId, sourceId, fence, isListing } = lease;
  await tx.query(endLeaseAt, [tx.tenantId, flowId, sourceId, fence, dueInMs, isListing, isHeld]);
}

export function fenced(): HeadgateError {
  return new HeadgateError(arrivalErrors.E_SOURCE_FENCED, 'another process polls this source now');
}
