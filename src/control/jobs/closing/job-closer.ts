/**
 * The loop that closes jobs: when the last delivery of a job has ended, or it was rejected or cancelled, it balances the
 * job, signs its receipt and moves it to its last state, many jobs of a tenant in one transaction. A job that does not
 * balance is not closed: it stays as it is, and is reported.
 */
import { commitForCertain } from '../../../pipeline/deliveries/certain-transaction.ts';
import { isUnreadable } from '../../../pipeline/deliveries/endings/unreadable-codes.ts';
import type { WorkItem } from '../../../pipeline/deliveries/work-queue-port.ts';
import type { AcknowledgePlan } from '../../../pipeline/engine/plan.ts';
import { canonicalJson } from '../../../pipeline/ledger/canonical-json.ts';
import { signReceipt } from '../../../pipeline/ledger/receipt-signature.ts';
import type { SigningKey } from '../../../pipeline/ledger/signing-key.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { type NewEvent, recordEvents } from '../../../platform/events/event-log.ts';
import { parseTraceparent } from '../../../platform/telemetry/trace-context.ts';
import { type EndedSpan, recordEnded, withSpan } from '../../../platform/telemetry/tracing.ts';
import { type WorkContext, withWork } from '../../../platform/telemetry/work-context.ts';
import { type TenantTx, withTenant } from '../../../platform/tenancy/tenant-scope.ts';
import { type ClosedRedriveJob, deliveredRecords, settleRedrive } from '../../redrives/redrive-settlement.ts';
import { askForAcknowledgements } from '../acknowledging/acknowledgement-rows.ts';
import { jobErrors } from '../job-errors.ts';
import type { JobServices } from '../job-services.ts';
import { createWorkLoop, type WorkLoop } from '../queue/work-loop.ts';
import { createCancelledJobs } from './cancelled-jobs.ts';
import { createRangeHasher } from './closing-batches.ts';
import { type ClosingFacts, type ClosingJob, type LoadedFacts, readClosingFacts, TooManyBatches } from './closing-facts.ts';
import { type MadeReceipt, makeReceipt, type ReceiptSetting } from './closing-receipt.ts';
import { markObstacle, withoutObstacle } from './job-obstacles.ts';

export interface JobCloserOptions {
  readonly services: JobServices;
  readonly signingKey: SigningKey;
  /** The environment of the tenant and the versions of this program. */
  readonly settingOf: (tx: TenantTx) => Promise<ReceiptSetting>;
  readonly workerId: string;
  readonly leaseMs: number;
  /** Jobs closed in one transaction, at most. */
  readonly jobsMax?: number;
}

export function createJobCloser(options: JobCloserOptions): WorkLoop {
  const { services, workerId, leaseMs, jobsMax = 256 } = options;
  const cancelledJobs = createCancelledJobs(services);
  return createWorkLoop({
    services,
    kind: 'close',
    workerId,
    leaseMs,
    inHandMax: jobsMax,
    async handle(tenantId, items, done) {
      const cancelled = await cancelledJobs.find(tenantId, items);
      const others = items.filter(({ referenceId }) => !cancelled.has(referenceId));
      // One that fails keeps no other from being closed or cancelled.
      const [closed] = await Promise.allSettled([others.length === 0 ? undefined : closeAll(options, tenantId, others)]);
      others.forEach(done);
      const failures = closed.status === 'rejected' ? [closed.reason] : [];
      for (const item of items) {
        const request = cancelled.get(item.referenceId);
        if (request !== undefined) await cancelledJobs.goOn(tenantId, item, request).catch((error: unknown) => failures.push(error));
      }
      if (failures.length > 0) throw failures[0];
    },
  });
}

const failedAgainMs = 5_000;

