/**
 * Reads the records of a job again that are to be sent again: their bytes in the job's file, found by its outcomes, and
 * what the flow makes of them when they lead to the chosen targets only. Synchronous but for the rows; it writes nothing.
 */
import { compiledFlow } from '../../pipeline/deliveries/cutting/record-facts.ts';
import { AmountTotals } from '../../pipeline/engine/amount-totals.ts';
import type { ChunkContext, FieldAmounts } from '../../pipeline/engine/chunk.ts';
import type { CompiledFlow } from '../../pipeline/engine/compile-flow.ts';
import { readHeaderRecord } from '../../pipeline/engine/file/header-record.ts';
import { RecordFetcher } from '../../pipeline/engine/file/record-fetcher.ts';
import { RouteSets } from '../../pipeline/engine/outcomes/route-sets.ts';
import type { FormatPlan } from '../../pipeline/engine/plan.ts';
import type { RecordFinding } from '../../pipeline/engine/records/record-finding.ts';
import { RecordJudge } from '../../pipeline/engine/records/record-judge.ts';
import { isWithoutLineEnds, receivedTable, translated, windowTable } from '../../pipeline/engine/records/window-bytes.ts';
import { redrivePlan } from '../../pipeline/engine/redrive-plan.ts';
import type { CompiledRepair, FieldChange, RepairTexts } from '../../pipeline/engine/repair/compile-repair.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import { nextTurn } from '../../platform/base/system-ports.ts';
import type { SealedObject, SealedStore } from '../../platform/storage/object-store.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import type { ChunkParts } from '../jobs/groups/chunk-parts.ts';
import { outcomesOfChunk } from '../jobs/groups/segment-rows.ts';
import { jobErrors } from '../jobs/job-errors.ts';
import type { JobServices } from '../jobs/job-services.ts';
import { maskingFloors } from '../jobs/views/field-masks.ts';
import { openOutcomes } from '../jobs/views/job-outcomes.ts';
import { redriveErrors } from './redrive-errors.ts';
import { versionInForce } from './redrive-version.ts';
import { compileMaskedRepair } from './repair-masks.ts';

/** The job whose records they are. */
export interface SourceJob {
  readonly jobId: string;
  readonly lineageId: string;
  readonly flowId: string;
  /** That they are sent under … */
  readonly flowVersionId: string;
  /** … as its author numbered it. */
  readonly flowVersion: string;
  readonly arrivalId: string;
  readonly fileName: string;
  readonly file: SealedObject;
  readonly fileStart: number;
  readonly context: ChunkContext;
  readonly traceId: string | null;
  readonly traceParent: string | null;
  readonly flow: CompiledFlow;
}

export interface MemberRecord {
  readonly record: number;
  /** As in the file, without its line end; repaired, where there is a repair. */
  readonly content: Buffer;
  /** `elsewhere`: valid, but the flow does not lead it to the chosen targets. */
  readonly fate: 'sent' | 'rejected' | 'elsewhere';
  readonly findings: readonly RecordFinding[];
  readonly amounts: FieldAmounts;
  /** Of the record as it was. */
  readonly amountsBefore: FieldAmounts;
  /** Its business key; null: it has none. No repair changes it. */
  readonly key: readonly (string | null)[] | null;
  /** By the repair. */
  readonly changes: readonly FieldChange[];
}

export interface SourceRecords {
  readonly job: SourceJob;
  /** What stands before the first record in every file of the flow: byte order mark and header row, header record. */
  readonly head: { readonly bytes: Buffer; readonly firstChunkStart: number };
  readonly records: readonly MemberRecord[];
}

const selectJob = `/* read job to send records of again */
  select j.job_id as "jobId", j.lineage_id as "lineageId", j.flow_id as "flowId", j.flow_version_id as "flowVersionId", v.version as "flowVersion", f.arrival_id as "arrivalId",
    f.name as "fileName", f.object as file, c.start_byte as "fileStart", c.context, j.trace_id as "traceId", j.trace_parent as "traceParent"
  from headgate.jobs j
  join headgate.flow_versions v on v.tenant_id = $1 and v.flow_version_id = j.flow_version_id
  join headgate.files f on f.tenant_id = $1 and f.file_id = j.file_id
  join headgate.chunks c on c.tenant_id = $1 and c.job_id = j.job_id and c.chunk_number = 0
  where j.tenant_id = $1 and j.job_id = $2`;

