/** Queries for lists and pages of jobs: counts, amounts, targets, verdict, findings, receipt. Newest first. */

import { answersOfJob, type JobAnswers } from '../../../pipeline/deliveries/answers/answer-views.ts';
import { batchesPerFileMax } from '../../../pipeline/deliveries/batch.ts';
import { nextOfHeld } from '../../../pipeline/deliveries/next-steps.ts';
import { type StageTexts, stageTexts } from '../../../pipeline/engine/amount-texts.ts';
import type { FindingGroup } from '../../../pipeline/engine/chunk.ts';
import type { ControlTotals } from '../../../pipeline/engine/file/file-rules.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { type Decision, isAllowed, type JobAction, jobActions } from '../job-actions.ts';
import { jobErrors } from '../job-errors.ts';
import { isClosed, type JobState } from '../job-state.ts';
import { type JobTotals, warningGroups } from '../job-totals.ts';
import { nextOfJob, reasonOf } from './job-next.ts';

export interface JobSummary {
  readonly jobId: string;
  readonly flow: string;
  readonly flowVersion: string;
  readonly file: string;
  readonly fileId: string;
  /** The job whose records it sends again; null: it is that of a file. */
  readonly redriveOf: string | null;
  readonly state: JobState;
  readonly verdict: string | null;
  readonly reasonCode: string | null;
  readonly records: {
    readonly read: number;
    readonly valid: number;
    readonly rejected: number;
    readonly filtered: number;
    readonly warned: number;
  };
  readonly createdAt: Date;
  readonly closedAt: Date | null;
}

export interface HeldReason {
  readonly code: string;
  readonly message: string | null;
  readonly next: string | null;
}

export interface LastRefusal {
  readonly batchId: string;
  readonly code: string;
  readonly message: string | null;
  /** The number of that attempt. */
  readonly tries: number;
}

export interface JobTargetView {
  readonly routed: number;
  readonly delivered: number;
  readonly refused: number;
  readonly dead: number;
  readonly cancelled: number;
  /** In batches that wait for a person … */
  readonly held: number;
  /** … with the codes that say why. */
  readonly heldFor: readonly string[];
  /** The same with what was said last, and what to do; at most ten. */
  readonly heldReasons: readonly HeldReason[];
  /** Of its batches that are tried and not delivered yet: what the one with the most tries met last. */
  readonly lastRefusal: LastRefusal | null;
  /** In flight, but waiting in their lane behind a batch that is held, of this job or another, or behind a job that is held. */
  readonly behindHeld: number;
  /** The held job for which they wait, because its file was accepted earlier and its records are not known yet; the first where there are several. */
  readonly behindJob: string | null;
  /** In flight, but parked, because the breaker of the target is open or was a moment ago: they go on by themselves. */
  readonly parked: number;
  /** In flight, but kept for a file that is cut when its window ends. */
  readonly waitingForWindow: number;
  /** When the earliest of these windows ends. */
  readonly windowEndsAt: Date | null;
  /** Of those delivered, how many went by a backup, by its id. */
  readonly via: Readonly<Record<string, number>>;
  /** What the target said of those delivered since; null where nothing is expected. */
  readonly answers: JobAnswers | null;
  /** Keys whose later records are held back because of records of this job. */
  readonly blockedKeys: number;
  readonly inFlight: number;
}

export interface JobView extends JobSummary {
  readonly bytes: number;
  readonly chunks: { readonly total: number; readonly done: number };
  readonly lineageId: string;
  readonly acceptedNumber: number;
  readonly startedAt: Date | null;
  readonly reason: string | null;
  /** What can be done now; null where nothing is to be done. */
  readonly next: string | null;
  /** What can be decided now. */
  readonly allowed: readonly JobAction[];
  readonly decidedBy: string | null;
  readonly traceId: string | null;
  readonly targets: Readonly<Record<string, JobTargetView>>;
  /** By stage; null until the file was checked. */
  readonly amounts: StageTexts | null;
  /** What header and trailer declared, of the fields that file rules look at, beside what was computed; null until the check. */
  readonly controlTotals: ControlTotals | null;
  readonly reasons: readonly unknown[];
  readonly errors: readonly FindingGroup[];
  readonly warnings: readonly FindingGroup[];
  /** Closed, and each target's counts add up. Null while it is open. */
  readonly balanced: boolean | null;
  readonly hasReceipt: boolean;
}

