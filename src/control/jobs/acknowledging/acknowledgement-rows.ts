/** The rows of acknowledgements: asked for in the transaction that closes a job, and ended in that of the work that wrote them. */
import type { WorkQueue } from '../../../pipeline/deliveries/work-queue-port.ts';
import type { AcknowledgePlan } from '../../../pipeline/engine/plan.ts';
import type { AcknowledgementForm } from '../../../pipeline/ledger/acknowledgement.ts';
import type { Ids } from '../../../platform/base/ports.ts';
import { type NewEvent, recordEvents } from '../../../platform/events/event-log.ts';
import type { SealedObject } from '../../../platform/storage/object-store.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import type { AcknowledgementState } from './acknowledgement-state.ts';
import { takeReturnNumbers } from './return-numbers.ts';

export type AcknowledgementLevel = AcknowledgementForm['level'];

export interface ClosedJob {
  readonly jobId: string;
  readonly flowId: string;
  /** Records. */
  readonly rejected: number;
  readonly traceId: string | null;
  readonly acknowledge: AcknowledgePlan;
}

const insertRows = `/* ask for acknowledgements */
  insert into headgate.acknowledgements (tenant_id, job_id, acknowledgement_id, level, state, return_file_number, first_return_number, created_at, changed_at)
  select $1, a.job_id, a.acknowledgement_id, a.level, 'pending', a.return_file_number, a.first_return_number, (select headgate.clock()), (select headgate.clock())
  from unnest($2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint[]) as a (job_id, acknowledgement_id, level, return_file_number, first_return_number)`;

/** They are written exactly when the caller's transaction commits. */
export async function askForAcknowledgements(
  tx: TenantTx,
  { queue, ids }: { readonly queue: WorkQueue; readonly ids: Ids },
  jobs: readonly ClosedJob[],
): Promise<void> {
  const asked = jobs.flatMap(({ acknowledge, ...job }) =>
    acknowledge.levels.map((level) => ({ ...job, level, acknowledgementId: ids.next() })),
  );
  if (asked.length === 0) return;
  const returning = jobs.filter(({ acknowledge }) => acknowledge.format === 'nacha');
  const numbers = await takeReturnNumbers(
    tx,
    returning.map(({ jobId, flowId, rejected }) => ({ jobId, flowId, entries: rejected })),
  );
  await tx.query(insertRows, [
    tx.tenantId,
    asked.map(({ jobId }) => jobId),
    asked.map(({ acknowledgementId }) => acknowledgementId),
    asked.map(({ level }) => level),
    asked.map(({ jobId }) => numbers.get(jobId)?.file ?? null),
    asked.map(({ jobId }) => numbers.get(jobId)?.firstEntry ?? null),
  ]);
  await queue.addWork(
    tx,
    jobs.map(({ jobId }) => ({ kind: 'acknowledge', referenceId: jobId })),
  );
  await recordEvents(
    tx,
    ids,
    asked.map((each) => eventOf(each, { type: 'acknowledgement.asked', from: '', to: 'pending' })),
  );
}

const selectPending = `/* find jobs with pending acknowledgements */
  select job_id as "jobId" from headgate.acknowledgements where tenant_id = $1 and state = 'pending' group by job_id order by job_id limit $2`;
/** Of one call; those behind them go on by themselves, within minutes. */
const hastenedMax = 1_000;

/** What waits is tried once the transaction commits, unless its place is known to be at fault as it is now. */
export async function hastenAcknowledgements(tx: TenantTx, queue: WorkQueue): Promise<void> {
  const { rows } = await tx.query<{ jobId: string }>(selectPending, [tx.tenantId, hastenedMax]);
  const jobIds = rows.map(({ jobId }) => jobId);
  await queue.hastenWork(tx, 'acknowledge', jobIds);
}

export interface PendingAcknowledgement {
  readonly acknowledgementId: string;
  readonly level: AcknowledgementLevel;
  /** Tries that have ended. */
  readonly attempts: number;
}

