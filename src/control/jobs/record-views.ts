/**
 * What became of single records: from the outcome segments, which hold one entry per record, and for a record's own fields
 * from its bytes in the file, read again by the engine's slow path. Fields come masked, as the flow and the tenant's policy
 * say; nothing here shows content in the clear that is to be hidden.
 */
import type { ChunkContext } from '../../pipeline/engine/chunk.ts';
import { compileFlow } from '../../pipeline/engine/compile-flow.ts';
import { RecordFetcher } from '../../pipeline/engine/file/record-fetcher.ts';
import { OutcomeSegment, type RecordOutcome } from '../../pipeline/engine/outcomes/outcome-segment.ts';
import type { FieldPlan, Plan } from '../../pipeline/engine/plan.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import type { SealedObject, SealedReader, SealedStore } from '../../platform/storage/object-store.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import { findTenantPolicy } from '../flows/definition-store.ts';
import { loadFlowVersion } from '../flows/flow-store-versions.ts';
import type { ChunkParts } from './chunk-parts.ts';
import { jobErrors } from './job-errors.ts';

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
  /** Masked texts by field; null where absent or unreadable. */
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
  readonly segments: ChunkParts | null;
  readonly object: SealedObject | null;
}

const selectChunks = `/* find chunks of records */ select c.first_record as "firstRecord", c.context, c.segments, s.object
  from headgate.chunks c left join headgate.segments s on s.tenant_id = c.tenant_id and s.segment_id = (c.segments -> 'outcomes' ->> 'segmentId')::uuid
  where c.tenant_id = $1 and c.job_id = $2 and c.done_at is not null
    and c.chunk_number >= coalesce((select max(b.chunk_number) from headgate.chunks b where b.tenant_id = $1 and b.job_id = $2 and b.first_record <= $3), 0)
  order by c.chunk_number`;
const selectFile = `/* find file of job */ select x.object, j.flow_version_id as "flowVersionId" from headgate.jobs j
  join headgate.files x on x.tenant_id = j.tenant_id and x.file_id = j.file_id where j.tenant_id = $1 and j.job_id = $2`;
const selectExcluded = `/* find excluded records */ select record_number as record, code, field, rule, message from headgate.rejections
  where tenant_id = $1 and job_id = $2 and record_number between $3 and $4 and severity = 'error'`;

/** Most outcomes looked at for one page; a rare status may need several pages. */
const scannedMax = 100_000;

/** Records from `after` + 1 on, of one status where one is named. `nextAfter` is null at the end. */
export async function listRecords(
  tx: TenantTx,
  store: SealedStore,
  jobId: string,
  page: { readonly after: number; readonly limit: number; readonly status?: RecordOutcome['status'] },
): Promise<{ readonly items: RecordSummary[]; readonly nextAfter: number | null }> {
  const { plan } = await findJobFile(tx, jobId);
  const items: RecordSummary[] = [];
  let scanned = 0;
  let last = page.after;
  for (const chunk of (await tx.query<ChunkRow>(selectChunks, [tx.tenantId, jobId, page.after + 1])).rows) {
    for (const { source, at } of openOutcomes(store, tx.tenantId, chunk)) {
      const segment = at;
      const { firstRecord, records } = segment.header;
      for (let position = Math.max(0, page.after + 1 - firstRecord); position < records; position++) {
        if (items.length >= page.limit || ++scanned > scannedMax) {
          source.close();
          return { items: await withExclusions(tx, jobId, items, page.status), nextAfter: last };
        }
        const outcome = segment.outcome(position);
        last = outcome.record;
        if (page.status === undefined || outcome.status === page.status) items.push(summaryOf(jobId, plan, outcome));
      }
    }
  }
  return { items: await withExclusions(tx, jobId, items, page.status), nextAfter: null };
}

