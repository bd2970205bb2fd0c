/**
 * Opens the acknowledgement of a file whose first job is closed: its receipt, and every finding that rejected a record, read
 * from the sealed lists of its chunks and of the check of the whole file while the acknowledgement is taken.
 */

import { countUnknown } from '../../../pipeline/deliveries/endings/unknown-records.ts';
import { fileErrors } from '../../../pipeline/engine/engine-errors.ts';
import type { PackPlan, Plan } from '../../../pipeline/engine/plan.ts';
import { answeredByStatus } from '../../../pipeline/formats/iso20022/flow/flow-families.ts';
import type { ReturnNumbers } from '../../../pipeline/ledger/ach-returns.ts';
import type { AcknowledgedFinding } from '../../../pipeline/ledger/acknowledged-finding.ts';
import { type AcknowledgementForm, acknowledgementPieces } from '../../../pipeline/ledger/acknowledgement.ts';
import type { Receipt } from '../../../pipeline/ledger/receipt.ts';
import { decodeReceipt } from '../../../pipeline/ledger/receipt-schema.ts';
import { decodeRejection } from '../../../pipeline/ledger/rejection-lines.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { Unpack } from '../../../platform/packing/packings.ts';
import type { SealedObject, SealedStore } from '../../../platform/storage/object-store.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import type { SegmentPart } from '../groups/chunk-parts.ts';
import { jobErrors } from '../job-errors.ts';
import type { JobServices } from '../job-services.ts';
import { type ExclusionsRow, exclusionsColumns, exclusionsJoin, openExcluded } from './excluded-records.ts';
import { isMasked, type MaskingFloors, maskingFloors } from './field-masks.ts';
import { getReceipt } from './job-views.ts';

export interface OpenedAcknowledgement {
  readonly jobId: string;
  /** As the sender named it. */
  readonly fileName: string;
  /** When the job ended, as its receipt says. */
  readonly closedAt: Date;
  /** Whether it would hold, in the clear, what the flow or the tenant's policy masks. */
  showsMasked(form: AcknowledgementForm): boolean;
  /** An empty piece is only a turn for others. Fails with E_ACKNOWLEDGEMENT_FORMAT where the flow's files can't be answered so. */
  pieces(form: AcknowledgementForm): Generator<Uint8Array>;
}

export type AcknowledgementServices = Pick<JobServices, 'store' | 'flows'>;

interface StoredFile {
  readonly file: SealedObject;
  /** Null: it is the file. */
  readonly container: SealedObject | null;
  readonly via: Unpack;
  readonly flowVersionId: string;
}

interface StoredPart {
  readonly part: SegmentPart;
  readonly object: SealedObject;
}

const selectJob = `/* find job to acknowledge */ select j.job_id as "jobId" from headgate.jobs j
  where j.tenant_id = $1 and j.file_id = $2 and j.lineage_id = j.job_id`;
const selectParts = `/* find rejections to acknowledge */ select c.segments -> 'rejections' as part, s.object from headgate.chunks c
  join headgate.segments s on s.tenant_id = c.tenant_id and s.segment_id = (c.segments -> 'rejections' ->> 'segmentId')::uuid
  where c.tenant_id = $1 and c.job_id = $2 and c.done_at is not null order by c.chunk_number`;
const selectFile = `/* find file to acknowledge */ select f.object as file, f.container_object as container, f.via, j.flow_version_id as "flowVersionId" from headgate.jobs j
  join headgate.files f on f.tenant_id = j.tenant_id and f.file_id = j.file_id where j.tenant_id = $1 and j.job_id = $2`;
const selectNumbers = `/* find numbers of returns to acknowledge */ select a.return_file_number as file, a.first_return_number as "firstEntry" from headgate.acknowledgements a
  where a.tenant_id = $1 and a.job_id = $2 and a.level = 'record' and a.return_file_number is not null`;
const selectExclusions = `/* find exclusions to acknowledge */ select ${exclusionsColumns} from headgate.jobs j ${exclusionsJoin} where j.tenant_id = $1 and j.job_id = $2`;

/** Undefined: there is no such file. Fails with E_JOB_STATE while its job is open. */
export async function openFileAcknowledgement(
  tx: TenantTx,
  services: AcknowledgementServices,
  fileId: string,
): Promise<OpenedAcknowledgement | undefined> {
  const jobId = (await tx.query<{ jobId: string }>(selectJob, [tx.tenantId, fileId])).rows[0]?.jobId;
  return jobId === undefined ? undefined : await openJobAcknowledgement(tx, services, jobId);
}