export interface AcknowledgedJob {
  readonly jobId: string;
  readonly flowVersionId: string;
  /** Of the file, in its flow. */
  readonly acceptedNumber: number;
  readonly traceId: string | null;
  readonly traceParent: string | null;
  /** The file itself: its key makes that of encrypted acknowledgements. */
  readonly object: SealedObject;
  readonly pending: readonly PendingAcknowledgement[];
}

const selectJob = `/* read job to acknowledge */
  select j.job_id as "jobId", j.flow_version_id as "flowVersionId", j.accepted_number as "acceptedNumber", j.trace_id as "traceId",
    j.trace_parent as "traceParent", f.object,
    array(select json_build_object('acknowledgementId', a.acknowledgement_id, 'level', a.level, 'attempts', a.attempts) from headgate.acknowledgements a
          where a.tenant_id = j.tenant_id and a.job_id = j.job_id and a.state = 'pending' order by a.level) as pending
  from headgate.jobs j cross join lateral (select o.object from headgate.files o where o.tenant_id = $1 and o.file_id = j.file_id limit 1) f
  where j.tenant_id = $1 and j.job_id = $2`;

export async function readAcknowledgedJob(tx: TenantTx, jobId: string): Promise<AcknowledgedJob | undefined> {
  return (await tx.query<AcknowledgedJob>(selectJob, [tx.tenantId, jobId])).rows[0];
}

/** How a try ended. */
export interface AcknowledgementEnd extends Pick<PendingAcknowledgement, 'acknowledgementId' | 'level'> {
  readonly state: AcknowledgementState;
  /** Tries so far, this one included. */
  readonly attempts: number;
  /** Null: it could not be named. */
  readonly name: string | null;
  /** Null when it is sent. */
  readonly failure: { readonly code: string; readonly message: string } | null;
}

const updateRows = `/* end tries of acknowledgements */
  update headgate.acknowledgements a set state = e.state, attempts = e.attempts, name = coalesce(e.name, a.name), reason_code = e.code, reason = e.message,
    changed_at = (select headgate.clock())
  from unnest($3::text[], $4::text[], $5::integer[], $6::text[], $7::text[], $8::text[]) as e (level, state, attempts, name, code, message)
  where a.tenant_id = $1 and a.job_id = $2 and a.level = e.level`;

export async function writeEnds(
  tx: TenantTx,
  ids: Ids,
  job: Pick<AcknowledgedJob, 'jobId' | 'traceId'>,
  ends: readonly AcknowledgementEnd[],
): Promise<void> {
  if (ends.length === 0) return;
  await tx.query(updateRows, [
    tx.tenantId,
    job.jobId,
    ends.map(({ level }) => level),
    ends.map(({ state }) => state),
    ends.map(({ attempts }) => attempts),
    ends.map(({ name }) => name),
    ends.map(({ failure }) => failure?.code ?? null),
    ends.map(({ failure }) => failure?.message.slice(0, 500) ?? null),
  ]);
  await recordEvents(
    tx,
    ids,
    ends.flatMap(({ state, attempts, failure, ...end }) =>
      state === 'pending'
        ? []
        : [
            eventOf(
              { ...job, ...end },
              { type: `acknowledgement.${state}`, from: 'pending', to: state, detail: { attempts, code: failure?.code } },
            ),
          ],
    ),
  );
}

function eventOf(
  {
    acknowledgementId,
    jobId,
    traceId,
    level,
  }: Pick<PendingAcknowledgement, 'acknowledgementId' | 'level'> & Pick<AcknowledgedJob, 'jobId' | 'traceId'>,
  move: Pick<NewEvent, 'type' | 'from' | 'to' | 'detail'>,
): NewEvent {
  return { ...move, objectId: acknowledgementId, actor: 'system', traceId, detail: { jobId, level, ...move.detail } };
}
