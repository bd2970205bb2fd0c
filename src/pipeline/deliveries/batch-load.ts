/** Reads batches with what sending them needs: rows of batches, the objects of their segments, names of files, decisions. */
import type { SealedObject } from '../../platform/storage/object-store.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import { countLostAttempts, mayHaveIt } from './attempts/lost-attempts.ts';
import { type BatchMember, type BatchSpan, batchesPerFileMax } from './batch.ts';
import type { BatchState } from './batch-state.ts';
import { hasBlockedKeys } from './held/blocked-key-store.ts';
import { configurationList } from './held/configuration-codes.ts';

export interface LoadedBatch {
  readonly tenantId: string;
  readonly batchId: string;
  readonly flowId: string;
  readonly flowVersionId: string;
  readonly targetId: string;
  readonly parentBatchId: string | null;
  readonly lane: number;
  readonly laneScheme: number;
  readonly orderNumber: number;
  readonly orderOffset: number;
  /** Where the target numbers its files. */
  readonly fileSequence: number | null;
  readonly state: BatchState;
  readonly spans: readonly BatchSpan[];
  readonly members: readonly BatchMember[];
  readonly records: number;
  readonly bytes: number;
  readonly bodySha256: string;
  readonly attempts: number;
  readonly unknownAttempts: number;
  /** Of these, those that were made under its own id. */
  readonly lostAttempts: number;
  /** One of them may be at its target: what the batch is cut into would go there under other ids. */
  readonly isInDoubt: boolean;
  /** Attempts before it was held last; 0 when it never was. */
  readonly heldAttempts: number;
  /** Attempts up to the last one in which the target took or refused for good a part of the records that it is the rest of. */
  readonly decidedAttempts: number;
  /** The backup that its last attempt went to; null: its own target. */
  readonly via: string | null;
  readonly reasonCode: string | null;
  readonly traceParent: string | null;
  readonly cutAt: Date;
  /** How long it has been in its state. */
  readonly unchangedMs: number;
  /** Of the first job; empty when the file's row is gone. */
  readonly fileName: string;
  /** Every job of it is to be cancelled. */
  readonly isCancelled: boolean;
  /** Of its jobs, those that are to be cancelled while others go on. */
  readonly cancelledJobs: readonly string[];
  /** A batch before it in its lane is open, or a file accepted earlier may still add one. */
  readonly mustWait: boolean;
  /**
   * Held because settings are at fault, and of those that its version of the flow has at its target for the same cause the first that waits
   * for no other: it finds out whether they were mended. What another version or another fault holds says nothing about its own. One that was
   * lost behind them finds out nothing more: it may wait for its answer for hours.
   */
  readonly isToBeRechecked: boolean;
  /** It was never parked, and batches of its target that were cut before it are. */
  readonly isBehindParked: boolean;
  /** Keys of its lane are blocked at the target. */
  readonly hasBlockedKeys: boolean;
  /** By segment id. */
  readonly segments: ReadonlyMap<string, SealedObject>;
}

/** Of batch `b`: one with other lanes comes before it. In two parts, each of which finds nothing at once where all lanes are alike. */
const isBehindScheme = (compared: '<' | '>') => `exists (select from headgate.batches e where e.tenant_id = $1 and e.flow_id = b.flow_id
        and e.target_id = b.target_id and e.lane_scheme > 0 and e.lane_scheme ${compared} b.lane_scheme and e.state in ('ready', 'sending', 'unknown', 'held', 'parked')
        and (e.order_number, e.order_offset, e.batch_id) < (b.order_number, b.order_offset, b.batch_id))`;

