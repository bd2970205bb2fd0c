/**
 * Counts the records of a closed job that ended as not delivered though nobody knows whether an attempt at them arrived: they
 * were cancelled, given up or refused after one of which no answer came. A batch of which the target said that it has nothing is none.
 */
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { batchIdsOfJob } from '../batches-of-job.ts';
import { absentPatterns } from './asked-evidence.ts';

const countPage = `/* count records of unknown attempts */
  select b.target_id as "targetId", sum((m ->> 'records')::bigint)::bigint as records
  from headgate.batches b cross join lateral jsonb_array_elements(b.members) m
  where b.tenant_id = $1 and b.batch_id = any ($2::uuid[]) and b.unknown_attempts > 0 and b.state in ('cancelled', 'dead', 'refused')
    and coalesce(b.resolution_evidence, '') not like all ($4::text[]) and m ->> 'jobId' = $3
  group by b.target_id`;

/** By id of the target; without those that have none. */
export async function countUnknown(tx: TenantTx, jobId: string): Promise<Map<string, number>> {
  const byTarget = new Map<string, number>();
  for await (const batchIds of batchIdsOfJob(tx, jobId)) {
    const { rows } = await tx.query<{ targetId: string; records: number }>(countPage, [tx.tenantId, batchIds, jobId, absentPatterns]);
    for (const { targetId, records } of rows) byTarget.set(targetId, (byTarget.get(targetId) ?? 0) + Number(records));
  }
  return byTarget;
}
