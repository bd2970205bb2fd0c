/**
 * What became of single records: from the outcome segments, which hold one entry per record, with the exclusions of the
 * file's check, and for a record's own fields from its bytes in the file, read again by the engine's slow path. Fields come
 * masked, as the flow and the tenant's policy say; nothing here shows content in the clear that is to be hidden.
 */
import type { ChunkContext } from '../../../pipeline/engine/chunk.ts';
import { compileFlow } from '../../../pipeline/engine/compile-flow.ts';
import { readHeaderRecord } from '../../../pipeline/engine/file/header-record.ts';
import { RecordFetcher } from '../../../pipeline/engine/file/record-fetcher.ts';
import type { RecordOutcome } from '../../../pipeline/engine/outcomes/outcome-segment.ts';
import type { FieldPlan, Plan } from '../../../pipeline/engine/plan.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { SealedObject, SealedStore } from '../../../platform/storage/object-store.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { loadFlowVersion } from '../../flows/applying/flow-store-versions.ts';
import type { ChunkParts } from '../groups/chunk-parts.ts';
import { outcomesOfChunk } from '../groups/segment-rows.ts';
import { jobErrors } from '../job-errors.ts';
import { firstRecordToCome } from './chunks-to-come.ts';
import {
  askedInOrder,
  type ExcludedRecords,
  type ExclusionsRow,
  exclusionsColumns,
  exclusionsJoin,
  openExcluded,
} from './excluded-records.ts';
import { formOf, isMasked, isMaskedLess, type MaskingFloors, masked, maskingFloors } from './field-masks.ts';
import { openOutcomes } from './job-outcomes.ts';

export interface RecordSummary {
  /** `<job id>/<number>`. */
  readonly recordId: string;
  readonly record: number;
  readonly status: RecordOutcome['status'];
  readonly warned: boolean;
  readonly offset: number;
  readonly targets: readonly string[];
}

export interface RecordView extends RecordSummary {
  /** Name of the record type; null where it is unknown. */
  readonly type: string | null;
  /** Masked texts by field, of a field that something is wrong with as in the file, or only its form (`field-masks.ts`); null where there is no text. */
  readonly fields: Readonly<Record<string, string | null>>;
  readonly findings: readonly {
    readonly code: string;
    readonly field: string | null;
    readonly rule: string | null;
    readonly message: string;
  }[];
  readonly warnings: readonly {
    readonly code: string;
    readonly field: string | null;
    readonly rule: string | null;
    readonly message: string;
  }[];
}

interface ChunkRow {
  readonly firstRecord: number;
  readonly context: ChunkContext;
  readonly segments: Pick<ChunkParts, 'outcomes'> | null;
  readonly object: SealedObject | null;
}

const selectChunks = `/* find chunks of records */ select c.first_record as "firstRecord", c.context, ${outcomesOfChunk} as segments, s.object
  from headgate.chunks c left join headgate.segments s on s.tenant_id = c.tenant_id and s.segment_id = (c.segments -> 'outcomes' ->> 'segmentId')::uuid
  where c.tenant_id = $1 and c.job_id = $2 and c.done_at is not null and c.first_record < $5
    and c.chunk_number >= coalesce((select max(b.chunk_number) from headgate.chunks b where b.tenant_id = $1 and b.job_id = $2 and b.first_record <= $3), 0)
  order by c.chunk_number limit $4`;
const selectFile = `/* find file of job */ select x.object, j.flow_version_id as "flowVersionId",
  (select f.start_byte from headgate.chunks f where f.tenant_id = j.tenant_id and f.job_id = j.job_id and f.chunk_number = 0) as "fileStart", ${exclusionsColumns} from headgate.jobs j
  join headgate.files x on x.tenant_id = j.tenant_id and x.file_id = j.file_id ${exclusionsJoin} where j.tenant_id = $1 and j.job_id = $2`;
const selectSamples = `/* find findings of record */ select code, field, rule, message from headgate.rejections
  where tenant_id = $1 and job_id = $2 and record_number = $3 and severity = 'error' order by finding`;

/** Most outcomes looked at for one page; a rare status may need several pages. */
const scannedMax = 100_000;
/** Most chunks looked at for one page. */
const chunksMax = 32;
const everyRecord = Number.MAX_SAFE_INTEGER;

export interface RecordsPage {
  readonly items: RecordSummary[];
  /** Null at the end. */
  readonly nextAfter: number | null;
  /** False: the end is where reading has come to, and more records will follow. */
  readonly isComplete: boolean;
}

/** Records from `after` + 1 on, of one status where one is named. */
export async function listRecords(
  tx: TenantTx,
  store: SealedStore,
  jobId: string,
  page: { readonly after: number; readonly limit: number; readonly status?: RecordOutcome['status'] },
): Promise<RecordsPage> {
  const { plan, excluded } = await openJob(tx, store, jobId);
  try {
    const toCome = await firstRecordToCome(tx, jobId);
    const isComplete = toCome === null;
    const isExcluded = askedInOrder(excluded, page.after + 1);
    const items: RecordSummary[] = [];
    let scanned = 0;
    let last = page.after;
    const chunks = await findChunks(tx, jobId, { from: page.after + 1, before: toCome ?? everyRecord, limit: chunksMax + 1 });
    for (const chunk of chunks.slice(0, chunksMax)) {
      for (const { at: segment } of openOutcomes(store, tx.tenantId, chunk)) {
        const { firstRecord, records } = segment.header;
        for (let position = Math.max(0, page.after + 1 - firstRecord); position < records; position++) {
          if (items.length >= page.limit || ++scanned > scannedMax) return { items, nextAfter: last, isComplete };
          const outcome = segment.outcome(position);
          last = outcome.record;
          const item = summaryOf(jobId, plan, outcome, isExcluded(outcome.record));
          if (page.status === undefined || item.status === page.status) items.push(item);
        }
      }
    }
    const next = chunks[chunksMax];
    return { items, nextAfter: next === undefined ? null : next.firstRecord - 1, isComplete };
  } finally {
    excluded?.close();
  }
}