const columns = `j.job_id as "jobId", f.name as flow, v.version as "flowVersion", x.name as file, j.file_id as "fileId", j.redrive ->> 'ofJobId' as "redriveOf", j.state, j.verdict, j.reason_code as "reasonCode",
  json_build_object('read', j.records_read, 'valid', j.records_valid, 'rejected', j.records_rejected, 'filtered', j.records_filtered, 'warned', j.records_warned) as records,
  j.created_at as "createdAt", j.closed_at as "closedAt"`;
const tables = `from headgate.jobs j
  join headgate.flows f on f.tenant_id = j.tenant_id and f.flow_id = j.flow_id
  join headgate.flow_versions v on v.tenant_id = j.tenant_id and v.flow_version_id = j.flow_version_id
  join headgate.files x on x.tenant_id = j.tenant_id and x.file_id = j.file_id`;

const selectJobs = `/* list jobs */ select ${columns} ${tables}
  where j.tenant_id = $1 and ($2::uuid is null or j.job_id < $2) and ($3::text is null or j.state = $3) and ($4::text is null or f.name = $4)
  order by j.job_id desc limit $5`;

export async function listJobs(
  tx: TenantTx,
  page: { readonly before?: string; readonly limit: number; readonly state?: string; readonly flow?: string },
): Promise<JobSummary[]> {
  return (await tx.query<JobSummary>(selectJobs, [tx.tenantId, page.before ?? null, page.state ?? null, page.flow ?? null, page.limit]))
    .rows;
}

const selectJob = `/* get job */ select ${columns}, j.bytes, j.chunks, j.chunks_done as "chunksDone", j.lineage_id as "lineageId", j.accepted_number as "acceptedNumber",
  j.started_at as "startedAt", j.reason, j.decided_by as "decidedBy", j.decision, j.trace_id as "traceId", j.totals,
  exists (select from headgate.receipts r where r.tenant_id = j.tenant_id and r.job_id = j.job_id) as "hasReceipt",
  exists (select from headgate.dead_letters d where d.tenant_id = j.tenant_id and d.job_id = j.job_id and d.state = 'open') as "hasOpenLetters",
  exists (select from headgate.job_targets t where t.tenant_id = j.tenant_id and t.job_id = j.job_id) as "hasTargets"
  ${tables} where j.tenant_id = $1 and j.job_id = $2`;

