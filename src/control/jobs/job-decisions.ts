/**
 * What people decide about jobs: release or reject a held file, cancel a job. Each decision needs a reason, is one
 * transaction with its event, and can be previewed with the records and money that it affects; one that was previewed is
 * refused when the job has changed since.
 */

import { commitForCertain } from '../../pipeline/deliveries/certain-transaction.ts';
import { previewCancel } from '../../pipeline/deliveries/endings/cancel-preview.ts';
import { cancelDeliveries } from '../../pipeline/deliveries/endings/delivery-cancel.ts';
import { amountTexts, type FieldTexts, type StageTexts, stageTexts } from '../../pipeline/engine/amount-texts.ts';
import type { FieldAmounts } from '../../pipeline/engine/chunk.ts';
import { fileErrors } from '../../pipeline/engine/engine-errors.ts';
import type { Plan } from '../../pipeline/engine/plan.ts';
import { checkReason } from '../../platform/access/decision-reason.ts';
import { answerOnce, type KeyedRequest } from '../../platform/access/idempotency-keys.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import { recordEvents } from '../../platform/events/event-log.ts';
import { type TenantTx, withTenant } from '../../platform/tenancy/tenant-scope.ts';
import { withoutObstacle } from './closing/job-obstacles.ts';
import { type Decision, isAllowed, isUnbalanced, type JobAction, jobActions, unreadCode } from './job-actions.ts';
import { jobErrors } from './job-errors.ts';
import type { JobServices } from './job-services.ts';
import { type JobState, nextJobState } from './job-state.ts';
import type { JobTotals } from './job-totals.ts';
import { cancelRoutes } from './job-verdicts.ts';
import { withdrawWork } from './job-withdrawal.ts';
import { addUsage } from './tenant-usage.ts';

export interface DecisionRequest {
  readonly jobId: string;
  /** In words; kept with the job and in its receipt. */
  readonly reason: string;
  /** `key:<id>` or a person, as in events. */
  readonly actor: string;
  /** `version` of the preview that was shown; left out, the job is taken as it is. */
  readonly previewed?: string;
  /** Asked again under its key, the decision that was made is answered again. */
  readonly keyed?: KeyedRequest;
}

export interface DecisionPreview {
  readonly jobId: string;
  readonly state: JobState;
  /** What can be decided now. */
  readonly allowed: readonly JobAction[];
  /** Of the job as it was shown. */
  readonly version: string;
  readonly reasons: readonly { readonly code: string; readonly message: string }[];
  /** What a person should know before a release. */
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
  readonly records: { readonly read: number; readonly valid: number; readonly rejected: number; readonly filtered: number };
  readonly amounts: StageTexts | null;
  readonly targets: readonly PreviewedTarget[];
}

export interface PreviewedTarget {
  readonly id: string;
  /** All that is routed to it: what a release would deliver. */
  readonly records: number;
  readonly amounts: FieldTexts;
  readonly delivered: number;
  /** What a rejection or cancellation would keep back now. */
  readonly withdrawable: { readonly records: number; readonly amounts: FieldTexts };
  /** Being sent, of unknown outcome, or held in one batch with records of other jobs: ends as it ends, whatever is decided. */
  readonly underWay: number;
}

export interface DecidedJob {
  readonly jobId: string;
  /** A cancelled job whose deliveries are in flight is `delivering` until they have ended. */
  readonly state: JobState;
}

interface DecidableJob {
  readonly jobId: string;
  readonly state: JobState;
  readonly flowVersionId: string;
  readonly bytes: number;
  readonly totals: JobTotals | null;
  readonly records: DecisionPreview['records'];
  readonly reasonCode: string | null;
  readonly reason: string | null;
  readonly decision: Decision | null;
  readonly traceId: string | null;
  readonly version: string;
  readonly isCut: boolean;
}

const jobColumns = `select j.job_id as "jobId", j.state, j.flow_version_id as "flowVersionId", j.bytes, j.totals,
    json_build_object('read', j.records_read, 'valid', j.records_valid, 'rejected', j.records_rejected, 'filtered', j.records_filtered) as records,
    j.reason_code as "reasonCode", case when j.decision is null then j.reason end as reason, j.decision, j.trace_id as "traceId", j.state || ' ' || (extract(epoch from j.changed_at) * 1000000)::bigint::text as version,
    exists (select from headgate.job_targets t where t.tenant_id = j.tenant_id and t.job_id = j.job_id) as "isCut"
  from headgate.jobs j where j.tenant_id = $1 and j.job_id = $2`;
const selectJob = `/* preview decision */ ${jobColumns}`;
const lockJob = `/* lock job to decide */ ${jobColumns} for update`;

const nothing: { readonly records: number; readonly amounts: FieldAmounts } = { records: 0, amounts: {} };

