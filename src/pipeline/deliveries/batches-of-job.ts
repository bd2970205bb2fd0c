/**
 * The batches of a job, a page of ids at a time: a job may have a million, and all of them at once would be more memory than
 * a process has.
 */
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';

/** Ids of a page. */
export const batchesOfPageMax = 1_000;

const selectPage = `/* list batches of job */
  select h.batch_id as "batchId" from headgate.batch_jobs h
  where h.tenant_id = $1 and h.job_id = $2 and h.batch_id > $3 order by h.batch_id limit $4`;

/** Below every id. */
const lowestId = '00000000-0000-0000-0000-000000000000';

/** In ascending order, those behind `after`; null: from the first. */
export async function pageOfBatches(tx: TenantTx, jobId: string, after: string | null): Promise<readonly string[]> {
  const { rows } = await tx.query<{ batchId: string }>(selectPage, [tx.tenantId, jobId, after ?? lowestId, batchesOfPageMax]);
  return rows.map(({ batchId }) => batchId);
}

/** In ascending order. What is added meanwhile is there too, since ids rise. */
export async function* batchIdsOfJob(tx: TenantTx, jobId: string): AsyncGenerator<readonly string[]> {
  for (let last: string | null = null; ; ) {
    const page = await pageOfBatches(tx, jobId, last);
    if (page.length > 0) yield page;
    if (page.length < batchesOfPageMax) return;
    last = page.at(-1)!;
  }
}

const countBatches = `/* count batches of job */
  select count(*)::int as count from (select from headgate.batch_jobs h where h.tenant_id = $1 and h.job_id = $2 limit $3) b`;

export async function hasMoreBatches(tx: TenantTx, jobId: string, than: number): Promise<boolean> {
  return (await tx.query<{ count: number }>(countBatches, [tx.tenantId, jobId, than + 1])).rows[0]!.count > than;
}

/** By what is leased, of which there is little, whatever the statistics say: those of this table are never true. */
const selectInHand = `/* list batches of job in hand */
  with leased as materialized (
    select w.reference_id as batch_id from headgate.work_items w where w.tenant_id = $1 and w.kind = 'deliver' and w.lease_until is not null)
  select l.batch_id as "batchId" from leased l
  cross join lateral (select from headgate.batch_jobs h where h.tenant_id = $1 and h.job_id = $2 and h.batch_id = l.batch_id limit 1) h
  where l.batch_id > $3 order by l.batch_id limit $4`;

/** In ascending order, those that a process has claimed: some hundreds for each process. */
export async function* batchesInHand(tx: TenantTx, jobId: string): AsyncGenerator<readonly string[]> {
  for (let last: string | null = null; ; ) {
    const { rows }: { rows: readonly { batchId: string }[] } = await tx.query(selectInHand, [
      tx.tenantId,
      jobId,
      last ?? lowestId,
      batchesOfPageMax,
    ]);
    if (rows.length > 0) yield rows.map(({ batchId }) => batchId);
    if (rows.length < batchesOfPageMax) return;
    last = rows.at(-1)!.batchId;
  }
}