const selectTargets = `/* get job targets */ select t.target_id as "targetId", t.routed, t.delivered, t.refused, t.dead, t.cancelled,
  coalesce(h.records, 0)::int8 as held, coalesce(h.codes, '{}') as "heldFor", coalesce(h.reasons, '[]') as "heldReasons",
    (select jsonb_build_object('batchId', b.batch_id, 'code', a.reason_code, 'message', a.message, 'tries', a.attempt_number)
      from (select e.batch_id, e.parent_batch_id from headgate.batches e where e.tenant_id = $1 and e.target_id = t.target_id and e.state in ('ready', 'sending', 'unknown', 'parked')
        and e.attempts > 0 and e.batch_id = any (array(select x.batch_id from headgate.batch_jobs x where x.tenant_id = $1 and x.job_id = $2))
        order by e.attempts desc, e.batch_id desc limit 1) b
      join headgate.attempts a on a.tenant_id = $1 and a.batch_id in (b.batch_id, b.parent_batch_id) and a.reason_code is not null
      order by a.attempt_number desc limit 1) as "lastRefusal",
    coalesce((select sum((m ->> 'records')::int8) from headgate.batches b cross join lateral jsonb_array_elements(b.members) m
      where b.tenant_id = $1 and b.target_id = t.target_id and b.state = 'ready' and b.lane >= 0 and (m ->> 'jobId')::uuid = $2
        and b.batch_id = any (array(select x.batch_id from headgate.batch_jobs x where x.tenant_id = $1 and x.job_id = $2))
        and (exists (select from headgate.batches e where e.tenant_id = $1 and e.flow_id = b.flow_id and e.target_id = b.target_id and e.lane = b.lane
          and e.state = 'held' and (e.order_number, e.order_offset, e.batch_id) < (b.order_number, b.order_offset, b.batch_id))
          or exists (select from headgate.jobs e where e.tenant_id = $1 and e.state = 'held' and e.flow_id = b.flow_id
            and e.accepted_number < b.order_number / ${batchesPerFileMax}))), 0)::int8 as "behindHeld",
    (select e.job_id from headgate.jobs e join headgate.batches b on b.tenant_id = $1 and b.flow_id = e.flow_id and b.target_id = t.target_id and b.state = 'ready'
        and b.lane >= 0 and e.accepted_number < b.order_number / ${batchesPerFileMax}
        and b.batch_id = any (array(select x.batch_id from headgate.batch_jobs x where x.tenant_id = $1 and x.job_id = $2))
      where e.tenant_id = $1 and e.state = 'held' order by e.accepted_number limit 1) as "behindJob",
    coalesce((select sum((m ->> 'records')::int8) from headgate.batches b cross join lateral jsonb_array_elements(b.members) m
      where b.tenant_id = $1 and b.target_id = t.target_id and b.state = 'parked' and (m ->> 'jobId')::uuid = $2
        and b.batch_id = any (array(select x.batch_id from headgate.batch_jobs x where x.tenant_id = $1 and x.job_id = $2))), 0)::int8 as "parked",
    coalesce(c.records, 0)::int8 as "waitingForWindow", c.ends_at as "windowEndsAt",
    coalesce((select jsonb_object_agg(v.via, v.records) from (select b.via, sum((m ->> 'records')::int8) as records
      from headgate.batches b cross join lateral jsonb_array_elements(b.members) m
      where b.tenant_id = $1 and b.target_id = t.target_id and b.state = 'acked' and b.via is not null and (m ->> 'jobId')::uuid = $2
        and b.batch_id = any (array(select x.batch_id from headgate.batch_jobs x where x.tenant_id = $1 and x.job_id = $2)) group by b.via) v), '{}') as via,
    (select count(*) from headgate.blocked_keys k where k.tenant_id = $1 and k.job_id = $2 and k.target_id = t.target_id)::int8 as "blockedKeys",
    exists (select from headgate.breakers k join headgate.jobs o on o.tenant_id = $1 and o.job_id = $2
      where k.tenant_id = $1 and k.flow_id = o.flow_id and k.target_id = t.target_id and k.mode = 'open') as "isKeptOpen"
  from headgate.job_targets t left join (
    select b.target_id, sum((m ->> 'records')::int8) as records, array_agg(distinct b.reason_code) filter (where b.reason_code is not null) as codes,
      jsonb_agg(distinct jsonb_build_object('code', b.reason_code, 'message', (select a.message from headgate.attempts a where a.tenant_id = $1
        and a.batch_id = b.batch_id and a.reason_code = b.reason_code order by a.attempt_number desc limit 1))) filter (where b.reason_code is not null) as reasons
    from headgate.batches b cross join lateral jsonb_array_elements(b.members) m
    where b.tenant_id = $1 and b.state = 'held' and (m ->> 'jobId')::uuid = $2
      and b.batch_id = any (array(select x.batch_id from headgate.batch_jobs x where x.tenant_id = $1 and x.job_id = $2))
    group by b.target_id) h on h.target_id = t.target_id
  left join (
    select c.target_id, sum(p.records) as records, min(w.due_at) as ends_at from headgate.collected_parts p
    join headgate.collections c on c.tenant_id = $1 and c.collection_id = p.collection_id
    left join headgate.work_items w on w.tenant_id = $1 and w.kind = 'collect' and w.reference_id = c.collection_id
    where p.tenant_id = $1 and p.job_id = $2 group by c.target_id) c on c.target_id = t.target_id
  where t.tenant_id = $1 and t.job_id = $2 order by t.target_id`;