async function findJob(tx: TenantTx, jobId: string, sql: string): Promise<DecidableJob> {
  const job = (await tx.query<DecidableJob>(sql, [tx.tenantId, jobId])).rows[0];
  if (job === undefined) throw new HeadgateError(jobErrors.E_JOB_UNKNOWN, 'there is no job of this id');
  return job;
}

/** With a `decision`, as that would fail; else with E_JOB_UNKNOWN only. */
export async function previewDecision(
  services: JobServices,
  tenantId: string,
  jobId: string,
  decision?: JobAction,
): Promise<DecisionPreview> {
  return await withTenant(
    services.db,
    tenantId,
    async (tx) => {
      const job = await findJob(tx, jobId, selectJob);
      if (decision !== undefined) assertDecidable(job, decision, undefined);
      const { plan } = await services.flows.load(tx, job.flowVersionId);
      const check = job.totals?.checked?.check ?? null;
      const failure = job.reasonCode === null ? [] : [{ code: job.reasonCode, message: job.reason ?? '' }];
      return {
        jobId,
        state: job.state,
        allowed: jobActions.filter((action) => isAllowed(job, action)),
        version: job.version,
        reasons: isUnbalanced(job) ? [...failure, ...(check?.reasons ?? [])] : (check?.reasons ?? failure),
        warnings: isAllowed(job, 'release') ? releaseWarnings(job) : [],
        records: check?.records ?? job.records,
        amounts: check === null ? null : stageTexts(check.amounts),
        targets: await previewTargets(tx, job, plan),
      };
    },
    { readOnly: true, isolation: 'repeatable read' },
  );
}

async function previewTargets(tx: TenantTx, job: DecidableJob, plan: Plan): Promise<PreviewedTarget[]> {
  const cut = job.isCut ? await previewCancel(tx, job.jobId) : null;
  return plan.targets.map(({ id }, index) => {
    const { records, amounts } = job.totals?.checked?.check.targets[index] ?? nothing;
    const uncut = { delivered: 0, withdrawable: isAllowed(job, 'cancel') ? { records, amounts } : nothing, underWay: 0 };
    const { withdrawable, ...counts } = cut?.get(id) ?? uncut;
    return {
      id,
      records,
      amounts: amountTexts(amounts),
      ...counts,
      withdrawable: { records: withdrawable.records, amounts: amountTexts(withdrawable.amounts) },
    };
  });
}

/** All of its records were read, but the file does not say how many it should have had. */
function releaseWarnings(job: DecidableJob): DecisionPreview['warnings'] {
  const check = job.totals?.checked?.check;
  const missing = check?.reasons.filter(({ code }) => code === fileErrors.E_TRUNCATED) ?? [];
  return missing.map(({ code, message }) => ({
    code,
    message: `${message}, so the file may have been cut short: it holds ${check!.records.read} records, and a release delivers what is valid of them; ask the sender how many there should be`,
  }));
}

const updateJob = `/* decide about job */
  update headgate.jobs j set state = $3, verdict = coalesce($4, verdict), decision = $5, reason = $6, decided_by = $7, reason_code = ${withoutObstacle}, changed_at = headgate.clock()
  where tenant_id = $1 and job_id = $2`;

interface Decided {
  readonly decision: Decision;
  readonly state: JobState;
  /** Null: the file's verdict stays. */
  readonly verdict: string | null;
}

async function writeDecision(
  tx: TenantTx,
  services: JobServices,
  job: DecidableJob,
  request: DecisionRequest,
  decided: Decided,
): Promise<void> {
  const { decision, state, verdict } = decided;
  await tx.query(updateJob, [tx.tenantId, job.jobId, state, verdict, decision, request.reason.trim(), request.actor]);
  const types = { release: 'job.released', reject: 'job.rejected', cancel: 'job.cancelled' } as const satisfies Record<Decision, string>;
  const type = state === job.state ? 'job.cancel_requested' : types[decision];
  const { records } = job.totals?.checked?.check ?? job;
  await recordEvents(tx, services.ports.ids, [
    { type, objectId: job.jobId, from: job.state, to: state, actor: request.actor, traceId: job.traceId, detail: { decision, records } },
  ]);
}

/** Fails with E_REASON_REQUIRED, E_JOB_UNKNOWN, E_JOB_STATE, E_JOB_INCOMPLETE, E_DECISION_STALE, E_KEY_REUSED; so do the others. */
export async function releaseJob(services: JobServices, tenantId: string, request: DecisionRequest): Promise<DecidedJob> {
  return await decide(services, tenantId, request, 'release', async (tx, job) => {
    const state = nextJobState(job.state, 'release');
    const verdict = job.records.rejected > 0 ? 'partial' : 'accepted';
    await writeDecision(tx, services, job, request, { decision: 'release', state, verdict });
    await services.queue.addWork(tx, [{ kind: 'check', referenceId: job.jobId }]);
    await addUsage(tx, { storedBytes: 0, heldBytes: -job.bytes, chunksInFlight: 0 });
    return state;
  });
}

