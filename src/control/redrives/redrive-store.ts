/**
 * Writes a decision to send records again: the letters move, and jobs with files, chunks and work are there, all or nothing.
 * That a letter is in one open re-drive at most is the database's rule.
 */
import type { ChunkSpec } from '../../pipeline/engine/chunk.ts';
import type { ReceiptRedrive } from '../../pipeline/ledger/receipt.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import { type NewEvent, recordEvents } from '../../platform/events/event-log.ts';
import type { SealedObject } from '../../platform/storage/object-store.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import { createdEvents, groupFilesMax, insertChunks, insertGroups, type NewGroup, workOf } from '../jobs/job-intake.ts';
import type { JobServices } from '../jobs/job-services.ts';
import { addUsage } from '../jobs/tenant-usage.ts';
import type { SourceJob } from './member-records.ts';
import { redriveErrors } from './redrive-errors.ts';

/** A job that sends records again, before it is written. */
export interface NewRedriveJob {
  readonly jobId: string;
  readonly fileId: string;
  readonly source: SourceJob;
  readonly targetId: string;
  readonly object: SealedObject;
  readonly chunks: readonly ChunkSpec[];
  readonly redrive: ReceiptRedrive;
  readonly members: readonly { readonly deadLetterId: string; readonly recordNumber: number }[];
}

export interface NewRedrive {
  readonly redriveId: string;
  readonly flowId: string;
  readonly reason: string;
  readonly actor: string;
  readonly jobs: readonly NewRedriveJob[];
}

/** Always in the same order, so that two decisions about the same letters wait for each other and one fails. */
const lockLetters = `/* lock dead letters */
  select dead_letter_id from headgate.dead_letters where tenant_id = $1 and dead_letter_id = any ($2::uuid[]) and state = 'open' order by dead_letter_id for update`;
const moveLetters = `/* send dead letters again */
  update headgate.dead_letters set state = 'redriving', reason = $3, decided_by = $4, changed_at = (select headgate.clock())
  where tenant_id = $1 and dead_letter_id = any ($2::uuid[])`;
const insertRow = `/* add redrive */
  insert into headgate.redrives (tenant_id, redrive_id, flow_id, records, reason, decided_by, created_at) values ($1, $2, $3, $4, $5, $6, headgate.clock())`;
/** A key that a letter blocked is free, so that its own record can be sent; later files come behind it in their lane. */
const insertMembers = `/* add redrive members */
  with freed as (
    delete from headgate.blocked_keys where tenant_id = $1 and dead_letter_id = any ($3::uuid[]) and key_hash <> '' returning dead_letter_id, lane, lane_scheme, key_hash
  )
  insert into headgate.redrive_members (tenant_id, redrive_id, dead_letter_id, job_id, record_number, lane, lane_scheme, key_hash)
  select $1, $2, m.dead_letter_id, m.job_id, m.record_number, f.lane, f.lane_scheme, f.key_hash
  from unnest($3::uuid[], $4::uuid[], $5::bigint[]) as m (dead_letter_id, job_id, record_number) left join freed f on f.dead_letter_id = m.dead_letter_id`;

/** Fails with E_REDRIVE_STALE when one of the letters is not open any more. */
export async function insertRedrive(tx: TenantTx, services: JobServices, redrive: NewRedrive): Promise<void> {
  const { redriveId, flowId, reason, actor, jobs } = redrive;
  const members = jobs.flatMap(({ jobId, members: own }) => own.map((member) => ({ jobId, ...member })));
  const letterIds = members.map(({ deadLetterId }) => deadLetterId);
  const { rowCount } = await tx.query(lockLetters, [tx.tenantId, letterIds]);
  if (rowCount !== letterIds.length)
    throw new HeadgateError(redriveErrors.E_REDRIVE_STALE, 'another decision about one of the dead letters was made meanwhile');
  await tx.query(moveLetters, [tx.tenantId, letterIds, reason, actor]);
  await tx.query(insertRow, [tx.tenantId, redriveId, flowId, members.length, reason, actor]);
  await tx.query(insertMembers, [
    tx.tenantId,
    redriveId,
    letterIds,
    members.map(({ jobId }) => jobId),
    members.map(({ recordNumber }) => recordNumber),
  ]);
  const groups = jobs.flatMap((job) => groupsOf(services, job));
  await insertFilesAndJobs(tx, flowId, jobs);
  await insertGroups(tx, groups);
  await insertChunks(tx, groups);
  await services.queue.addWork(tx, groups.map(workOf));
  await recordEvents(tx, services.ports.ids, [
    {
      type: 'redrive.created',
      objectId: redriveId,
      from: '',
      to: 'open',
      actor,
      detail: { records: members.length, jobs: jobs.length, reason },
    },
    ...letterIds.map(
      (id): NewEvent => ({ type: 'dead_letter.redriving', objectId: id, from: 'open', to: 'redriving', actor, detail: { redriveId } }),
    ),
    ...createdEvents(
      jobs.map(({ jobId, fileId, source, chunks, object }) => ({
        jobId,
        file: { fileId, arrivalId: source.arrivalId, chunks, bytes: object.bytes, traceId: source.traceId, actor },
      })),
      groups,
    ),
  ]);
  const bytes = jobs.reduce((sum, { object }) => sum + object.bytes, 0);
  await addUsage(tx, { storedBytes: bytes, heldBytes: 0, chunksInFlight: jobs.reduce((sum, { chunks }) => sum + chunks.length, 0) });
}