const selectBatches = `/* load batches */
  select b.batch_id as "batchId", b.flow_id as "flowId", b.flow_version_id as "flowVersionId", b.target_id as "targetId",
    b.parent_batch_id as "parentBatchId", b.lane, b.lane_scheme as "laneScheme", b.order_number as "orderNumber", b.order_offset as "orderOffset", b.file_sequence as "fileSequence", b.state, b.spans, b.members, b.records, b.bytes,
    b.body_sha256 as "bodySha256", b.attempts, b.unknown_attempts as "unknownAttempts", ${countLostAttempts} as "lostAttempts", ${mayHaveIt} as "isInDoubt",
    b.held_attempts as "heldAttempts", b.decided_attempts as "decidedAttempts", b.via, b.reason_code as "reasonCode", b.trace_parent as "traceParent",
    b.created_at as "cutAt", extract(epoch from (select headgate.clock()) - b.changed_at)::float8 * 1000 as "unchangedMs", coalesce(f.name, '') as "fileName",
    not exists (select from headgate.jobs j where j.tenant_id = $1 and j.job_id = any (b.job_ids)
      and j.decision is distinct from 'cancel' and j.state <> 'cancelled') as "isCancelled",
    case when cardinality(b.job_ids) > 1 then array(select j.job_id::text from headgate.jobs j where j.tenant_id = $1 and j.job_id = any (b.job_ids)
      and (j.decision = 'cancel' or j.state = 'cancelled')) else '{}' end as "cancelledJobs",
    b.lane >= 0 and (exists (select from headgate.jobs j where j.tenant_id = $1 and j.flow_id = b.flow_id
        and j.state in ('queued', 'running', 'checking', 'held') and j.accepted_number < b.order_number / ${batchesPerFileMax})
      or exists (select from headgate.batches e where e.tenant_id = $1 and e.flow_id = b.flow_id and e.target_id = b.target_id and e.lane = b.lane
        and e.state in ('ready', 'sending', 'unknown', 'held', 'parked') and (e.order_number, e.order_offset, e.batch_id) < (b.order_number, b.order_offset, b.batch_id))
      or ${isBehindScheme('<')} or ${isBehindScheme('>')}) as "mustWait",
    b.state = 'held' and b.reason_code in (${configurationList}) and not exists (select from headgate.batches e where e.tenant_id = $1
      and e.flow_id = b.flow_id and e.target_id = b.target_id and e.flow_version_id = b.flow_version_id
      and e.state in ('ready', 'sending', 'held') and (e.state = 'held' or e.held_attempts > 0) and (e.state <> 'held' or e.reason_code = b.reason_code)
      and (e.order_number, e.order_offset, e.batch_id) < (b.order_number, b.order_offset, b.batch_id)
      and (e.lane < 0 or not exists (select from headgate.batches h where h.tenant_id = $1 and h.flow_id = e.flow_id and h.target_id = e.target_id and h.lane = e.lane
        and h.state in ('ready', 'sending', 'unknown', 'held', 'parked') and (h.order_number, h.order_offset, h.batch_id) < (e.order_number, e.order_offset, e.batch_id)))) as "isToBeRechecked",
    b.state = 'ready' and b.lane < 0 and b.parked_at is null and exists (select from headgate.batches e where e.tenant_id = $1 and e.flow_id = b.flow_id
      and e.target_id = b.target_id and e.state = 'parked' and e.batch_id < b.batch_id) as "isBehindParked",
    ${hasBlockedKeys} as "hasBlockedKeys"
  from headgate.batches b
  left join lateral (select o.file_id from headgate.jobs o where o.tenant_id = $1 and o.job_id = b.job_ids[1] limit 1) j on true
  left join lateral (select o.name from headgate.files o where o.tenant_id = $1 and o.file_id = j.file_id limit 1) f on true
  where b.tenant_id = $1 and b.batch_id = any ($2::uuid[])`;

const selectSegments = `/* load segments */
  select s.segment_id as "segmentId", s.object from headgate.segments s where s.tenant_id = $1 and s.segment_id = any ($2::uuid[])`;

/** In no order; an id without a row is left out. */
export async function loadBatches(tx: TenantTx, batchIds: readonly string[]): Promise<LoadedBatch[]> {
  const { rows } = await tx.query<Omit<LoadedBatch, 'tenantId' | 'segments'>>(selectBatches, [tx.tenantId, batchIds]);
  const segments = await loadSegments(tx, rows.flatMap(segmentIdsOf));
  return rows.map((row) => {
    const own = segmentIdsOf(row).map((id) => [id, segments.get(id)!] as const);
    return { ...row, tenantId: tx.tenantId, segments: new Map(own) };
  });
}

/** A segment without a row is a programmer's error: rows of batches name only segments that their job's commit wrote. */
export async function loadSegments(tx: TenantTx, segmentIds: readonly string[]): Promise<ReadonlyMap<string, SealedObject>> {
  const wanted = [...new Set(segmentIds)];
  const { rows } = await tx.query<{ segmentId: string; object: SealedObject }>(selectSegments, [tx.tenantId, wanted]);
  if (rows.length !== wanted.length) throw new Error('a delivery batch names a segment that has no row');
  return new Map(rows.map((row) => [row.segmentId, row.object]));
}

function segmentIdsOf(batch: Pick<LoadedBatch, 'spans'>): string[] {
  return batch.spans.map(({ segmentId }) => segmentId);
}