/** Together, else one by one, so that a job that cannot be closed keeps no other from it; in halves, where their batches are too many for one look. */
async function closeAll(options: JobCloserOptions, tenantId: string, items: readonly WorkItem[]): Promise<void> {
  const { services } = options;
  let parts = items.map((item) => [item]);
  let known: WorkContext = {};
  try {
    await closeJobs(options, tenantId, items, (work) => {
      known = work;
    });
    return;
  } catch (error) {
    if (items.length === 1) {
      if (error instanceof HeadgateError && error.code === jobErrors.E_FENCED) throw error;
      withWork({ ...known, jobId: items[0]!.referenceId }, () => services.logger.error('a job could not be closed', { error }));
      const delayMs = failedAgainMs * 2 ** Math.min(items[0]!.attempts, 6);
      await commitForCertain(services, tenantId, async (tx) => {
        await services.queue.releaseWork(tx, [{ ...items[0]!, delayMs }]);
        if (isUnreadable(error)) await markObstacle(tx, services.ports.ids, [items[0]!.referenceId], error.code);
      });
      return;
    }
    if (error instanceof TooManyBatches) parts = [items.slice(0, items.length >> 1), items.slice(items.length >> 1)];
  }
  for (const part of parts) {
    // One that went to another is not ours to report.
    await closeAll(options, tenantId, part).catch((error: unknown) => services.logger.warn('a job is closed by another', { error }));
  }
}

interface Closing {
  readonly job: ClosingJob;
  /** Of a job that sent dead letters again. */
  readonly redrive: ClosedRedriveJob | null;
  readonly flowName: string;
  readonly tenantName: string;
  /** Undefined: nothing is written for the sender. */
  readonly acknowledge: AcknowledgePlan | undefined;
  readonly made: MadeReceipt | null;
  readonly unbalanced: HeadgateError | null;
  readonly body: string;
  readonly signature: string;
}

/** All of these jobs, or none. Fails with E_FENCED, and as the database and the store do. `onKnown` is told whose they are, once that is read. */
async function closeJobs(
  options: JobCloserOptions,
  tenantId: string,
  items: readonly WorkItem[],
  onKnown: (work: WorkContext) => void,
): Promise<void> {
  const { services } = options;
  const { db, crashPoints } = services;
  const { facts, setting } = await withTenant(
    db,
    tenantId,
    async (tx) => ({
      facts: await readClosingFacts(
        tx,
        services,
        items.map((item) => item.referenceId),
      ),
      setting: await options.settingOf(tx),
    }),
    { readOnly: true, isolation: 'repeatable read' },
  );
  // Of many jobs, in the trace of the first, as chunks and batches that several share.
  const [first, ...others] = facts.jobs;
  const isAlone = first !== undefined && others.length === 0;
  const work = { tenant: facts.tenant.name, ...(isAlone && { flow: first.flow.flowName, jobId: first.job.jobId }) };
  const parent = parseTraceparent(first?.job.traceParent);
  onKnown({ ...work, trace: parent });
  await withSpan('close jobs', { parent, work, attributes: { jobs: items.length } }, async () => {
    const closings = makeReceipts(options, tenantId, facts, setting);
    crashPoints.reach('jobs.before-close');
    const closed: Closing[] = [];
    await commitForCertain(services, tenantId, async (tx) => {
      closed.length = 0;
      await services.queue.finishWork(tx, items);
      const locked = await lockToClose(tx, closings);
      closed.push(...closings.filter(({ job }) => isAsRead(job, locked)));
      // Cancelled since it was read: its receipt is to say so.
      const decided = closings.filter(({ job }) => locked.get(job.jobId)?.state === job.state && !isAsRead(job, locked));
      await services.queue.addWork(
        tx,
        decided.map(({ job }) => ({ kind: 'close', referenceId: job.jobId })),
      );
      await writeClosings(tx, services, options.signingKey.kid, closed, facts.tenant.now);
      crashPoints.reach('jobs.before-close-commit');
    });
    crashPoints.reach('jobs.after-close-commit');
    for (const closing of closed) observe(services, closing, facts.tenant.now);
    recordEnded('job', closed, (closing) => spanOf(closing, facts.tenant.now));
    if (closed.some(({ acknowledge }) => acknowledge !== undefined)) services.signals.acknowledge.notify();
  });
}

