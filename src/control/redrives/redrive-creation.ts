/**
 * Sends dead letters again: one new job of their lineage for each job and target that they come from. The files of these jobs
 * are sealed first; the letters, the jobs and their work change in one transaction, in which each letter must still be open.
 * A process that ends before its COMMIT leaves nothing but objects that no row names.
 */
import { commitForCertain } from '../../pipeline/deliveries/certain-transaction.ts';
import type { ReceiptRedrive } from '../../pipeline/ledger/receipt.ts';
import { checkReason } from '../../platform/access/decision-reason.ts';
import { answerOnce, findKeptAnswer, type KeyedRequest, sameAnswer } from '../../platform/access/idempotency-keys.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import { withTenant } from '../../platform/tenancy/tenant-scope.ts';
import type { JobServices } from '../jobs/job-services.ts';
import { redriveErrors } from './redrive-errors.ts';
import { redriveFile } from './redrive-file.ts';
import { type PlannedJob, planRedrive, previewOf, type RedrivePreview, type WantedRedrive } from './redrive-plan.ts';
import { insertRedrive, type NewRedriveJob } from './redrive-store.ts';

export interface RedriveRequest extends WantedRedrive {
  /** In words; kept with the letters and in the receipts. */
  readonly reason: string;
  /** `key:<id>`, as in events. */
  readonly actor: string;
  /** `version` of the preview that was shown; left out, what is chosen is taken as it is. */
  readonly previewed?: string;
  readonly keyed?: KeyedRequest;
}

export interface CreatedRedrive {
  readonly redriveId: string;
  readonly records: number;
  readonly jobs: readonly { readonly jobId: string; readonly ofJobId: string; readonly targetId: string; readonly records: number }[];
}

export async function previewRedrive(services: JobServices, tenantId: string, wanted: WantedRedrive): Promise<RedrivePreview> {
  return previewOf(await withTenant(services.db, tenantId, (tx) => planRedrive(tx, services, wanted), { readOnly: true }));
}

/** Fails with E_REASON_REQUIRED, E_REDRIVE_EMPTY, E_REDRIVE_SIZE, E_REDRIVE_FLOWS, E_REDRIVE_VERSION, E_REDRIVE_STALE, E_KEY_REUSED, and as a repair does. */
export async function createRedrive(services: JobServices, tenantId: string, request: RedriveRequest): Promise<CreatedRedrive> {
  const reason = checkReason(request.reason);
  const kept = await keptAnswer(services, tenantId, request.keyed);
  if (kept !== null) return kept;
  try {
    return await decideRedrive(services, tenantId, { ...request, reason });
  } catch (error) {
    // The same request may have been answered since the key was looked at, and its letters are not open any more.
    const meanwhile = error instanceof HeadgateError ? await keptAnswer(services, tenantId, request.keyed) : null;
    if (meanwhile === null) throw error;
    return meanwhile;
  }
}

async function decideRedrive(services: JobServices, tenantId: string, request: RedriveRequest): Promise<CreatedRedrive> {
  const { previewed, reason } = request;
  const plan = await withTenant(services.db, tenantId, (tx) => planRedrive(tx, services, request), { readOnly: true });
  if (previewed !== undefined && previewed !== plan.version)
    throw new HeadgateError(redriveErrors.E_REDRIVE_STALE, 'the chosen dead letters are not those that were previewed');
  const redriveId = services.ports.ids.next();
  const jobs = plan.jobs
    .filter(({ sent }) => sent.length > 0)
    .map((job) => prepareJob(services, tenantId, job, { id: redriveId, repair: plan.repair, reason, actor: request.actor }));
  if (jobs.length === 0) throw new HeadgateError(redriveErrors.E_REDRIVE_EMPTY, 'the flow accepts none of the chosen records');
  services.crashPoints.reach('redrives.after-seal');
  let created: CreatedRedrive | undefined;
  await commitForCertain(services, tenantId, async (tx) => {
    created = await answerOnce(tx, request.keyed, async () => {
      await insertRedrive(tx, services, { redriveId, flowId: plan.flowId, reason, actor: request.actor, jobs });
      return answerOf(redriveId, jobs);
    });
    services.crashPoints.reach('redrives.before-commit');
  });
  services.crashPoints.reach('redrives.after-commit');
  services.signals.chunks.notify();
  return created!;
}

/** Asked before anything is read: letters that were sent again are not open any more. */
async function keptAnswer(services: JobServices, tenantId: string, keyed: KeyedRequest | undefined): Promise<CreatedRedrive | null> {
  if (keyed === undefined) return null;
  const kept = await withTenant(services.db, tenantId, (tx) => findKeptAnswer<CreatedRedrive>(tx, keyed), { readOnly: true });
  return kept === undefined ? null : sameAnswer(kept, keyed.requestHash);
}

function prepareJob(
  { store, ports }: JobServices,
  tenantId: string,
  { source, targetId, sent }: PlannedJob,
  decision: Pick<ReceiptRedrive, 'id' | 'repair' | 'reason' | 'actor'>,
): NewRedriveJob {
  const { content, chunks } = redriveFile(
    source,
    sent.map(({ record }) => record),
  );
  const jobId = ports.ids.next();
  const writer = store.create({ tenantId, objectId: ports.ids.next(), kind: 'raw', label: `redrive-${jobId}` });
  writer.write(content);
  return {
    jobId,
    fileId: ports.ids.next(),
    source: source.job,
    targetId,
    object: writer.commit(),
    chunks,
    redrive: {
      ...decision,
      ofJobId: source.job.jobId,
      targets: [targetId],
      records: sent.length,
      possibleDuplicate: sent.some(({ member }) => member.mayBeThere),
    },
    members: sent.map(({ member: { deadLetterId, recordNumber } }) => ({ deadLetterId, recordNumber })),
  };
}

function answerOf(redriveId: string, jobs: readonly NewRedriveJob[]): CreatedRedrive {
  return {
    redriveId,
    records: jobs.reduce((sum, { members }) => sum + members.length, 0),
    jobs: jobs.map(({ jobId, source, targetId, members }) => ({ jobId, ofJobId: source.jobId, targetId, records: members.length })),
  };
}
