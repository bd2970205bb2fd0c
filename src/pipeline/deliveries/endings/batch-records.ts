/**
 * The single records of a batch: their numbers, delivery keys and amounts. Found on demand from the chunks' outcomes and,
 * where the flow has a unique business key or amounts are asked for, from the raw files.
 */
import { nextTurn } from '../../../platform/base/system-ports.ts';
import type { Db } from '../../../platform/postgres/database.ts';
import type { SealedObject, SealedStore } from '../../../platform/storage/object-store.ts';
import { type TenantTx, withTenant } from '../../../platform/tenancy/tenant-scope.ts';
import type { FieldAmounts } from '../../engine/chunk.ts';
import type { Plan } from '../../engine/plan.ts';
import type { BatchMember } from '../batch.ts';
import { type LoadedBatch, loadSegments } from '../batch-load.ts';
import { deliveryKey, orderKeyHash } from '../cutting/delivery-key.ts';
import { hasSums, hasUniqueKey, RecordFacts } from '../cutting/record-facts.ts';
import { memberRecords, type RoutedRecord, readOutcomes } from '../cutting/routed-records.ts';
import { SegmentReaders } from '../cutting/segment-readers.ts';

export interface BatchRecord {
  readonly member: BatchMember;
  readonly record: number;
  readonly deliveryKey: string;
  /** Hash of the business key where the target keeps the order of keys; null elsewhere, and for a record without one. */
  readonly orderKey: string | null;
  /** Of a record that was given up; nothing where they were not asked for. */
  readonly amounts: FieldAmounts;
}

export interface RecordSource {
  readonly db: Db;
  readonly store: SealedStore;
}

interface ChunkSource {
  readonly columns: readonly string[] | null;
  readonly file: SealedObject;
}

interface Sources {
  readonly outcomes: ReadonlyMap<string, SealedObject>;
  /** By `<jobId> <chunk number>`. */
  readonly chunks: ReadonlyMap<string, ChunkSource>;
}

/** Every record of the batch, in the order of its lines, as a dead letter is to tell of it. */
export async function readGivenUpRecords(source: RecordSource, batch: LoadedBatch, plan: Plan): Promise<readonly BatchRecord[]> {
  return await allOf(await openGivenUpRecords(source, batch, plan));
}

/** Every record of the batch, in the order of its lines. */
export async function readBatchRecords(source: RecordSource, batch: LoadedBatch, plan: Plan): Promise<readonly BatchRecord[]> {
  return await allOf(await openRecords(source, batch, plan, { withAmounts: false }));
}

/** Goes through all of them from the first on, each time it is called. Nothing is asked of the database meanwhile. */
export type RecordPages = () => AsyncIterable<readonly BatchRecord[]>;

/** The same as `readGivenUpRecords`, some at a time: a file may hold a million. */
export async function openGivenUpRecords(source: RecordSource, batch: LoadedBatch, plan: Plan): Promise<RecordPages> {
  return await openRecords(source, batch, plan, { withAmounts: hasSums(plan) });
}

/** Records of a page. */
export const recordsOfPageMax = 5_000;
/** Records between two turns of others: leases are renewed meanwhile. A few milliseconds. */
const recordsPerTurn = 500;

async function allOf(pages: RecordPages): Promise<BatchRecord[]> {
  const records: BatchRecord[] = [];
  for await (const page of pages()) for (const record of page) records.push(record);
  return records;
}

async function openRecords(
  source: RecordSource,
  batch: LoadedBatch,
  plan: Plan,
  { withAmounts }: { readonly withAmounts: boolean },
): Promise<RecordPages> {
  const hasKey = hasUniqueKey(plan);
  const isOrdered = plan.targets.find(({ id }) => id === batch.targetId)!.order === 'by-key';
  const opened = await openMembers(source, batch, plan, hasKey || isOrdered || withAmounts);
  return async function* pages() {
    let page: BatchRecord[] = [];
    let count = 0;
    for (const { member, routed, facts } of opened()) {
      const identity = {
        tenantId: batch.tenantId,
        flowId: batch.flowId,
        lineageId: member.lineageId,
        targetId: batch.targetId,
        intent: '',
      };
      for (const one of routed) {
        const key = deliveryKey(identity, facts === null || !hasKey ? { record: one.record } : facts.identity(one));
        const order = isOrdered ? (facts?.orderKey(one) ?? null) : null;
        page.push({
          member,
          record: one.record,
          deliveryKey: key,
          orderKey: order === null ? null : orderKeyHash(identity, order),
          amounts: withAmounts ? (facts?.amounts(one) ?? {}) : {},
        });
        if (++count % recordsPerTurn === 0) await nextTurn();
        if (page.length < recordsOfPageMax) continue;
        yield page;
        page = [];
      }
    }
    if (page.length > 0) yield page;
  };
}

