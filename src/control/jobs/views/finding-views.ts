/**
 * The findings about single records of a job, in record order: the samples that the database keeps of what the engine found,
 * and every record that the check of the whole file excluded. The complete list of the engine's findings is in the export.
 */
import type { SealedObject, SealedStore } from '../../../platform/storage/object-store.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import type { ChunkParts } from '../groups/chunk-parts.ts';
import { outcomesOfChunk } from '../groups/segment-rows.ts';
import { firstRecordToCome } from './chunks-to-come.ts';
import {
  askedInOrder,
  type ExcludedRecords,
  type ExclusionsRow,
  exclusionsColumns,
  exclusionsJoin,
  openExcluded,
} from './excluded-records.ts';
import { openOutcomes } from './job-outcomes.ts';

export interface FindingView {
  readonly record: number;
  readonly finding: number;
  readonly offset: number;
  readonly severity: 'error' | 'warn';
  readonly code: string;
  readonly field: string | null;
  readonly rule: string | null;
  readonly message: string;
}

interface FindingsPage {
  readonly after?: { readonly record: number; readonly finding: number };
  readonly code?: string;
  readonly limit: number;
}

const selectSamples = `/* list samples of findings */ select record_number as record, finding, byte_offset as "offset", severity, code, field, rule, message
  from headgate.rejections where tenant_id = $1 and job_id = $2 and (record_number, finding) > ($3, $4) and record_number < $7 and ($5::text is null or code = $5)
  order by record_number, finding limit $6`;
const selectExclusions = `/* find exclusions of job */ select ${exclusionsColumns} from headgate.jobs j ${exclusionsJoin} where j.tenant_id = $1 and j.job_id = $2`;

export interface FoundSoFar {
  readonly items: FindingView[];
  /** False: they end where reading of the file has come to. */
  readonly isComplete: boolean;
}

/** In record order, those after `after`. */
export async function listFindings(tx: TenantTx, store: SealedStore, jobId: string, page: FindingsPage): Promise<FoundSoFar> {
  const toCome = await firstRecordToCome(tx, jobId);
  const items = await findingsBefore(tx, store, jobId, { ...page, before: toCome ?? Number.MAX_SAFE_INTEGER });
  return { items, isComplete: toCome === null };
}

type BoundPage = FindingsPage & { readonly before: number };

/** A file whose check excluded records has been read as a whole. */
async function findingsBefore(tx: TenantTx, store: SealedStore, jobId: string, page: BoundPage): Promise<FindingView[]> {
  const { record = 0, finding = -1 } = page.after ?? {};
  const found = (await tx.query<ExclusionsRow>(selectExclusions, [tx.tenantId, jobId])).rows[0];
  const excluded = found === undefined ? null : openExcluded(store, tx.tenantId, found);
  try {
    const samples = await samplesOf(tx, jobId, page, askedInOrder(excluded, record));
    if (excluded === null) return samples;
    if (page.code !== undefined && !excluded.hasCode(page.code)) return samples;
    const last = samples.length < page.limit ? Number.MAX_SAFE_INTEGER : samples.at(-1)!.record;
    const exclusions = await findingsOfExcluded(tx, store, jobId, excluded, { ...page, from: record, to: last });
    return [...samples, ...exclusions.filter((each) => each.record > record || each.finding > finding)]
      .sort((a, b) => a.record - b.record || a.finding - b.finding)
      .slice(0, page.limit);
  } finally {
    excluded?.close();
  }
}

