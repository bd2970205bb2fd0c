/**
 * What targets collect whose files end by time, or whose batches linger. A part is cut when its file is accepted, as a batch would be, and counts as
 * routed from then on; it becomes part of a batch when the window of its collection ends, and is gone when its job is
 * cancelled before. Batches never change, which is why the file is cut only then.
 */
import type { Ids } from '../../../platform/base/ports.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import type { TargetPlan } from '../../engine/plan.ts';
import { appendRange, type BatchMember, type BatchSpan, type NewBatch, noLane } from '../batch.ts';
import type { WorkQueue } from '../work-queue-port.ts';
import type { CutInput } from './cut-input.ts';

/** Records that were given up once are not made to wait again. What is at least half full gains little by a wait. */
export function collects({ plan }: Pick<CutInput, 'plan'>, { targetId, records, bytes }: NewBatch): boolean {
  const { windowMs, lingerMs, batchRecords, batchBytes } = planOfTarget(plan, targetId);
  if (plan.redriveTo !== undefined) return false;
  return windowMs !== undefined || (lingerMs !== undefined && 2 * records < batchRecords && 2 * bytes < batchBytes);
}

function planOfTarget(plan: CutInput['plan'], targetId: string): TargetPlan {
  return plan.targets.find(({ id }) => id === targetId)!;
}

/** Locks the one that is open until the transaction ends: its window does not end before its parts are there. */
const openCollection = `/* open collection */
  insert into headgate.collections as c (tenant_id, collection_id, flow_id, flow_version_id, target_id, created_at)
  values ($1, $2, $3, $4, $5, headgate.clock())
  on conflict (tenant_id, flow_version_id, target_id) where is_open do update set is_open = true returning collection_id as "collectionId"`;
const insertParts = `/* collect parts */
  insert into headgate.collected_parts (tenant_id, part_id, collection_id, job_id, order_number, spans, members, records, bytes, body_sha256)
  select $1, p.part_id, $2, p.job_id, p.order_number, p.spans::jsonb, p.members::jsonb, p.records, p.bytes, p.body_sha256
  from unnest($3::uuid[], $4::uuid[], $5::bigint[], $6::text[], $7::text[], $8::int[], $9::bigint[], $10::text[])
    as p (part_id, job_id, order_number, spans, members, records, bytes, body_sha256)`;

/** `parts` are of targets that collect, each of one job. */
export async function collectParts(
  tx: TenantTx,
  input: CutInput,
  parts: readonly NewBatch[],
  { queue, ids }: { readonly queue: WorkQueue; readonly ids: Ids },
): Promise<void> {
  if (parts.length === 0) return;
  const byTarget = Map.groupBy(parts, ({ targetId }) => targetId);
  // Always in the same order, so that two transactions never wait for each other.
  for (const [targetId, own] of [...byTarget].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const wanted = ids.next();
    const { rows } = await tx.query<{ collectionId: string }>(openCollection, [
      tx.tenantId,
      wanted,
      input.flowId,
      input.flowVersionId,
      targetId,
    ]);
    const { collectionId } = rows[0]!;
    const { windowMs, lingerMs } = planOfTarget(input.plan, targetId);
    if (collectionId === wanted)
      await queue.addWork(tx, [{ kind: 'collect', referenceId: collectionId, delayMs: (windowMs ?? lingerMs)! }]);
    await tx.query(insertParts, [
      tx.tenantId,
      collectionId,
      own.map((part) => part.batchId),
      own.map((part) => part.members[0]!.jobId),
      own.map((part) => part.orderNumber),
      own.map((part) => JSON.stringify(part.spans)),
      own.map((part) => JSON.stringify(part.members)),
      own.map((part) => part.records),
      own.map((part) => part.bytes),
      own.map((part) => part.bodySha256),
    ]);
  }
}

const partColumns = `p.part_id as "partId", p.order_number as "orderNumber", p.spans, p.members, p.records, p.bytes, p.body_sha256 as "bodySha256"`;
const selectPartsOfJob = `/* list collected parts of job */
  select p.part_id as "partId" from headgate.collected_parts p where p.tenant_id = $1 and p.job_id = $2 order by p.part_id limit $3`;
const deleteParts = `/* take collected parts of job */
  delete from headgate.collected_parts p using headgate.collections c
  where p.tenant_id = $1 and p.part_id = any ($2::uuid[]) and c.tenant_id = p.tenant_id and c.collection_id = p.collection_id
  returning ${partColumns}, c.collection_id as "collectionId", c.flow_id as "flowId", c.flow_version_id as "flowVersionId", c.target_id as "targetId"`;