interface ChunkRange {
  readonly from: number;
  /** No chunk that begins with this record or behind it. */
  readonly before: number;
  readonly limit: number;
}

/** Those that are done: first the one that holds the record `from`. */
async function findChunks(tx: TenantTx, jobId: string, { from, before, limit }: ChunkRange): Promise<ChunkRow[]> {
  return (await tx.query<ChunkRow>(selectChunks, [tx.tenantId, jobId, from, limit, before])).rows;
}

/** Fails with E_JOB_UNKNOWN, E_RECORD_UNKNOWN. */
export async function getRecord(tx: TenantTx, store: SealedStore, jobId: string, number: number): Promise<RecordView> {
  const { plan, object, fileStart, excluded } = await openJob(tx, store, jobId);
  const exclusion = excluded?.from(number).next().value;
  const finding = excluded && exclusion && exclusion.record === number ? excluded.findingOf(exclusion) : null;
  excluded?.close();
  const [chunk] = await findChunks(tx, jobId, { from: number, before: everyRecord, limit: 1 });
  let outcome: RecordOutcome | undefined;
  if (chunk)
    for (const { at: segment } of openOutcomes(store, tx.tenantId, chunk)) {
      const position = number - segment.header.firstRecord;
      if (position >= 0 && position < segment.header.records) outcome = segment.outcome(position);
    }
  if (!chunk || !outcome) throw new HeadgateError(jobErrors.E_RECORD_UNKNOWN, 'the job has no record of this number');
  const { rows: samples } = await tx.query<RecordView['findings'][number]>(selectSamples, [tx.tenantId, jobId, number]);
  const summary = summaryOf(jobId, plan, outcome, finding !== null);
  // Such a record ended the process that parsed it; this one is to live.
  if (samples.some(({ code }) => code === jobErrors.E_POISON))
    return { ...summary, type: null, fields: {}, findings: samples, warnings: [] };
  const file = store.open(tx.tenantId, object);
  try {
    const flow = compileFlow(plan);
    const header = fileStart === null ? null : readHeaderRecord(flow, { start: fileStart, context: chunk.context }, file);
    const judge = new RecordFetcher(flow, chunk.context.columns, file, header).fetch(outcome.offset);
    const type = plan.records[judge.type];
    const texts = type ? judge.fieldTexts() : {};
    const floors = await maskingFloors(tx);
    return {
      ...summary,
      type: type?.name ?? null,
      fields: shownFields(type?.fields ?? [], { plan, texts, wrong: new Set(judge.findings.map(({ field }) => field)), floors }),
      findings: finding !== null ? [finding] : judge.findings.length > 0 ? judge.findings : samples,
      warnings: finding !== null ? [] : judge.warnings,
    };
  } finally {
    file.close();
  }
}

interface ShownParts {
  readonly plan: Plan;
  readonly texts: Readonly<Record<string, string | null>>;
  readonly wrong: ReadonlySet<string | null>;
  readonly floors: MaskingFloors;
}

/**
 * Where the flow masks anything, in whatever record type, a text that should not be where it is may be what is masked elsewhere, as under a
 * wrong tag: only its form is shown, and of a field that is masked less than another one nothing.
 */
function shownFields(fields: readonly FieldPlan[], { plan, texts, wrong, floors }: ShownParts): Record<string, string | null> {
  const all = plan.records.flatMap((record) => record.fields);
  const hasMasks = all.some((field) => isMasked(field, floors));
  const shown = fields.map((field) => {
    const text = texts[field.name] ?? null;
    const isFormOnly = hasMasks && wrong.has(field.name) && !isMasked(field, floors);
    if (isFormOnly && text !== null) return [field.name, formOf(text)] as const;
    const stricter = wrong.has(field.name) ? all.find((other) => isMaskedLess(field, other, floors)) : undefined;
    return [field.name, masked(stricter ?? field, text, floors)] as const;
  });
  return Object.fromEntries(shown);
}

interface OpenJob {
  readonly plan: Plan;
  readonly object: SealedObject;
  readonly fileStart: number | null;
  /** The caller closes it. */
  readonly excluded: ExcludedRecords | null;
}

interface FileRow {
  readonly object: SealedObject;
  readonly flowVersionId: string;
  readonly fileStart: number | null;
}

async function openJob(tx: TenantTx, store: SealedStore, jobId: string): Promise<OpenJob> {
  const found = (await tx.query<ExclusionsRow & FileRow>(selectFile, [tx.tenantId, jobId])).rows[0];
  if (!found) throw new HeadgateError(jobErrors.E_JOB_UNKNOWN, 'there is no job of this id');
  const { plan } = await loadFlowVersion(tx, found.flowVersionId);
  return { object: found.object, fileStart: found.fileStart, plan, excluded: openExcluded(store, tx.tenantId, found) };
}

/** A record that the check of the file excluded was found valid by the engine; it is rejected, and goes nowhere. */
function summaryOf(jobId: string, plan: Plan, outcome: RecordOutcome, isExcluded: boolean): RecordSummary {
  const { record, status, warned, offset } = outcome;
  return {
    recordId: `${jobId}/${record}`,
    record,
    status: isExcluded ? 'rejected' : status,
    warned: warned && !isExcluded,
    offset,
    targets: isExcluded ? [] : outcome.targets.map((target) => plan.targets[target]!.id),
  };
}