/** A member whose bytes only its lines can tell. */
export type ChosenMember = Omit<BatchMember, 'bytes'>;

/** The batch's members cut down to the chosen positions: counts, amounts and records of what is left of each. */
export async function chooseMembers(
  source: RecordSource,
  batch: LoadedBatch,
  plan: Plan,
  choices: readonly (readonly number[])[],
): Promise<ChosenMember[][]> {
  const wanted = choices.map((indexes) => new Set(indexes));
  const chosen = choices.map((): ChosenMember[] => []);
  let position = 0;
  await visitMembers(source, batch, plan, true, (member, routed, facts) => {
    const records = [...routed];
    for (const [at, indexes] of wanted.entries()) {
      const own = records.filter((_, index) => indexes.has(position + index));
      if (own.length > 0) chosen[at]!.push(memberOf(member, own, facts!.totalAmounts(own)));
    }
    position += records.length;
  });
  return chosen;
}

/** Job and record number of those at the given positions, which ascend. */
export async function recordsAt(
  source: RecordSource,
  batch: LoadedBatch,
  plan: Plan,
  positions: readonly number[],
): Promise<{ readonly jobId: string; readonly record: number }[]> {
  const found: { readonly jobId: string; readonly record: number }[] = [];
  let position = 0;
  await visitMembers(source, batch, plan, false, ({ jobId }, routed) => {
    for (const { record } of routed) if (positions[found.length] === position++) found.push({ jobId, record });
  });
  if (found.length !== positions.length) throw new Error('a batch has fewer records than were answered');
  return found;
}

function memberOf(member: BatchMember, records: readonly RoutedRecord[], amounts: FieldAmounts): ChosenMember {
  const { jobId, lineageId, chunkNumber, outcomes } = member;
  const only = records.map(({ record }) => record);
  return { jobId, lineageId, chunkNumber, outcomes, firstRecord: only[0]!, records: only.length, amounts, only };
}

interface OpenedMember {
  readonly member: BatchMember;
  readonly routed: Iterable<RoutedRecord>;
  readonly facts: RecordFacts | null;
}

async function visitMembers(
  source: RecordSource,
  batch: LoadedBatch,
  plan: Plan,
  withFacts: boolean,
  visit: (member: BatchMember, routed: Iterable<RoutedRecord>, facts: RecordFacts | null) => void | Promise<void>,
): Promise<void> {
  const opened = await openMembers(source, batch, plan, withFacts);
  for (const { member, routed, facts } of opened()) await visit(member, routed, facts);
}

/** The members one after the other, each time it is called. */
async function openMembers(
  source: RecordSource,
  batch: LoadedBatch,
  plan: Plan,
  withFacts: boolean,
): Promise<() => Generator<OpenedMember>> {
  const target = plan.targets.findIndex(({ id }) => id === batch.targetId);
  const sources = await withTenant(source.db, batch.tenantId, (tx) => loadSources(tx, batch, withFacts), { readOnly: true });
  return function* members() {
    const readers = new SegmentReaders(source.store, batch.tenantId);
    try {
      for (const member of batch.members) {
        const { segmentId, start, end } = member.outcomes;
        const outcomes = readOutcomes(readers.open(sources.outcomes.get(segmentId)!), start, end);
        const chunk = sources.chunks.get(chunkName(member));
        const facts = withFacts && chunk !== undefined ? new RecordFacts(plan, chunk.columns, readers.open(chunk.file)) : null;
        yield { member, routed: memberRecords(outcomes, target, member), facts };
      }
    } finally {
      readers.close();
    }
  };
}

const selectChunks = `/* load chunks of batch */
  select c.job_id as "jobId", c.chunk_number as "chunkNumber", c.context -> 'columns' as columns, f.object as file
  from headgate.chunks c
  join headgate.jobs j on j.tenant_id = $1 and j.job_id = c.job_id
  join headgate.files f on f.tenant_id = $1 and f.file_id = j.file_id
  where c.tenant_id = $1 and (c.job_id, c.chunk_number) in (select * from unnest($2::uuid[], $3::int[]))`;

async function loadSources(tx: TenantTx, { members }: LoadedBatch, withFacts: boolean): Promise<Sources> {
  const outcomes = await loadSegments(
    tx,
    members.map((member) => member.outcomes.segmentId),
  );
  if (!withFacts) return { outcomes, chunks: new Map() };
  const { rows } = await tx.query<ChunkSource & { jobId: string; chunkNumber: number }>(selectChunks, [
    tx.tenantId,
    members.map((member) => member.jobId),
    members.map((member) => member.chunkNumber),
  ]);
  return { outcomes, chunks: new Map(rows.map((row) => [chunkName(row), row])) };
}

function chunkName({ jobId, chunkNumber }: Pick<BatchMember, 'jobId' | 'chunkNumber'>): string {
  return `${jobId} ${chunkNumber}`;
}