export interface TakenPart {
  readonly origin: Collection;
  readonly batch: NewBatch;
}

/** Of a page. */
const takenPartsMax = 1_000;

/** Of a job that is cancelled, a page at a time: each is a batch of its own now, to be written and cancelled by the caller. */
export async function* partsOfJob(tx: TenantTx, jobId: string): AsyncGenerator<readonly TakenPart[]> {
  for (;;) {
    const listed = (await tx.query<{ partId: string }>(selectPartsOfJob, [tx.tenantId, jobId, takenPartsMax])).rows;
    if (listed.length === 0) return;
    // Fewer, where a window ended meanwhile.
    const { rows } = await tx.query<CollectedPart & Collection>(deleteParts, [tx.tenantId, listed.map(({ partId }) => partId)]);
    const inOrder = rows.toSorted((a, b) => (a.partId < b.partId ? -1 : 1));
    yield inOrder.map((part) => ({
      origin: part,
      batch: batchOfParts([part], { batchId: part.partId, targetId: part.targetId, bodySha256: part.bodySha256 }),
    }));
  }
}

/** In the order given. */
export function batchOfParts(parts: readonly CollectedPart[], named: Pick<NewBatch, 'batchId' | 'targetId' | 'bodySha256'>): NewBatch {
  return {
    ...named,
    parentBatchId: null,
    lane: noLane,
    laneScheme: 0,
    orderNumber: parts[0]!.orderNumber,
    orderOffset: 0,
    fileSequence: null,
    spans: spansOf(parts),
    members: parts.flatMap(({ members }) => members),
    records: parts.reduce((sum, part) => sum + part.records, 0),
    bytes: parts.reduce((sum, part) => sum + part.bytes, 0),
    attempts: 0,
    unknownAttempts: 0,
    heldAttempts: 0,
    decidedAttempts: 0,
    via: null,
  };
}

/** Joined where they touch. */
export function spansOf(parts: readonly CollectedPart[]): readonly BatchSpan[] {
  const spans: { segmentId: string; ranges: number[] }[] = [];
  for (const part of parts)
    for (const { segmentId, ranges } of part.spans)
      for (let index = 0; index < ranges.length; index += 2) appendRange(spans, segmentId, ranges[index]!, ranges[index + 1]!);
  return spans;
}

export interface Collection {
  readonly collectionId: string;
  readonly flowId: string;
  readonly flowVersionId: string;
  readonly targetId: string;
}

export interface CollectedPart {
  readonly partId: string;
  readonly orderNumber: number;
  readonly spans: readonly BatchSpan[];
  readonly members: readonly BatchMember[];
  readonly records: number;
  readonly bytes: number;
  readonly bodySha256: string;
}

const closeCollection = `/* close collection */
  update headgate.collections set is_open = false where tenant_id = $1 and collection_id = $2
  returning collection_id as "collectionId", flow_id as "flowId", flow_version_id as "flowVersionId", target_id as "targetId"`;
const selectParts = `/* read collected parts */
  select ${partColumns} from headgate.collected_parts p where p.tenant_id = $1 and p.collection_id = $2 order by p.order_number, p.part_id limit $3`;

/** From now on nothing is added to it. Undefined: it is gone. */
export async function endCollection(tx: TenantTx, collectionId: string): Promise<Collection | undefined> {
  return (await tx.query<Collection>(closeCollection, [tx.tenantId, collectionId])).rows[0];
}

/** In the order of acceptance. */
export async function readCollectedParts(tx: TenantTx, collectionId: string, limit: number): Promise<CollectedPart[]> {
  return (await tx.query<CollectedPart>(selectParts, [tx.tenantId, collectionId, limit])).rows;
}

const takeRows = '/* take collected parts */ delete from headgate.collected_parts where tenant_id = $1 and part_id = any ($2::uuid[])';
const deleteCollection = '/* remove collection */ delete from headgate.collections where tenant_id = $1 and collection_id = $2';

/** False: a job of them was cancelled meanwhile. The transaction must then roll back. */
export async function takeCollectedParts(tx: TenantTx, parts: readonly CollectedPart[]): Promise<boolean> {
  const { rowCount } = await tx.query(takeRows, [tx.tenantId, parts.map(({ partId }) => partId)]);
  return rowCount === parts.length;
}

export async function removeCollection(tx: TenantTx, collectionId: string): Promise<void> {
  await tx.query(deleteCollection, [tx.tenantId, collectionId]);
}
