/**
 * How far a job has been read: chunks are run side by side, so that a later one may be done before an earlier one. Lists in record
 * order end before the first chunk that is still to come; one that never will (it failed or was withdrawn) stands in nobody's way.
 */
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';

const selectFirst = `/* find first chunk to come */
  select n.first_record as "firstRecord" from headgate.jobs j
  cross join lateral (
    select c.first_record from headgate.chunks c
    cross join lateral (select g.state from headgate.chunk_groups g where g.tenant_id = c.tenant_id and g.group_id = c.group_id limit 1) g
    where c.tenant_id = j.tenant_id and c.job_id = $2 and c.done_at is null and g.state in ('ready', 'running')
    order by c.chunk_number limit 1) n
  where j.tenant_id = $1 and j.job_id = $2 and j.chunks_done < j.chunks and j.closed_at is null`;

/**
 * Number of the first record of that chunk; null: nothing is to come. Asked before what is listed is read, so that what is done
 * meanwhile is left for the next time.
 */
export async function firstRecordToCome(tx: TenantTx, jobId: string): Promise<number | null> {
  const { rows } = await tx.query<{ firstRecord: number }>(selectFirst, [tx.tenantId, jobId]);
  return rows[0]?.firstRecord ?? null;
}