/** The row of each chunk is read once: where batches are very many it is large. */
const selectChunks = `/* find chunks of chosen records */
  with chosen as materialized (
    select n.record, (select o.chunk_number from headgate.chunks o where o.tenant_id = $1 and o.job_id = $2 and o.first_record <= n.record and o.done_at is not null
      order by o.chunk_number desc limit 1) as chunk_number
    from unnest($3::bigint[]) as n (record)),
  parts as materialized (
    select c.chunk_number, ${outcomesOfChunk} as segments from headgate.chunks c
    where c.tenant_id = $1 and c.job_id = $2 and c.chunk_number = any (array(select distinct h.chunk_number from chosen h)))
  select h.record, p.segments, s.object from chosen h join parts p on p.chunk_number = h.chunk_number
  join headgate.segments s on s.tenant_id = $1 and s.segment_id = (p.segments -> 'outcomes' ->> 'segmentId')::uuid
  order by h.record`;

export interface RecordsToRead {
  readonly jobId: string;
  /** Ascending. */
  readonly records: readonly number[];
  /** Null: wherever the flow's routes lead. */
  readonly targets: readonly string[] | null;
  readonly repair: RepairTexts | null;
  /** Whoever repairs may see what is masked. */
  readonly mayReveal: boolean;
  /** Under the version in force, not that of the job. */
  readonly isCurrentVersion: boolean;
  /** Nobody knows of one of them at least whether its target has it. */
  readonly mayBeThere: boolean;
  readonly bytesLeft: number;
}

/** Fails with E_REPAIR, E_REPAIR_KEY, E_REPAIR_TIED, E_REPAIR_MASK, E_REDRIVE_SIZE, E_REDRIVE_VERSION, E_RECORD_UNKNOWN, and as storage does. */
export async function readMemberRecords(tx: TenantTx, services: JobServices, wanted: RecordsToRead): Promise<SourceRecords> {
  const row = (await tx.query<Omit<SourceJob, 'flow'>>(selectJob, [tx.tenantId, wanted.jobId])).rows[0]!;
  const { plan: first } = await services.flows.load(tx, row.flowVersionId);
  const { plan, ...version } = wanted.isCurrentVersion
    ? await versionInForce(tx, services, { ...wanted, flowId: row.flowId, first })
    : { ...row, plan: first };
  const job: SourceJob = { ...row, ...version, flow: compiledFlow(redrivePlan(plan, wanted.targets)) };
  const offsets = await findOffsets(tx, services.store, wanted);
  const file = services.store.open(tx.tenantId, job.file);
  try {
    const fetcher = new RecordFetcher(job.flow, job.context.columns, file);
    const view = { floors: await maskingFloors(tx), mayReveal: wanted.mayReveal };
    const repair = wanted.repair === null ? null : compileMaskedRepair(job.flow.plan, job.context.columns, wanted.repair, view);
    const reader = new MemberReader(job, repair);
    const head = readHeaderRecord(job.flow, { start: job.fileStart, context: job.context }, file);
    if (head !== null) reader.judge.setHeader(head);
    const before = Buffer.alloc(job.fileStart);
    for (let at = 0; at < before.length; ) at += file.read(before, at, before.length - at, at);
    const header = head === null ? [] : [fetcher.content(head.offset), lineEndOf(job.flow.plan.format)];
    return {
      job,
      head: { bytes: Buffer.concat([before, ...header]), firstChunkStart: before.length },
      records: await readAll(wanted, (record) => reader.read(record, fetcher.content(offsets.get(record)!))),
    };
  } finally {
    file.close();
  }
}

