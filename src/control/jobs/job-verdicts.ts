/**
 * Writes what a file's check decided about its job: the move to `delivering`, `held` or `rejected` with totals and reasons,
 * the targets of a rejected one (all cancelled), the work that follows, and the events. The batches of an accepted job are
 * cut by the caller in the same transaction.
 */
import type { NewWork } from '../../pipeline/deliveries/work-queue-port.ts';
import type { Finding } from '../../pipeline/engine/chunk.ts';
import { mergeAlike } from '../../pipeline/engine/file/alike-messages.ts';
import type { Plan } from '../../pipeline/engine/plan.ts';
import type { NewEvent } from '../../platform/events/event-log.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import type { SegmentPart } from './groups/chunk-parts.ts';
import type { CheckedFile } from './groups/group-run.ts';
import { type JobEvent, type JobState, nextJobState } from './job-state.ts';
import { checkedTotals, type JobTotals } from './job-totals.ts';

export interface JudgedJob {
  readonly jobId: string;
  readonly bytes: number;
  readonly chunks: number;
  readonly startedAt: Date;
  readonly traceId: string | null;
  readonly plan: Plan;
  readonly splitDamage: readonly Finding[];
  /** Null: the file could not be processed, and `failure` says why. */
  readonly checked: CheckedFile | null;
  readonly failure: { readonly code: string; readonly message: string } | null;
  readonly exclusions: SegmentPart | null;
}

export interface VerdictEffects {
  readonly events: readonly NewEvent[];
  readonly work: readonly NewWork[];
  readonly heldBytes: number;
}

const lockRows = `/* lock jobs */
  select job_id as "jobId", state from headgate.jobs where tenant_id = $1 and job_id = any ($2::uuid[]) order by job_id for update`;

/** The states of these jobs, which do not change until the transaction ends. */
export async function lockJobs(tx: TenantTx, jobIds: readonly string[]): Promise<Map<string, JobState>> {
  const { rows } = await tx.query<{ jobId: string; state: JobState }>(lockRows, [tx.tenantId, jobIds]);
  return new Map(rows.map((row) => [row.jobId, row.state]));
}

const updateJobs = `/* record verdicts */
  update headgate.jobs j set state = v.state, verdict = v.verdict, reason_code = v.reason_code, reason = v.reason,
    totals = (case when j.totals -> 'split' is null then v.totals
      else '{"split":' || (j.totals -> 'split')::text || ',' || substr(v.totals, 2) end)::json,
    chunks_done = greatest(j.chunks_done, v.chunks_done), records_read = v.read, records_valid = v.valid, records_rejected = v.rejected, records_filtered = v.filtered,
    records_warned = v.warned, started_at = coalesce(j.started_at, v.started_at), changed_at = (select headgate.clock())
  from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[],
      $13::bigint[], $14::timestamptz[])
    as v (job_id, state, verdict, reason_code, reason, totals, chunks_done, read, valid, rejected, filtered, warned, started_at)
  where j.tenant_id = $1 and j.job_id = any ($2::uuid[]) and j.job_id = v.job_id`;

/** `states`: those of the locked jobs. The caller writes the effects. */
export async function recordVerdicts(
  tx: TenantTx,
  jobs: readonly JudgedJob[],
  states: ReadonlyMap<string, JobState>,
): Promise<VerdictEffects> {
  if (jobs.length === 0) return { events: [], work: [], heldBytes: 0 };
  const moves = jobs.map((job) => moveOf(job, states.get(job.jobId)!));
  await tx.query(updateJobs, [
    tx.tenantId,
    jobs.map((job) => job.jobId),
    moves.map((move) => move.to),
    jobs.map((job) => job.checked?.check.verdict ?? 'held'),
    moves.map((move) => move.reasonCode),
    moves.map((move) => move.reason),
    jobs.map((job) => JSON.stringify(totalsOf(job))),
    jobs.map((job) => (job.checked === null ? 0 : job.chunks)),
    jobs.map((job) => job.checked?.check.records.read ?? 0),
    jobs.map((job) => job.checked?.check.records.valid ?? 0),
    jobs.map((job) => job.checked?.check.records.rejected ?? 0),
    jobs.map((job) => job.checked?.check.records.filtered ?? 0),
    jobs.map((job) => job.checked?.summary.warned ?? 0),
    jobs.map((job) => job.startedAt),
  ]);
  const rejected = jobs.filter((_, index) => moves[index]!.to === 'rejected');
  await cancelRoutes(tx, rejected);
  return {
    events: moves.map((move) => move.event),
    work: rejected.map((job) => ({ kind: 'close', referenceId: job.jobId })),
    heldBytes: jobs.reduce((sum, job, index) => sum + (moves[index]!.to === 'held' ? job.bytes : 0), 0),
  };
}

/** What the row keeps of the file's check, beside what it has of the file's receiving. */
function totalsOf(job: JudgedJob): JobTotals {
  const { checked, splitDamage, exclusions, plan } = job;
  return { version: 1, splitDamage, checked: checked === null ? null : checkedTotals(plan, { ...checked, exclusions }) };
}

interface Move {
  readonly to: JobState;
  readonly reasonCode: string | null;
  readonly reason: string | null;
  readonly event: NewEvent;
}

const reasonMax = 500;

function moveOf(job: JudgedJob, from: JobState): Move {
  const { checked, failure, jobId, traceId } = job;
  const verdict = checked?.check.verdict ?? 'held';
  const event: JobEvent = verdict === 'held' ? 'hold' : verdict === 'rejected' ? 'reject' : 'accept';
  const to = nextJobState(from, event);
  const reasons = failure !== null ? [failure] : (checked?.check.reasons ?? []);
  const records = checked?.check.records ?? null;
  return {
    to,
    reasonCode: reasons[0]?.code ?? null,
    reason:
      reasons.length === 0
        ? null
        : mergeAlike(reasons.map((reason) => reason.message))
            .join('; ')
            .slice(0, reasonMax),
    event: {
      type: event === 'accept' ? 'job.accepted' : event === 'hold' ? 'job.held' : 'job.rejected',
      objectId: jobId,
      from,
      to,
      actor: 'system',
      traceId,
      detail: { verdict, ...(records === null ? {} : { records }), codes: [...new Set(reasons.map((reason) => reason.code))].slice(0, 20) },
    },
  };
}

const insertCancelled = `/* cancel routes */
  insert into headgate.job_targets (tenant_id, job_id, target_id, routed, cancelled)
  select $1, t.job_id, t.target_id, t.records, t.records from unnest($2::uuid[], $3::text[], $4::bigint[]) as t (job_id, target_id, records)
  on conflict (tenant_id, job_id, target_id) do nothing`;

/** A rejected file's routes were computed; none of them is delivered (decisions 10). */
export async function cancelRoutes(
  tx: TenantTx,
  jobs: readonly { readonly jobId: string; readonly plan: Plan; readonly checked: Pick<CheckedFile, 'check'> | null }[],
): Promise<void> {
  const rows = jobs.flatMap(({ jobId, plan, checked }) =>
    plan.targets.map((target, index) => ({
      jobId,
      targetId: target.id,
      records: checked === null ? 0 : checked.check.targets[index]!.records,
    })),
  );
  if (rows.length === 0) return;
  await tx.query(insertCancelled, [
    tx.tenantId,
    rows.map((row) => row.jobId),
    rows.map((row) => row.targetId),
    rows.map((row) => row.records),
  ]);
}