/** The file's routes are cancelled. Chunks that still wait or run are withdrawn. */
export async function rejectJob(services: JobServices, tenantId: string, request: DecisionRequest): Promise<DecidedJob> {
  return await decide(services, tenantId, request, 'reject', (tx, job, withdrawn) =>
    closeWithoutDelivery(tx, services, job, request, { decision: 'reject', withdrawn }),
  );
}

/**
 * What was not delivered yet is not; batches in flight end as they end, and the job is closed then. A job that had delivered
 * everything closes as if it had not been cancelled.
 */
export async function cancelJob(services: JobServices, tenantId: string, request: DecisionRequest): Promise<DecidedJob> {
  return await decide(services, tenantId, request, 'cancel', async (tx, job, withdrawn) => {
    const isDelivering = job.state === 'delivering' && job.isCut;
    if (!isDelivering) return await closeWithoutDelivery(tx, services, job, request, { decision: 'cancel', withdrawn });
    await writeDecision(tx, services, job, request, { decision: 'cancel', state: job.state, verdict: null });
    await cancelDeliveries(tx, services, { jobId: job.jobId, actor: request.actor });
    return job.state;
  });
}

/**
 * For a job that does not balance, once the cause was mended: it is held against itself and closed anew, or stays as it is,
 * with another event, when it still does not balance. Nothing that was decided about it changes.
 */
export async function retryCloseJob(services: JobServices, tenantId: string, request: DecisionRequest): Promise<DecidedJob> {
  return await decide(services, tenantId, request, 'retry-close', async (tx, { jobId, state, traceId }) => {
    const detail = { reason: request.reason.trim() };
    await services.queue.addWork(tx, [{ kind: 'close', referenceId: jobId }]);
    await recordEvents(tx, services.ports.ids, [
      { type: 'job.close_retried', objectId: jobId, from: state, to: state, actor: request.actor, traceId, detail },
    ]);
    return state;
  });
}

async function closeWithoutDelivery(
  tx: TenantTx,
  services: JobServices,
  job: DecidableJob,
  request: DecisionRequest,
  { decision, withdrawn }: { readonly decision: 'reject' | 'cancel'; readonly withdrawn: number },
): Promise<JobState> {
  const state = nextJobState(job.state, decision);
  const { plan } = await services.flows.load(tx, job.flowVersionId);
  await writeDecision(tx, services, job, request, { decision, state, verdict: decision === 'reject' ? 'rejected' : null });
  await cancelRoutes(tx, [{ jobId: job.jobId, plan, checked: job.totals?.checked ?? null }]);
  await services.queue.addWork(tx, [{ kind: 'close', referenceId: job.jobId }]);
  await addUsage(tx, { storedBytes: 0, heldBytes: job.state === 'held' ? -job.bytes : 0, chunksInFlight: -withdrawn });
  return state;
}

async function decide(
  services: JobServices,
  tenantId: string,
  request: DecisionRequest,
  decision: JobAction,
  act: (tx: TenantTx, job: DecidableJob, withdrawnChunks: number) => Promise<JobState>,
): Promise<DecidedJob> {
  const { jobId, previewed, keyed } = request;
  checkReason(request.reason);
  let decided: DecidedJob | undefined;
  await commitForCertain(services, tenantId, async (tx) => {
    decided = await answerOnce(tx, keyed, async () => {
      // Work, groups and job are locked in the order in which the workers lock them.
      const withdrawn = decision === 'release' || decision === 'retry-close' ? 0 : await withdrawWork(tx, services, jobId, request.actor);
      const job = await findJob(tx, jobId, lockJob);
      assertDecidable(job, decision, previewed);
      return { jobId, state: await act(tx, job, withdrawn) };
    });
  });
  for (const kind of ['check', 'close', 'deliver'] as const) services.signals[kind].notify();
  return decided!;
}

function assertDecidable(job: DecidableJob, decision: JobAction, previewed: string | undefined): void {
  if (previewed !== undefined && previewed !== job.version) {
    throw new HeadgateError(jobErrors.E_DECISION_STALE, 'the job has changed since the decision was previewed');
  }
  if (decision === 'release' && job.state === 'held' && job.totals?.checked == null) {
    throw new HeadgateError(jobErrors.E_JOB_INCOMPLETE, 'a part of the file could not be processed');
  }
  const unread = decision === 'release' && job.state === 'held' ? unreadCode(job) : undefined;
  if (unread !== undefined) {
    throw new HeadgateError(
      jobErrors.E_JOB_INCOMPLETE,
      `records of the file could not be read, or its format finds it wrong as a whole (${unread})`,
    );
  }
  if (!isAllowed(job, decision)) {
    const state =
      job.decision === 'cancel' && job.state === 'delivering' ? 'cancelled already: what is on its way ends by itself' : job.state;
    throw new HeadgateError(jobErrors.E_JOB_STATE, `there is nothing to ${decision} in a job that is ${state}`);
  }
}