type LockedJob = Pick<ClosingJob, 'jobId' | 'state' | 'decision'>;

const lockRows = `/* lock jobs to close */
  select job_id as "jobId", state, decision from headgate.jobs where tenant_id = $1 and job_id = any ($2::uuid[]) order by job_id for update`;

async function lockToClose(tx: TenantTx, closings: readonly Closing[]): Promise<Map<string, LockedJob>> {
  const { rows } = await tx.query<LockedJob>(lockRows, [tx.tenantId, closings.map(({ job }) => job.jobId)]);
  return new Map(rows.map((row) => [row.jobId, row]));
}

function isAsRead({ jobId, state, decision }: ClosingJob, locked: ReadonlyMap<string, LockedJob>): boolean {
  const now = locked.get(jobId);
  return now?.state === state && now.decision === decision;
}

function makeReceipts(options: JobCloserOptions, tenantId: string, facts: LoadedFacts, setting: ReceiptSetting): Closing[] {
  const hasher = createRangeHasher(options.services.store, tenantId, facts.objects);
  try {
    return facts.jobs
      .filter(({ job }) => !job.hasReceipt)
      .map((one) => {
        const { job, flow } = one;
        const common = {
          job,
          redrive: null,
          flowName: flow.flowName,
          tenantName: facts.tenant.name,
          // What was sent again changes no acknowledgement.
          acknowledge: job.redrive === null ? flow.plan.acknowledge : undefined,
        };
        try {
          const made = makeReceipt(tenantId, facts.tenant, one, setting, hasher.hash);
          if (made === null) return { ...common, made, unbalanced: null, body: '', signature: '' };
          const body = canonicalJson(made.receipt);
          const signature = signReceipt(Buffer.from(body), options.signingKey);
          return { ...common, redrive: redriveOf(options.services, tenantId, one, facts.objects), made, unbalanced: null, body, signature };
        } catch (error) {
          if (!(error instanceof HeadgateError) || error.code !== 'E_UNBALANCED') throw error;
          return { ...common, made: null, unbalanced: error, body: '', signature: '' };
        }
      });
  } finally {
    hasher.close();
  }
}

function redriveOf(
  { store }: JobServices,
  tenantId: string,
  { job, flow, batches }: ClosingFacts,
  objects: LoadedFacts['objects'],
): ClosedRedriveJob | null {
  if (job.redrive === null) return null;
  const { jobId } = job;
  return { jobId, redriveId: job.redrive.id, delivered: deliveredRecords(store, tenantId, { jobId, plan: flow.plan, batches }, objects) };
}

const insertReceipts = `/* issue receipts */
  insert into headgate.receipts (tenant_id, job_id, cell, region, body, signature, key_id, created_at)
  select $1, r.job_id, r.cell, r.region, r.body, r.signature, $2, $3
  from unnest($4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[]) as r (job_id, cell, region, body, signature)`;

const closeRows = `/* close jobs */
  update headgate.jobs j set state = c.state, verdict = coalesce(c.verdict, j.verdict), closed_at = c.closed_at, changed_at = (select headgate.clock()),
    reason_code = nullif(${withoutObstacle}, 'E_UNBALANCED'), reason = case when j.reason_code = 'E_UNBALANCED' and j.decision is null then null else j.reason end
  from unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[]) as c (job_id, state, verdict, closed_at)
  where j.tenant_id = $1 and j.job_id = any ($2::uuid[]) and j.job_id = c.job_id`;

/** The reason of a decision stays: it goes into the receipt once the job is closed after all. */
const markUnbalanced = `/* mark unbalanced jobs */
  update headgate.jobs set reason_code = 'E_UNBALANCED', reason = case when decision is null then $3 else reason end, changed_at = headgate.clock() where tenant_id = $1 and job_id = $2`;