/** Groups hold chunks of one job only: another job may lead elsewhere. */
function groupsOf({ ports }: JobServices, { jobId, source, chunks }: NewRedriveJob): NewGroup[] {
  const groups: NewGroup[] = [];
  for (let at = 0; at < chunks.length; at += groupFilesMax) {
    const own = chunks.slice(at, at + groupFilesMax);
    const bytes = own.reduce((sum: number, { start, end }: ChunkSpec) => sum + end - start, 0);
    groups.push({ groupId: ports.ids.next(), flowVersionId: source.flowVersionId, chunks: own.map((spec) => ({ jobId, spec })), bytes });
  }
  return groups;
}

const nextNumbers = `/* number files of a redrive */
  insert into headgate.flow_counters as c (tenant_id, flow_id, accepted) values ($1, $2, $3)
  on conflict (tenant_id, flow_id) do update set accepted = c.accepted + $3 returning accepted`;
const insertFileRows = `/* add files of a redrive */
  insert into headgate.files (tenant_id, file_id, arrival_id, flow_id, name, bytes, sha256, container_name, container_bytes, container_sha256,
    object_id, object, accepted_number, accepted_at)
  select $1, f.file_id, f.arrival_id, $2, f.name, f.bytes, f.sha256, f.name, f.bytes, f.sha256, f.object_id, f.object::json, f.number, (select headgate.clock())
  from unnest($3::uuid[], $4::uuid[], $5::text[], $6::bigint[], $7::text[], $8::uuid[], $9::text[], $10::bigint[])
    as f (file_id, arrival_id, name, bytes, sha256, object_id, object, number)`;
const insertJobRows = `/* create jobs of a redrive */
  insert into headgate.jobs (tenant_id, job_id, flow_id, flow_version_id, file_id, lineage_id, accepted_number, state, chunks, bytes, redrive,
    trace_id, trace_parent, created_at, changed_at)
  select $1, j.job_id, $2, j.flow_version_id, j.file_id, j.lineage_id, j.number, 'queued', j.chunks, j.bytes, j.redrive::json, j.trace_id, j.trace_parent,
    (select headgate.clock()), (select headgate.clock())
  from unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::bigint[], $8::int[], $9::bigint[], $10::text[], $11::text[], $12::text[])
    as j (job_id, flow_version_id, file_id, lineage_id, number, chunks, bytes, redrive, trace_id, trace_parent)`;

async function insertFilesAndJobs(tx: TenantTx, flowId: string, jobs: readonly NewRedriveJob[]): Promise<void> {
  const { rows } = await tx.query<{ accepted: number }>(nextNumbers, [tx.tenantId, flowId, jobs.length]);
  const numbers = jobs.map((_, index) => rows[0]!.accepted - jobs.length + 1 + index);
  await tx.query(insertFileRows, [
    tx.tenantId,
    flowId,
    jobs.map(({ fileId }) => fileId),
    jobs.map(({ source }) => source.arrivalId),
    jobs.map(({ source }) => source.fileName),
    jobs.map(({ object }) => object.bytes),
    jobs.map(({ object }) => object.sha256),
    jobs.map(({ object }) => object.objectId),
    jobs.map(({ object }) => JSON.stringify(object)),
    numbers,
  ]);
  await tx.query(insertJobRows, [
    tx.tenantId,
    flowId,
    jobs.map(({ jobId }) => jobId),
    jobs.map(({ source }) => source.flowVersionId),
    jobs.map(({ fileId }) => fileId),
    jobs.map(({ source }) => source.lineageId),
    numbers,
    jobs.map(({ chunks }) => chunks.length),
    jobs.map(({ object }) => object.bytes),
    jobs.map(({ redrive }) => JSON.stringify(redrive)),
    jobs.map(({ source }) => source.traceId),
    jobs.map(({ source }) => source.traceParent),
  ]);
}