/** Others have their turn between two records: expressions of a repair can take a while. Fails with E_REDRIVE_SIZE. */
async function readAll({ records, bytesLeft }: RecordsToRead, read: (record: number) => MemberRecord): Promise<MemberRecord[]> {
  const all: MemberRecord[] = [];
  let bytes = 0;
  for (const number of records) {
    const record = read(number);
    bytes += record.changes.reduce((sum, { before, after }) => sum + (before?.length ?? 0) + (after?.length ?? 0), record.content.length);
    if (bytes > bytesLeft) throw tooMuch();
    all.push(record);
    await nextTurn();
  }
  return all;
}

/** Bytes of all chosen records together, with what a repair changes. */
export const redriveBytesMax = 64 * 1024 * 1024;

function tooMuch(): HeadgateError {
  return new HeadgateError(redriveErrors.E_REDRIVE_SIZE, `the chosen records are more than ${redriveBytesMax} bytes together`);
}

/** As files of the format have it; empty without line ends. */
export function lineEndOf(format: FormatPlan): Buffer {
  return isWithoutLineEnds(format) ? Buffer.alloc(0) : translated(Buffer.from('\n'), receivedTable(format));
}

async function findOffsets(tx: TenantTx, store: SealedStore, { jobId, records }: RecordsToRead): Promise<Map<number, number>> {
  const { rows } = await tx.query<{ record: number; segments: Pick<ChunkParts, 'outcomes'>; object: SealedObject }>(selectChunks, [
    tx.tenantId,
    jobId,
    records,
  ]);
  const offsets = new Map<number, number>();
  for (const own of Map.groupBy(rows, ({ segments: { outcomes } }) => `${outcomes.segmentId} ${outcomes.start}`).values()) {
    const numbers = own.map(({ record }) => record);
    for (const { at: segment } of openOutcomes(store, tx.tenantId, own[0]!)) {
      const { firstRecord, records: count } = segment.header;
      for (const number of numbers)
        if (number >= firstRecord && number < firstRecord + count) offsets.set(number, segment.outcome(number - firstRecord).offset);
    }
  }
  if (offsets.size < records.length) throw new HeadgateError(jobErrors.E_RECORD_UNKNOWN, 'the job has no record of a chosen number');
  return offsets;
}

class MemberReader {
  readonly judge: RecordJudge;
  readonly #job: SourceJob;
  readonly #routeSets: RouteSets;
  readonly #repair: CompiledRepair | null;
  readonly #keyIndex: number;
  readonly #windowTable: Uint8Array | null;

  constructor(job: SourceJob, repair: CompiledRepair | null) {
    this.#job = job;
    this.#repair = repair;
    this.#windowTable = windowTable(job.flow.plan.format);
    this.#keyIndex = job.flow.hashedKeys.findIndex(({ name }) => name === 'key');
    this.#routeSets = new RouteSets(job.flow.plan.routes);
    this.judge = new RecordJudge(job.flow, job.context.columns, this.#routeSets);
  }

  read(record: number, original: Buffer): MemberRecord {
    const { judge } = this;
    const repaired = this.#repair?.apply(original) ?? { content: original, changes: [], problem: null };
    const { changes } = repaired;
    this.#judge(original);
    const amountsBefore = this.#amounts();
    const before = { record, amountsBefore, key: judge.keys[this.#keyIndex] ?? null, changes };
    if (repaired.problem !== null)
      return { ...before, content: original, fate: 'rejected', findings: [repaired.problem], amounts: amountsBefore };
    const { content } = repaired;
    if (changes.length > 0) this.#judge(content);
    const isRouted = judge.status === 'valid' && this.#routeSets.sets[judge.routeSet]!.length > 0;
    const fate = isRouted ? 'sent' : judge.status === 'rejected' ? 'rejected' : 'elsewhere';
    return { ...before, content, fate, findings: [...judge.findings], amounts: this.#amounts() };
  }

  /** `content`: as in the file. */
  #judge(content: Buffer): void {
    this.judge.judge(translated(content, this.#windowTable), 0, content.length);
  }

  #amounts(): FieldAmounts {
    const totals = new AmountTotals(this.#job.flow.sums.sums);
    for (const { sum, currency, amount } of this.judge.amounts) {
      if (amount === null) totals.addUnreadable(sum);
      else totals.add(sum, currency, amount);
    }
    return totals.toFieldAmounts();
  }
}
