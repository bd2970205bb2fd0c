/** Queries for lists and pages of arrivals and accepted files. Newest first; `before` is the id to go on from. */
import type { Unpack } from '../../platform/packing/packings.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import type { FindingGroup } from '../engine/chunk.ts';
import { nextOfArrival } from './arrival-next.ts';
import type { ArrivalPlans } from './arrival-plan.ts';
import type { ArrivalState } from './arrival-state.ts';
import { companionsOf } from './source-sight.ts';

export interface ArrivalView {
  readonly arrivalId: string;
  readonly flow: string;
  readonly source: string;
  readonly name: string;
  readonly state: ArrivalState;
  readonly bytes: number;
  readonly sha256: string | null;
  readonly reasonCode: string | null;
  readonly reason: string | null;
  /** What can be done about it, or what it waits for; null where nothing is to be done. */
  readonly next: string | null;
  readonly fileId: string | null;
  readonly duplicateOf: string | null;
  /** Of the file that it was unpacked from. */
  readonly containerArrivalId: string | null;
  readonly traceId: string | null;
  readonly seenAt: Date;
  readonly changedAt: Date;
}

export interface FileView {
  readonly fileId: string;
  readonly arrivalId: string;
  readonly flow: string;
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Of what it came in; its own where nothing was unpacked. */
  readonly containerName: string;
  readonly containerSha256: string;
  /** Steps from the container to the file. */
  readonly via: Unpack;
  /** Where that has an arrival of its own. */
  readonly containerArrivalId: string | null;
  readonly acceptedNumber: number;
  readonly sameNameAs: string | null;
  readonly acceptedAt: Date;
  readonly jobIds: readonly string[];
  /** What was or is to be written for its sender; none where its flow says nothing of it, or the job is open. */
  readonly acknowledgements: readonly FileAcknowledgementView[];
}

export interface FileDetails extends FileView {
  /** What a pack has to say of the file as a whole and is no reason to hold it; a few of each rule are one. */
  readonly warnings: readonly FindingGroup[];
  /** Lines that are no records and have no number. */
  readonly skippedLines: { readonly blank: number; readonly comments: number };
}

export interface FileAcknowledgementView {
  readonly level: 'file' | 'record';
  readonly state: 'pending' | 'sent' | 'failed';
  /** Of the file that was written, or that the last try was to write. */
  readonly name: string | null;
  readonly attempts: number;
  /** Why the last try failed. */
  readonly reasonCode: string | null;
  readonly reason: string | null;
}

/** Of acknowledgements that their sender has not got. */
export const unsentStates = ['pending', 'failed'] as const;
export type UnsentState = (typeof unsentStates)[number];

export interface Page {
  readonly before?: string;
  readonly limit: number;
  readonly flow?: string;
}

const arrivalColumns = `a.arrival_id as "arrivalId", f.name as flow, a.source_id as source, a.name, a.state, a.size_bytes as bytes, a.sha256,
  a.reason_code as "reasonCode", a.reason, a.file_id as "fileId", a.duplicate_of as "duplicateOf", a.container_arrival_id as "containerArrivalId",
  a.trace_id as "traceId", a.seen_at as "seenAt", a.changed_at as "changedAt"`;
const arrivalTables = 'from headgate.arrivals a join headgate.flows f on f.tenant_id = a.tenant_id and f.flow_id = a.flow_id';
const selectArrivals = `/* list arrivals */ select ${arrivalColumns} ${arrivalTables}
  where a.tenant_id = $1 and ($2::uuid is null or a.arrival_id < $2) and ($3::text is null or f.name = $3) and ($4::text is null or a.state = $4)
    and ($6::uuid is null or a.container_arrival_id = $6)
  order by a.arrival_id desc limit $5`;
const selectArrival = `/* get arrival */ select ${arrivalColumns}, a.flow_id as "flowId" ${arrivalTables} where a.tenant_id = $1 and a.arrival_id = $2`;

export async function listArrivals(
  tx: TenantTx,
  page: Page & { readonly state?: string; readonly container?: string },
): Promise<ArrivalView[]> {
  const values = [tx.tenantId, page.before ?? null, page.flow ?? null, page.state ?? null, page.limit, page.container ?? null];
  return (await tx.query<ArrivalRow>(selectArrivals, values)).rows.map(withNext);
}

export interface MemberView {
  readonly arrivalId: string;
  readonly name: string;
  readonly state: ArrivalState;
  readonly reasonCode: string | null;
  readonly fileId: string | null;
  readonly duplicateOf: string | null;
  /** Of an accepted one, or of the file whose duplicate it is. */
  readonly jobId: string | null;
}