/** Warnings belong to valid records: those of an excluded one, of which samples were kept before it was, are left out. */
async function samplesOf(tx: TenantTx, jobId: string, page: BoundPage, isExcluded: (record: number) => boolean): Promise<FindingView[]> {
  const samples: FindingView[] = [];
  let { record = 0, finding = -1 } = page.after ?? {};
  for (;;) {
    const bounds = [record, finding, page.code ?? null, page.limit, page.before];
    const { rows } = await tx.query<FindingView>(selectSamples, [tx.tenantId, jobId, ...bounds]);
    samples.push(...rows.filter((row) => !(row.severity === 'warn' && isExcluded(row.record))));
    const last = rows.at(-1);
    if (last === undefined || rows.length < page.limit || samples.length >= page.limit) return samples.slice(0, page.limit);
    ({ record, finding } = last);
  }
}

interface ChunkRow {
  readonly firstRecord: number;
  readonly next: number | null;
  readonly segments: Pick<ChunkParts, 'outcomes'>;
  readonly object: SealedObject | null;
}

const selectChunks = `/* find chunks of excluded records */ with c as (
    select c.chunk_number, c.first_record, lead(c.first_record) over (order by c.chunk_number) as next, ${outcomesOfChunk} as segments
    from headgate.chunks c where c.tenant_id = $1 and c.job_id = $2 and c.done_at is not null and c.first_record <= $5 and c.chunk_number >= coalesce(
      (select max(b.chunk_number) from headgate.chunks b where b.tenant_id = $1 and b.job_id = $2 and b.first_record <= $4), 0))
  select c.first_record as "firstRecord", c.next, c.segments, s.object from c
  left join headgate.segments s on s.tenant_id = $1 and s.segment_id = (c.segments -> 'outcomes' ->> 'segmentId')::uuid
  where exists (select from unnest($3::bigint[]) as r (record) where r.record >= c.first_record and (c.next is null or r.record < c.next))
  order by c.chunk_number`;
const selectNumbers = `/* number findings of excluded records */ select record_number as record, max(finding) + 1 as finding from headgate.rejections
  where tenant_id = $1 and job_id = $2 and record_number = any ($3::bigint[]) group by record_number`;

/** An excluded record was valid on its own: its finding has the number behind those of warnings that it had. */
async function findingsOfExcluded(
  tx: TenantTx,
  store: SealedStore,
  jobId: string,
  excluded: ExcludedRecords,
  page: FindingsPage & { readonly from: number; readonly to: number },
): Promise<FindingView[]> {
  const wanted = [];
  for (const exclusion of excluded.from(page.from)) {
    // One more than the page, because the first may have been on the page before.
    if (exclusion.record > page.to || wanted.length > page.limit) break;
    if (page.code === undefined || exclusion.code === page.code) wanted.push(exclusion);
  }
  if (wanted.length === 0) return [];
  const records = wanted.map(({ record }) => record);
  const { rows } = await tx.query<{ record: number; finding: number }>(selectNumbers, [tx.tenantId, jobId, records]);
  const numbers = new Map(rows.map((row) => [row.record, row.finding]));
  const offsets = await offsetsOf(tx, store, jobId, records);
  return wanted.map((exclusion) => ({
    record: exclusion.record,
    finding: numbers.get(exclusion.record) ?? 0,
    offset: offsets.get(exclusion.record) ?? 0,
    severity: 'error' as const,
    ...excluded.findingOf(exclusion),
  }));
}

/** `records` ascend, and are at least one. Opens the chunks that hold them and no others. */
async function offsetsOf(tx: TenantTx, store: SealedStore, jobId: string, records: readonly number[]): Promise<Map<number, number>> {
  const offsets = new Map<number, number>();
  let at = 0;
  const range = [records[0], records.at(-1)];
  for (const chunk of (await tx.query<ChunkRow>(selectChunks, [tx.tenantId, jobId, records, ...range])).rows)
    for (const { at: segment } of openOutcomes(store, tx.tenantId, chunk)) {
      const { firstRecord, records: count } = segment.header;
      for (; at < records.length && records[at]! < firstRecord + count; at++) {
        const position = records[at]! - firstRecord;
        if (position >= 0) offsets.set(records[at]!, segment.outcome(position).offset);
      }
    }
  return offsets;
}