/** Fails with E_JOB_UNKNOWN, and with E_JOB_STATE while the job is open. */
export async function openJobAcknowledgement(
  tx: TenantTx,
  { store, flows }: AcknowledgementServices,
  jobId: string,
): Promise<OpenedAcknowledgement> {
  const { tenantId } = tx;
  const receipt = decodeReceipt(Buffer.from((await getReceipt(tx, jobId)).body));
  const { file, container: received, via, flowVersionId } = (await tx.query<StoredFile>(selectFile, [tenantId, jobId])).rows[0]!;
  const { plan } = await flows.load(tx, flowVersionId);
  const { rows: parts } = await tx.query<StoredPart>(selectParts, [tenantId, jobId]);
  const exclusions = (await tx.query<ExclusionsRow>(selectExclusions, [tenantId, jobId])).rows[0]!;
  const isReturned = packOf(plan)?.name === 'nacha';
  const numbers = isReturned ? ((await tx.query<ReturnNumbers>(selectNumbers, [tenantId, jobId])).rows[0] ?? null) : null;
  const findings = () => inRecordOrder(rejections(store, tenantId, parts), excluded(store, tenantId, exclusions));
  const isCounted = (receipt.job.verdict === 'cancelled' || isAnsweredByStatus(plan)) && isKeptBack(receipt);
  const unknown = isCounted ? await countUnknown(tx, jobId) : new Map<string, number>();
  const { container } = receipt.file;
  const floors = await maskingFloors(tx);
  return {
    jobId,
    fileName: container.name,
    closedAt: new Date(receipt.times.closedAt),
    showsMasked: (form) => refusalOf(form, plan, via) === null && showsMasked(form, plan, floors),
    pieces(form) {
      const refused = refusalOf(form, plan, via);
      if (refused !== null) throw new HeadgateError(jobErrors.E_ACKNOWLEDGEMENT_FORMAT, refused);
      const source = {
        findings,
        lines: () => linesOf(store, tenantId, file),
        original: () => bytesOf(store, tenantId, received ?? file),
        settings: packOf(plan)?.settings ?? {},
        acceptedAs: plan.acknowledge?.acceptedAs ?? 'ACSP',
        unknown,
        numbers,
      };
      return acknowledgementPieces(receipt, source, form);
    },
  };
}

const readBytes = 64 * 1024;

function* rejections(store: SealedStore, tenantId: string, parts: readonly StoredPart[]): Generator<AcknowledgedFinding> {
  for (const { part, object } of parts) for (const line of linesOf(store, tenantId, object, part)) yield findingOf(line);
}

/** Without their line ends. */
function* linesOf(
  store: SealedStore,
  tenantId: string,
  object: SealedObject,
  part: { readonly start: number; readonly end: number } = { start: 0, end: object.bytes },
): Generator<string> {
  const reader = store.open(tenantId, object);
  try {
    let rest = Buffer.alloc(0);
    for (let position = part.start; position < part.end; ) {
      const piece = Buffer.alloc(Math.min(readBytes, part.end - position));
      position += reader.read(piece, 0, piece.length, position);
      const bytes = Buffer.concat([rest, piece]);
      const end = bytes.lastIndexOf(10) + 1;
      yield* bytes.toString('utf8', 0, end).split('\n').slice(0, -1);
      rest = bytes.subarray(end);
    }
  } finally {
    reader.close();
  }
}

function* bytesOf(store: SealedStore, tenantId: string, object: SealedObject): Generator<Uint8Array> {
  const reader = store.open(tenantId, object);
  try {
    for (let position = 0; position < reader.size; ) {
      const piece = Buffer.alloc(Math.min(readBytes, reader.size - position));
      position += reader.read(piece, 0, piece.length, position);
      yield piece;
    }
  } finally {
    reader.close();
  }
}

function findingOf(line: string): AcknowledgedFinding {
  const finding = decodeRejection(line);
  if (finding === null) throw new HeadgateError(fileErrors.E_SEGMENT, 'the list of rejected records cannot be read');
  return finding;
}

function* excluded(store: SealedStore, tenantId: string, row: ExclusionsRow): Generator<AcknowledgedFinding> {
  const records = openExcluded(store, tenantId, row);
  if (records === null) return;
  try {
    for (const exclusion of records.from(0)) yield { record: exclusion.record, ...records.findingOf(exclusion) };
  } finally {
    records.close();
  }
}

function* inRecordOrder(left: Generator<AcknowledgedFinding>, right: Generator<AcknowledgedFinding>): Generator<AcknowledgedFinding> {
  try {
    let [a, b] = [left.next(), right.next()];
    while (!a.done || !b.done) {
      if (b.done || (!a.done && a.value.record <= b.value.record)) {
        yield a.value as AcknowledgedFinding;
        a = left.next();
      } else {
        yield b.value;
        b = right.next();
      }
    }
  } finally {
    left.return(undefined);
    right.return(undefined);
  }
}

function packOf({ format }: Plan): PackPlan | undefined {
  return format.type === 'json-lines' ? format.pack : undefined;
}

function isAnsweredByStatus(plan: Plan): boolean {
  const pack = packOf(plan);
  return pack?.name === 'iso20022' && answeredByStatus.includes(String(pack.settings['message']));
}

const isKeptBack = ({ targets }: Receipt): boolean => targets.some(({ routed, delivered }) => delivered.records < routed.records);

/** Of the original, in a status report. */
const identifications = ['messageId', 'paymentInformationId', 'instructionId', 'endToEndId', 'uetr'];

/** A file of returns holds whole entries, accounts and names of people. */
function showsMasked({ format }: AcknowledgementForm, { records }: Plan, floors: MaskingFloors): boolean {
  if (format === 'nacha') return true;
  if (format !== 'pain.002') return false;
  return records.some(({ fields }) => fields.some((field) => identifications.includes(field.name) && isMasked(field, floors)));
}

/** Why files of the flow can't be answered so; null: they can. */
function refusalOf({ format }: AcknowledgementForm, plan: Plan, via: Unpack): string | null {
  const pack = packOf(plan);
  if (format === 'pain.002' && !isAnsweredByStatus(plan))
    return 'pain.002 answers pain.001 and pain.008, and the flow of this file reads neither';
  if (format !== 'nacha') return null;
  if (pack?.name !== 'nacha') return 'returns answer ACH files, and the flow of this file reads none';
  return via.length === 0 ? null : 'returns are made of ACH files that came as they are; this one came packed';
}