const selectMembers = `/* list members */
  select a.arrival_id as "arrivalId", a.name, a.state, a.reason_code as "reasonCode", a.file_id as "fileId", a.duplicate_of as "duplicateOf",
    (select j.job_id from headgate.jobs j where j.tenant_id = a.tenant_id and j.file_id = coalesce(a.file_id, a.duplicate_of) order by j.job_id limit 1) as "jobId"
  from headgate.arrivals a where a.tenant_id = $1 and a.container_arrival_id = $2 order by a.arrival_id`;

/** What was unpacked from the file of this arrival, in its order. */
export async function listMembers(tx: TenantTx, arrivalId: string): Promise<MemberView[]> {
  return (await tx.query<MemberView>(selectMembers, [tx.tenantId, arrivalId])).rows;
}

/** With `plans` it is told by name what a file at rest waits for. */
export async function findArrival(
  tx: TenantTx,
  arrivalId: string,
  plans?: Pick<ArrivalPlans, 'bySource'>,
): Promise<ArrivalView | undefined> {
  const found = (await tx.query<ArrivalRow & { readonly flowId: string }>(selectArrival, [tx.tenantId, arrivalId])).rows[0];
  if (found === undefined) return undefined;
  const { flowId, ...row } = found;
  const plan = row.state === 'stable' ? await plans?.bySource(tx, flowId, row.source) : undefined;
  return { ...row, next: nextOfArrival(row, plan && companionsOf(plan.source).map((suffix) => row.name + suffix)) };
}

type ArrivalRow = Omit<ArrivalView, 'next'>;

function withNext(row: ArrivalRow): ArrivalView {
  return { ...row, next: nextOfArrival(row) };
}

const fileColumns = `x.file_id as "fileId", x.arrival_id as "arrivalId", f.name as flow, x.name, x.bytes, x.sha256,
  x.container_name as "containerName", x.container_sha256 as "containerSha256", x.container_arrival_id as "containerArrivalId", x.via,
  x.accepted_number as "acceptedNumber", x.same_name_as as "sameNameAs", x.accepted_at as "acceptedAt",
  array(select j.job_id from headgate.jobs j where j.tenant_id = x.tenant_id and j.file_id = x.file_id order by j.job_id) as "jobIds",
  array(select json_build_object('level', k.level, 'state', k.state, 'name', k.name, 'attempts', k.attempts, 'reasonCode', k.reason_code, 'reason', k.reason)
    from headgate.jobs j join headgate.acknowledgements k on k.tenant_id = j.tenant_id and k.job_id = j.job_id
    where j.tenant_id = x.tenant_id and j.file_id = x.file_id order by k.level) as acknowledgements`;
const fileTables = 'from headgate.files x join headgate.flows f on f.tenant_id = x.tenant_id and f.flow_id = x.flow_id';
const selectFiles = `/* list files */ select ${fileColumns} ${fileTables}
  where x.tenant_id = $1 and ($2::uuid is null or x.file_id < $2) and ($3::text is null or f.name = $3)
  order by x.file_id desc limit $4`;
const selectUnacknowledged = `/* list unacknowledged files */ select ${fileColumns} ${fileTables}
  where x.tenant_id = $1 and ($2::uuid is null or x.file_id < $2) and ($3::text is null or f.name = $3)
    and x.file_id in (select j.file_id from headgate.acknowledgements k join headgate.jobs j on j.tenant_id = k.tenant_id and j.job_id = k.job_id
      where k.tenant_id = $1 and k.state <> 'sent' and k.state = $5)
  order by x.file_id desc limit $4`;
const selectFile = `/* get file */ select ${fileColumns},
  coalesce(s.split -> 'warnings', '[]') as warnings,
  json_build_object('blank', coalesce((s.split -> 'blankLines')::text::int8, 0), 'comments', coalesce((s.split -> 'comments')::text::int8, 0)) as "skippedLines"
  ${fileTables}
  left join lateral (select j.totals -> 'split' as split from headgate.jobs j
    where j.tenant_id = x.tenant_id and j.file_id = x.file_id and j.lineage_id = j.job_id limit 1) s on true
  where x.tenant_id = $1 and x.file_id = $2`;

/** With `acknowledgement` those alone that have one in that state. */
export async function listFiles(tx: TenantTx, page: Page & { readonly acknowledgement?: UnsentState }): Promise<FileView[]> {
  const { before = null, flow = null, limit, acknowledgement } = page;
  const values = [tx.tenantId, before, flow, limit];
  const sql = acknowledgement === undefined ? selectFiles : selectUnacknowledged;
  return (await tx.query<FileView>(sql, acknowledgement === undefined ? values : [...values, acknowledgement])).rows;
}

export async function findFile(tx: TenantTx, fileId: string): Promise<FileDetails | undefined> {
  return (await tx.query<FileDetails>(selectFile, [tx.tenantId, fileId])).rows[0];
}