async function writeClosings(
  tx: TenantTx,
  { ports, queue }: JobServices,
  keyId: string,
  closings: readonly Closing[],
  closedAt: Date,
): Promise<void> {
  const made = closings.filter((closing) => closing.made !== null);
  if (made.length > 0) {
    await tx.query(insertReceipts, [
      tx.tenantId,
      keyId,
      closedAt,
      made.map(({ job }) => job.jobId),
      made.map((closing) => closing.made!.receipt.cell),
      made.map((closing) => closing.made!.receipt.region),
      made.map(({ body }) => body),
      made.map(({ signature }) => signature),
    ]);
    await tx.query(closeRows, [
      tx.tenantId,
      made.map(({ job }) => job.jobId),
      made.map((closing) => closing.made!.state),
      made.map((closing) => verdictOf(closing.made!)),
      made.map((closing) => closing.made!.receipt.times.closedAt),
    ]);
  }
  const unbalanced = closings.filter((closing) => closing.unbalanced !== null);
  for (const { job, unbalanced: error } of unbalanced)
    await tx.query(markUnbalanced, [tx.tenantId, job.jobId, error!.message.slice(0, 500)]);
  await recordEvents(tx, ports.ids, [...made.map(closedEvent), ...unbalanced.map(unbalancedEvent)]);
  const acknowledged = made.flatMap(({ job, acknowledge, made }) =>
    acknowledge === undefined || !isAnswered(acknowledge, made!)
      ? []
      : [{ jobId: job.jobId, flowId: job.flowId, traceId: job.traceId, rejected: made!.receipt.records.rejected, acknowledge }],
  );
  await askForAcknowledgements(tx, { queue, ids: ports.ids }, acknowledged);
  for (const { redrive } of made) if (redrive !== null) await settleRedrive(tx, ports.ids, redrive);
}

/** A file of returns answers rejected entries: of a file without any there is none, nor of one that is rejected as a whole. */
function isAnswered({ format }: AcknowledgePlan, { receipt }: MadeReceipt): boolean {
  return format !== 'nacha' || (receipt.job.verdict === 'partial' && receipt.records.rejected > 0);
}

/** A cancelled job keeps the verdict on its file. */
function verdictOf({ receipt }: MadeReceipt): string | null {
  return receipt.job.verdict === 'cancelled' ? null : receipt.job.verdict;
}

function closedEvent({ job, made }: Closing): NewEvent {
  const { state, receipt } = made!;
  return {
    type: job.state === state ? 'job.receipt_issued' : `job.${state}`,
    objectId: job.jobId,
    from: job.state,
    to: state,
    actor: 'system',
    traceId: job.traceId,
    detail: { verdict: receipt.job.verdict, records: receipt.records, batches: receipt.batches.count },
  };
}

function unbalancedEvent({ job, unbalanced }: Closing): NewEvent {
  const places = unbalanced!.details.map((detail) => detail.path ?? '').slice(0, 20);
  return {
    type: 'job.unbalanced',
    objectId: job.jobId,
    from: job.state,
    to: job.state,
    actor: 'system',
    traceId: job.traceId,
    detail: { places },
  };
}

function observe({ metrics, logger }: JobServices, closing: Closing, now: Date): void {
  const { job, made, unbalanced, flowName, tenantName } = closing;
  if (unbalanced !== null) {
    metrics.add('headgate_invariant_violations_total', { invariant: 'job-balance' });
    withWork({ trace: parseTraceparent(job.traceParent), flow: flowName, jobId: job.jobId }, () =>
      logger.error('a job does not balance and is not closed', { error: unbalanced }),
    );
  }
  if (made === null) return;
  metrics.add('headgate_jobs_total', { tenant: tenantName, flow: flowName, state: made.state });
  metrics.observe('headgate_job_seconds', { flow: flowName }, Math.max(0, now.getTime() - job.acceptedAt.getTime()) / 1000);
}

/** By the database's clock, as its row says. */
function spanOf({ job, made, flowName }: Closing, now: Date): EndedSpan | null {
  if (made === null) return null;
  const attributes = { flow: flowName, jobId: job.jobId, records: job.records.read, bytes: job.fileBytes, outcome: made.state };
  return { parent: job.traceParent, attributes, startedAt: job.createdAt, endedAt: now };
}
