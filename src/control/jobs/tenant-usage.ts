/**
 * What a tenant stores, holds and has in flight, as admission weighs it: changed in the transaction that changes what is
 * counted. Chunks are in flight until they are done or cancelled; bytes are held while a person must decide; stored bytes go
 * with retention.
 */
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';

/** What a tenant has more, or less, of. */
export interface UsageChange {
  readonly storedBytes: number;
  readonly heldBytes: number;
  readonly chunksInFlight: number;
}

const changeUsage = `/* change tenant usage */
  insert into headgate.tenant_usage as u (tenant_id, stored_bytes, held_bytes, chunks_in_flight) values ($1, greatest(0, $2::bigint), greatest(0, $3::bigint), greatest(0, $4::bigint))
  on conflict (tenant_id) do update set stored_bytes = greatest(0, u.stored_bytes + $2::bigint), held_bytes = greatest(0, u.held_bytes + $3::bigint),
    chunks_in_flight = greatest(0, u.chunks_in_flight + $4::bigint)`;

/** One row a tenant, which transactions wait for: call it last. */
export async function addUsage(tx: TenantTx, change: UsageChange): Promise<void> {
  if (change.storedBytes === 0 && change.heldBytes === 0 && change.chunksInFlight === 0) return;
  await tx.query(changeUsage, [tx.tenantId, change.storedBytes, change.heldBytes, change.chunksInFlight]);
}
