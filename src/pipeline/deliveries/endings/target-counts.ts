/**
 * What became of the records of each job at each target. Counts move in the transaction that ends a batch, under the lock of
 * the job's rows, so that exactly one transaction sees that nothing is open any more: it sends the job to be closed.
 */
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { type BatchMember, recordsByJob } from '../batch.ts';

export interface CountDelta {
  readonly jobId: string;
  readonly targetId: string;
  readonly delivered: number;
  readonly refused: number;
  readonly dead: number;
  readonly cancelled: number;
}

export type CountedAs = 'delivered' | 'refused' | 'dead' | 'cancelled';

/** The counts of a batch whose records all ended the same way. */
export function countBatch(batch: { readonly members: readonly BatchMember[]; readonly targetId: string }, as: CountedAs): CountDelta[] {
  const none = { delivered: 0, refused: 0, dead: 0, cancelled: 0 };
  return [...recordsByJob(batch.members)].map(([jobId, records]) => ({ ...none, jobId, targetId: batch.targetId, [as]: records }));
}

/** Always in the same order, so that two transactions never wait for each other. */
const lockRows = `/* lock job targets */
  select 1 from headgate.job_targets where tenant_id = $1 and job_id = any ($2::uuid[]) order by job_id, target_id for update`;

const addDeltas = `/* count ended records */
  update headgate.job_targets t
  set delivered = t.delivered + d.delivered, refused = t.refused + d.refused, dead = t.dead + d.dead, cancelled = t.cancelled + d.cancelled
  from (select x.job_id, x.target_id, sum(x.delivered) as delivered, sum(x.refused) as refused, sum(x.dead) as dead, sum(x.cancelled) as cancelled
    from unnest($2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[]) as x (job_id, target_id, delivered, refused, dead, cancelled)
    group by x.job_id, x.target_id) d
  where t.tenant_id = $1 and t.job_id = any ($2::uuid[]) and t.job_id = d.job_id and t.target_id = d.target_id`;

const selectEnded = `/* find ended jobs */
  select t.job_id as "jobId" from headgate.job_targets t where t.tenant_id = $1 and t.job_id = any ($2::uuid[])
  group by t.job_id having bool_and(t.delivered + t.refused + t.dead + t.cancelled = t.routed)`;

/** Adds the counts and returns the jobs whose last open record this was. */
export async function addCounts(tx: TenantTx, deltas: readonly CountDelta[]): Promise<string[]> {
  if (deltas.length === 0) return [];
  const jobIds = [...new Set(deltas.map(({ jobId }) => jobId))];
  await tx.query(lockRows, [tx.tenantId, jobIds]);
  const { rowCount } = await tx.query(addDeltas, [
    tx.tenantId,
    deltas.map((delta) => delta.jobId),
    deltas.map((delta) => delta.targetId),
    deltas.map((delta) => delta.delivered),
    deltas.map((delta) => delta.refused),
    deltas.map((delta) => delta.dead),
    deltas.map((delta) => delta.cancelled),
  ]);
  const rows = new Set(deltas.map(({ jobId, targetId }) => `${jobId} ${targetId}`)).size;
  if (rowCount !== rows) throw new Error('a delivery batch counts for a job and target that have no row');
  return (await tx.query<{ jobId: string }>(selectEnded, [tx.tenantId, jobIds])).rows.map(({ jobId }) => jobId);
}
