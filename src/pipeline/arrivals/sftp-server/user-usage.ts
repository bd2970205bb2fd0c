/** How many files and bytes a user of the SFTP server has brought within the last minute, over all processes. */
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';

const selectBrought = `/* count brought by user */
  select count(*) as files, coalesce(sum(size_bytes), 0)::bigint as bytes from headgate.arrivals
  where tenant_id = $1 and flow_id = any ($2::uuid[]) and actor = $3 and changed_at > headgate.clock() - interval '1 minute'
    and arrival_id > (lpad(to_hex((extract(epoch from headgate.clock() - interval '1 hour') * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid`;

export async function countBrought(
  tx: TenantTx,
  user: { readonly flowIds: readonly string[]; readonly actor: string },
): Promise<{ readonly files: number; readonly bytes: number }> {
  return (await tx.query<{ files: number; bytes: number }>(selectBrought, [tx.tenantId, user.flowIds, user.actor])).rows[0]!;
}