interface JobRow extends JobSummary {
  bytes: number;
  chunks: number;
  chunksDone: number;
  lineageId: string;
  acceptedNumber: number;
  startedAt: Date | null;
  reason: string | null;
  decidedBy: string | null;
  decision: Decision | null;
  traceId: string | null;
  totals: JobTotals | null;
  hasReceipt: boolean;
  hasOpenLetters: boolean;
  /** Before anything is routed there are none, and planning to ask for them takes milliseconds. */
  hasTargets: boolean;
}

interface TargetRow extends Omit<JobTargetView, 'inFlight' | 'answers'> {
  readonly targetId: string;
  readonly isKeptOpen: boolean;
}

const withNext = (reason: Omit<HeldReason, 'next'>): HeldReason => ({ ...reason, next: nextOfHeld(reason.code) });

/** Undefined when the tenant has no such job. */
export async function findJob(tx: TenantTx, jobId: string): Promise<JobView | undefined> {
  const row = (await tx.query<JobRow>(selectJob, [tx.tenantId, jobId])).rows[0];
  if (!row) return undefined;
  const rows = row.hasTargets ? (await tx.query<TargetRow>(selectTargets, [tx.tenantId, jobId])).rows : [];
  const answers = row.hasTargets ? await answersOfJob(tx, jobId) : new Map<string, JobAnswers>();
  const targets = Object.fromEntries(
    rows.map(({ targetId, isKeptOpen: _, ...counts }) => [
      targetId,
      {
        ...counts,
        answers: answers.get(targetId) ?? null,
        heldReasons: counts.heldReasons.slice(0, 10).map(withNext),
        inFlight: counts.routed - counts.delivered - counts.refused - counts.dead - counts.cancelled - counts.held,
      },
    ]),
  );
  const { chunks, chunksDone, totals, hasOpenLetters: _, hasTargets: __, decision: ___, ...summary } = row;
  const checked = totals?.checked ?? null;
  return {
    ...summary,
    reason: reasonOf(row, targets),
    next: nextOfJob(row, Object.fromEntries(rows.map((counts) => [counts.targetId, counts]))),
    allowed: jobActions.filter((action) => isAllowed(row, action)),
    chunks: { total: chunks, done: chunksDone },
    targets,
    amounts: checked === null ? null : stageTexts(checked.check.amounts),
    controlTotals: checked?.check.controlTotals ?? null,
    reasons: checked?.check.reasons ?? [],
    errors: [...(checked?.summary.errors ?? []), ...(checked?.exclusionGroups ?? [])],
    warnings: warningGroups(totals),
    balanced: isClosed(row.state) ? isBalanced(row, Object.values(targets)) : null,
  };
}

function isBalanced(job: JobRow, targets: readonly JobTargetView[]): boolean {
  const { read, valid, rejected, filtered } = job.records;
  return read === valid + rejected + filtered && targets.every((target) => target.inFlight === 0 && target.held === 0);
}

export interface ReceiptView {
  /** Exactly the bytes that were signed. */
  readonly body: string;
  readonly signature: string;
  readonly keyId: string;
  readonly createdAt: Date;
}

const selectReceipt = `/* get receipt */ select j.state, r.body, r.signature, r.key_id as "keyId", r.created_at as "createdAt"
  from headgate.jobs j left join headgate.receipts r on r.tenant_id = j.tenant_id and r.job_id = j.job_id
  where j.tenant_id = $1 and j.job_id = $2`;

/** Fails with E_JOB_UNKNOWN, and with E_JOB_STATE while the job is open. */
export async function getReceipt(tx: TenantTx, jobId: string): Promise<ReceiptView> {
  const found = (await tx.query<{ state: JobState; body: string | null } & Omit<ReceiptView, 'body'>>(selectReceipt, [tx.tenantId, jobId]))
    .rows[0];
  if (!found) throw new HeadgateError(jobErrors.E_JOB_UNKNOWN, 'there is no job of this id');
  const { state, body, ...rest } = found;
  if (body === null) throw new HeadgateError(jobErrors.E_JOB_STATE, `the job is ${state}: it has no receipt yet`);
  return { body, ...rest };
}
