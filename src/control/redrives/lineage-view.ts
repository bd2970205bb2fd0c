/**
 * A lineage: the job of a file and the jobs that sent records of it again. Closed ledgers never change, so what became of the
 * file is what they say together: each record counts once, where it ended last.
 */
import type { ReceiptRedrive } from '../../pipeline/ledger/receipt.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import { jobErrors } from '../jobs/job-errors.ts';
import type { JobState } from '../jobs/job-state.ts';

export interface LineageJob {
  readonly jobId: string;
  readonly state: JobState;
  readonly createdAt: Date;
  readonly closedAt: Date | null;
  /** Null for the job of the file itself. */
  readonly redrive: ReceiptRedrive | null;
}

/** Of the records that the file routed to a target; the sum of the others is `routed`. */
export interface LineageTarget {
  readonly routed: number;
  /** By any job of the lineage that is closed, or by the first one. */
  readonly delivered: number;
  /** Given up, and nobody has decided yet. */
  readonly open: number;
  readonly redriving: number;
  readonly discarded: number;
  readonly expired: number;
  readonly cancelled: number;
  readonly inFlight: number;
}

export interface LineageView {
  readonly lineageId: string;
  /** The first 1,000, oldest first. */
  readonly jobs: readonly LineageJob[];
  readonly targets: Readonly<Record<string, LineageTarget>>;
  /** For each target the others add up to what was routed. */
  readonly balanced: boolean;
}

const selectLineage = '/* find lineage */ select lineage_id as "lineageId" from headgate.jobs where tenant_id = $1 and job_id = $2';

const members = `select j.job_id, j.state, j.closed_at, j.redrive from headgate.jobs j where j.tenant_id = $1 and j.job_id = $2
  union all select j.job_id, j.state, j.closed_at, j.redrive from headgate.jobs j where j.tenant_id = $1 and j.lineage_id = $2 and j.redrive is not null`;

const selectJobs = `/* list jobs of lineage */
  select j.job_id as "jobId", j.state, j.created_at as "createdAt", j.closed_at as "closedAt", j.redrive from headgate.jobs j
  where j.tenant_id = $1 and (j.job_id = $2 or j.lineage_id = $2 and j.redrive is not null) order by j.job_id limit 1000`;

/** Of a job that is still open, only what its letters were before it counts: they are being sent again. */
const selectTargets = `/* net targets of lineage */
  with jobs as materialized (${members}),
  counts as (
    select t.target_id, sum(t.routed) filter (where j.redrive is null) as routed, sum(t.delivered) filter (where j.redrive is null or j.closed_at is not null) as delivered,
      sum(t.cancelled) filter (where j.redrive is null) as cancelled,
      sum(t.routed - t.delivered - t.refused - t.dead - t.cancelled) filter (where j.redrive is null) as in_flight
    from headgate.job_targets t join jobs j on j.job_id = t.job_id where t.tenant_id = $1 group by t.target_id
  ),
  letters as (
    select d.target_id, d.state, count(*) as letters from headgate.dead_letters d join jobs j on j.job_id = d.job_id
    where d.tenant_id = $1 and (j.redrive is null or j.closed_at is not null) group by d.target_id, d.state
  )
  select c.target_id as "targetId", c.routed::int8 as routed, coalesce(c.delivered, 0)::int8 as delivered, c.cancelled::int8 as cancelled, c.in_flight::int8 as "inFlight",
    coalesce(sum(l.letters) filter (where l.state = 'open'), 0)::int8 as open, coalesce(sum(l.letters) filter (where l.state = 'redriving'), 0)::int8 as redriving,
    coalesce(sum(l.letters) filter (where l.state = 'discarded'), 0)::int8 as discarded, coalesce(sum(l.letters) filter (where l.state = 'expired'), 0)::int8 as expired
  from counts c left join letters l on l.target_id = c.target_id group by c.target_id, c.routed, c.delivered, c.cancelled, c.in_flight order by c.target_id`;

/** Of any of its jobs. Fails with E_JOB_UNKNOWN. */
export async function getLineage(tx: TenantTx, jobId: string): Promise<LineageView> {
  const found = (await tx.query<{ lineageId: string }>(selectLineage, [tx.tenantId, jobId])).rows[0];
  if (found === undefined) throw new HeadgateError(jobErrors.E_JOB_UNKNOWN, 'there is no job of this id');
  const { lineageId } = found;
  const jobs = (await tx.query<LineageJob>(selectJobs, [tx.tenantId, lineageId])).rows;
  const { rows } = await tx.query<LineageTarget & { targetId: string }>(selectTargets, [tx.tenantId, lineageId]);
  const targets = Object.fromEntries(rows.map(({ targetId, ...counts }) => [targetId, counts]));
  return { lineageId, jobs, targets, balanced: Object.values(targets).every(isBalanced) };
}

function isBalanced({ routed, delivered, open, redriving, discarded, expired, cancelled, inFlight }: LineageTarget): boolean {
  return routed === delivered + open + redriving + discarded + expired + cancelled + inFlight;
}