/** Fails with E_JOB_UNKNOWN, E_RECORD_UNKNOWN. */
export async function getRecord(tx: TenantTx, store: SealedStore, jobId: string, number: number): Promise<RecordView> {
  const { plan, object } = await findJobFile(tx, jobId);
  const chunk = (await tx.query<ChunkRow>(selectChunks, [tx.tenantId, jobId, number])).rows[0];
  let outcome: RecordOutcome | undefined;
  if (chunk)
    for (const { at: segment } of openOutcomes(store, tx.tenantId, chunk)) {
      const position = number - segment.header.firstRecord;
      if (position >= 0 && position < segment.header.records) outcome = segment.outcome(position);
    }
  if (!chunk || !outcome) throw new HeadgateError(jobErrors.E_RECORD_UNKNOWN, 'the job has no record of this number');
  const file = store.open(tx.tenantId, object);
  try {
    const judge = new RecordFetcher(compileFlow(plan), chunk.context.columns, file).fetch(outcome.offset);
    const type = plan.records[judge.type];
    const texts = type ? judge.envelope(outcome.offset).values : {};
    const floors = await maskingFloors(tx);
    const [summary] = await withExclusions(tx, jobId, [summaryOf(jobId, plan, outcome)], undefined);
    const excluded = (await tx.query<RecordView['findings'][number]>(selectExcluded, [tx.tenantId, jobId, number, number])).rows;
    return {
      ...summary,
      type: type?.name ?? null,
      fields: Object.fromEntries((type?.fields ?? []).map((field) => [field.name, masked(field, texts[field.name] ?? null, floors)])),
      findings:
        judge.findings.length > 0 ? judge.findings : excluded.map(({ code, field, rule, message }) => ({ code, field, rule, message })),
      warnings: judge.warnings,
    };
  } finally {
    file.close();
  }
}

async function findJobFile(tx: TenantTx, jobId: string): Promise<{ plan: Plan; object: SealedObject }> {
  const found = (await tx.query<{ object: SealedObject; flowVersionId: string }>(selectFile, [tx.tenantId, jobId])).rows[0];
  if (!found) throw new HeadgateError(jobErrors.E_JOB_UNKNOWN, 'there is no job of this id');
  return { object: found.object, plan: (await loadFlowVersion(tx, found.flowVersionId)).plan };
}

/** The outcome segments of a chunk, one behind the other in its part. */
function* openOutcomes(store: SealedStore, tenantId: string, chunk: ChunkRow): Generator<{ source: SealedReader; at: OutcomeSegment }> {
  if (!chunk.segments || !chunk.object) return;
  const source = store.open(tenantId, chunk.object);
  try {
    for (let start = chunk.segments.outcomes.start; start < chunk.segments.outcomes.end; ) {
      const segment = new OutcomeSegment(source, start);
      yield { source, at: segment };
      start += segment.bytes;
    }
  } finally {
    source.close();
  }
}

function summaryOf(jobId: string, plan: Plan, outcome: RecordOutcome): RecordSummary {
  const { record, status, warned, offset } = outcome;
  return {
    recordId: `${jobId}/${record}`,
    record,
    status,
    warned,
    offset,
    targets: outcome.targets.map((target) => plan.targets[target]!.id),
  };
}

/** Records that the file's check excluded after the engine had found them valid are rejected, and go nowhere. */
async function withExclusions(
  tx: TenantTx,
  jobId: string,
  items: RecordSummary[],
  status: RecordOutcome['status'] | undefined,
): Promise<RecordSummary[]> {
  const valid = items.filter((item) => item.status === 'valid');
  if (valid.length === 0) return items;
  const { rows } = await tx.query<{ record: number }>(selectExcluded, [
    tx.tenantId,
    jobId,
    valid[0].record,
    valid[valid.length - 1].record,
  ]);
  const excluded = new Set(rows.map((row) => row.record));
  const corrected = items.map((item) =>
    item.status === 'valid' && excluded.has(item.record) ? { ...item, status: 'rejected' as const, targets: [] } : item,
  );
  return status === undefined ? corrected : corrected.filter((item) => item.status === status);
}

type Mask = FieldPlan['mask'];
const strength: Readonly<Record<Mask, number>> = { none: 0, last4: 1, all: 2 };

async function maskingFloors(tx: TenantTx): Promise<Readonly<Record<string, Mask>>> {
  const policy = await findTenantPolicy(tx);
  return (policy?.document as { spec?: { masking?: Record<string, Mask> } } | undefined)?.spec?.masking ?? {};
}

function masked(field: FieldPlan, text: string | null, floors: Readonly<Record<string, Mask>>): string | null {
  const floor = (field.class !== null && floors[field.class]) || 'none';
  const mask = strength[floor] > strength[field.mask] ? floor : field.mask;
  if (text === null || mask === 'none') return text;
  const characters = [...text];
  if (mask === 'all' || characters.length <= 4) return '*'.repeat(Math.min(8, characters.length));
  return `${'*'.repeat(characters.length - 4)}${characters.slice(-4).join('')}`;
}
