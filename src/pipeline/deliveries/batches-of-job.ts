/**
 * The batches of a job, a page of ids at a time: a job may have a million, and all of them at once would be more memory than
 * a process has.
 */
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';

/** Ids of a page. */
export const batchesOfPageMax = 1_000;

const selectPage = `/* list batches of job */
  select h.batch_id as "batchId" from headgate.batch_jobs h
  where h.tenant_id = $1 and h.job_id = $2 and ($3::uuid is null or h.batch_id > $3) order by h.batch_id limit $4`;

/** In ascending order. What is added meanwhile is there too, since ids rise. */
export async function* batchIdsOfJob(tx: TenantTx, jobId: string): AsyncGenerator<readonly string[]> {
  for (let last: string | null = null; ; ) {
    const { rows }: { rows: readonly { batchId: string }[] } = await tx.query(selectPage, [tx.tenantId, jobId, last, batchesOfPageMax]);
    if (rows.length > 0) yield rows.map(({ batchId }) => batchId);
    if (rows.length < batchesOfPageMax) return;
    last = rows.at(-1)!.batchId;
  }
}
