/**
 * Reads and writes arrivals. Every move of a state is one statement for many arrivals, guarded by the state they are in,
 * with their events in the same transaction. Whoever finds fewer rows moved than asked for has lost a race and must give up.
 */
import { HeadgateError } from '../../platform/base/errors.ts';
import type { Ids } from '../../platform/base/ports.ts';
import { type NewEvent, recordEvents } from '../../platform/events/event-log.ts';
import type { Unpack } from '../../platform/packing/packings.ts';
import type { SealedObject } from '../../platform/storage/object-store.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import type { PackPlan } from '../engine/plan.ts';
import type { SplitResult } from '../formats/format.ts';
import { arrivalErrors } from './arrival-errors.ts';
import {
  type ArrivalEvent,
  type ArrivalState,
  decidedArrivalStates,
  nextArrivalState,
  openArrivalStates,
  statesThrough,
} from './arrival-state.ts';

const isOpen = `state in (${openArrivalStates.map((state) => `'${state}'`).join(', ')})`;
const isDecided = `state in (${decidedArrivalStates.map((state) => `'${state}'`).join(', ')})`;

export interface NewArrival {
  readonly arrivalId: string;
  readonly flowId: string;
  readonly sourceId: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly fingerprint: string;
  readonly actor: string;
  readonly traceId: string | null;
  readonly traceParent: string | null;
  /** Of the file that it was unpacked from; then nothing is to be done at a source. */
  readonly containerArrivalId?: string;
}

const insertSeen = `/* see arrivals */
  insert into headgate.arrivals (tenant_id, arrival_id, flow_id, source_id, name, state, size_bytes, fingerprint, stable_since, actor, trace_id, trace_parent, container_arrival_id, seen_at, changed_at, released_at)
  select $1, a.arrival_id, a.flow_id, a.source_id, a.name, 'seen', a.size_bytes, a.fingerprint, (select headgate.clock()), a.actor, a.trace_id, a.trace_parent, a.container_arrival_id, (select headgate.clock()), (select headgate.clock()),
    case when a.container_arrival_id is not null then (select headgate.clock()) end
  from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::text[], $10::text[], $11::uuid[])
    as a (arrival_id, flow_id, source_id, name, size_bytes, fingerprint, actor, trace_id, trace_parent, container_arrival_id)`;

/** First sight of files: they are `seen` from now on. */
export async function seeArrivals(tx: TenantTx, ids: Ids, arrivals: readonly NewArrival[]): Promise<void> {
  if (arrivals.length === 0) return;
  await tx.query(insertSeen, [
    tx.tenantId,
    arrivals.map((arrival) => arrival.arrivalId),
    arrivals.map((arrival) => arrival.flowId),
    arrivals.map((arrival) => arrival.sourceId),
    arrivals.map((arrival) => arrival.name),
    arrivals.map((arrival) => arrival.sizeBytes),
    arrivals.map((arrival) => arrival.fingerprint),
    arrivals.map((arrival) => arrival.actor),
    arrivals.map((arrival) => arrival.traceId),
    arrivals.map((arrival) => arrival.traceParent),
    arrivals.map((arrival) => arrival.containerArrivalId ?? null),
  ]);
  const state = nextArrivalState('', 'see');
  await recordEvents(
    tx,
    ids,
    arrivals.map(({ arrivalId, actor, traceId, containerArrivalId }) => ({
      type: 'arrival.seen',
      objectId: arrivalId,
      from: '',
      to: state,
      actor,
      traceId,
      detail: containerArrivalId === undefined ? undefined : { containerArrivalId },
    })),
  );
}

/** A sealed object that an arrival owns, and how the file in it is packed; `lines`: what is in it is what a pack made of a member of an archive. */
export type KeptObject = SealedObject & { readonly unpack: Unpack; readonly lines?: KeptLines };

/** What the lines do not hold: it is kept with them. */
export interface KeptLines {
  readonly pack: PackPlan;
  readonly givenSha256: string;
  readonly split: Pick<SplitResult, 'damage' | 'warnings' | 'recordsSha256'>;
}

export interface ArrivalMove {
  readonly arrivalId: string;
  /** The state that it is in as far as the caller knows. */
  readonly from: ArrivalState;
  readonly actor: string;
  /** What is left out stays as it was. */
  readonly sizeBytes?: number;
  readonly fingerprint?: string;
  readonly sha256?: string;
  readonly reasonCode?: string;
  readonly reason?: string;
  readonly fileId?: string;
  readonly duplicateOf?: string;
  readonly traceId?: string | null;
  readonly traceParent?: string | null;
  /** The file as received, kept with the arrival. */
  readonly object?: KeptObject;
  /** Nothing is left to do at the source: the arrival came by upload. */
  readonly isReleased?: boolean;
  /** For the event. */
  readonly sourceVersion?: string | null;
  readonly detail?: Readonly<Record<string, unknown>>;
}

const updateStates = `/* move arrivals */
  update headgate.arrivals a set
    state = m.to_state, changed_at = (select headgate.clock()),
    size_bytes = coalesce(m.size_bytes, a.size_bytes), fingerprint = coalesce(m.fingerprint, a.fingerprint),
    stable_since = case when m.fingerprint is null then a.stable_since else (select headgate.clock()) end,
    sha256 = coalesce(m.sha256, a.sha256), reason_code = coalesce(m.reason_code, a.reason_code), reason = coalesce(m.reason, case when a.${isDecided} then a.reason end),
    file_id = coalesce(m.file_id, a.file_id), duplicate_of = coalesce(m.duplicate_of, a.duplicate_of),
    trace_id = coalesce(m.trace_id, a.trace_id), trace_parent = coalesce(m.trace_parent, a.trace_parent),
    object_id = coalesce(m.object_id, a.object_id), object = coalesce(m.object::json, a.object),
    released_at = case when m.is_released then (select headgate.clock()) else a.released_at end
  from unnest($2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[], $10::uuid[], $11::uuid[], $12::text[],
              $13::text[], $14::uuid[], $15::text[], $16::boolean[])
    as m (arrival_id, from_state, to_state, size_bytes, fingerprint, sha256, reason_code, reason, file_id, duplicate_of, trace_id, trace_parent, object_id, object, is_released)
  where a.tenant_id = $1 and a.arrival_id = any ($2::uuid[]) and a.arrival_id = m.arrival_id and a.state = m.from_state`;

/** All or none, with an event for each step: fails with E_ARRIVAL_STATE when one of them is no longer in the state given. */
export async function moveArrivals(tx: TenantTx, ids: Ids, event: ArrivalEvent, moves: readonly ArrivalMove[]): Promise<void> {
  if (moves.length === 0) return;
  const states = moves.map((move) => nextArrivalState(move.from, event));
  const { rowCount } = await tx.query(updateStates, [
    tx.tenantId,
    moves.map((move) => move.arrivalId),
    moves.map((move) => move.from),
    states,
    moves.map((move) => move.sizeBytes ?? null),
    moves.map((move) => move.fingerprint ?? null),
    moves.map((move) => move.sha256 ?? null),
    moves.map((move) => move.reasonCode ?? null),
    moves.map((move) => move.reason ?? null),
    moves.map((move) => move.fileId ?? null),
    moves.map((move) => move.duplicateOf ?? null),
    moves.map((move) => move.traceId ?? null),
    moves.map((move) => move.traceParent ?? null),
    moves.map((move) => (move.object === undefined ? null : storedObjectId(move.object))),
    moves.map((move) => (move.object === undefined ? null : JSON.stringify(move.object))),
    moves.map((move) => move.isReleased ?? false),
  ]);
  if (rowCount !== moves.length)
    throw new HeadgateError(
      arrivalErrors.E_ARRIVAL_STATE,
      `${moves.length - rowCount} of ${moves.length} arrivals were moved by another process`,
    );
  await recordEvents(
    tx,
    ids,
    moves.flatMap((move) => eventsOf(move, statesThrough(move.from, event))),
  );
}

function eventsOf(move: ArrivalMove, through: readonly ArrivalState[]): NewEvent[] {
  const { arrivalId: objectId, actor, traceId } = move;
  const { reasonCode: code, fileId, sourceVersion } = move;
  const detail = { ...(code && { code }), ...(fileId && { fileId }), ...(sourceVersion && { sourceVersion }), ...move.detail };
  const hasDetail = Object.keys(detail).length > 0;
  return through.map((to, step) => ({
    type: `arrival.${to}`,
    objectId,
    from: step === 0 ? move.from : through[step - 1]!,
    to,
    actor,
    traceId,
    detail: hasDetail && step === through.length - 1 ? detail : undefined,
  }));
}

const updateSight = `/* look at arrivals again */
  update headgate.arrivals a set
    size_bytes = coalesce(s.size_bytes, a.size_bytes), fingerprint = coalesce(s.fingerprint, a.fingerprint),
    stable_since = case when s.fingerprint is null then a.stable_since else (select headgate.clock()) end,
    reason_code = coalesce(s.reason_code, a.reason_code)
  from unnest($2::uuid[], $3::bigint[], $4::text[], $5::text[]) as s (arrival_id, size_bytes, fingerprint, reason_code)
  where a.tenant_id = $1 and a.arrival_id = any ($2::uuid[]) and a.arrival_id = s.arrival_id and a.${isOpen}`;

export interface ArrivalSight {
  readonly arrivalId: string;
  readonly sizeBytes?: number;
  /** A new one begins the time of rest anew. */
  readonly fingerprint?: string;
  readonly reasonCode?: string;
}

/** Keeps what was seen of files that stay in their state. */
export async function updateArrivals(tx: TenantTx, sights: readonly ArrivalSight[]): Promise<void> {
  if (sights.length === 0) return;
  await tx.query(updateSight, [
    tx.tenantId,
    sights.map((sight) => sight.arrivalId),
    sights.map((sight) => sight.sizeBytes ?? null),
    sights.map((sight) => sight.fingerprint ?? null),
    sights.map((sight) => sight.reasonCode ?? null),
  ]);
}

const updateReasons = `/* say why arrivals are not read */
  update headgate.arrivals a set reason = r.reason
  from unnest($2::uuid[], $3::text[]) as r (arrival_id, reason)
  where a.tenant_id = $1 and a.arrival_id = any ($2::uuid[]) and a.arrival_id = r.arrival_id and a.state = 'complete'`;

/** Until their next move. */
export async function explainArrivals(
  tx: TenantTx,
  reasons: readonly { readonly arrivalId: string; readonly reason: string | null }[],
): Promise<void> {
  await tx.query(updateReasons, [tx.tenantId, reasons.map(({ arrivalId }) => arrivalId), reasons.map(({ reason }) => reason)]);
}

export interface ArrivalRow {
  readonly arrivalId: string;
  readonly name: string;
  readonly state: ArrivalState;
  readonly sizeBytes: number;
  readonly fingerprint: string;
  readonly reasonCode: string | null;
  /** Why it was not read yet, or how it was decided. */
  readonly reason: string | null;
  /** How long the file has rested, and how long it is known, by the database's clock. */
  readonly stableMs: number;
  readonly seenMs: number;
  readonly hasObject: boolean;
}

const columns = `arrival_id as "arrivalId", name, state, size_bytes as "sizeBytes", fingerprint, reason_code as "reasonCode", reason,
  (extract(epoch from headgate.clock() - coalesce(stable_since, seen_at)) * 1000)::float8 as "stableMs",
  (extract(epoch from headgate.clock() - seen_at) * 1000)::float8 as "seenMs", object is not null as "hasObject"`;

const selectUnreleased = `/* list unreleased arrivals */
  select ${columns} from headgate.arrivals
  where tenant_id = $1 and flow_id = $2 and source_id = $3 and released_at is null`;

/** What is at the source and has no verdict yet, and what has one and is still to be moved away there. */
export async function listKnownArrivals(
  tx: TenantTx,
  source: { readonly flowId: string; readonly sourceId: string },
): Promise<{ open: ArrivalRow[]; unreleased: ArrivalRow[] }> {
  const { rows } = await tx.query<ArrivalRow>(selectUnreleased, [tx.tenantId, source.flowId, source.sourceId]);
  return {
    open: rows.filter((row) => openArrivalStates.includes(row.state)),
    unreleased: rows.filter((row) => decidedArrivalStates.includes(row.state)),
  };
}

const updateReleased = `/* release arrivals */
  update headgate.arrivals set released_at = (select headgate.clock())
  where tenant_id = $1 and arrival_id = any ($2::uuid[]) and released_at is null and ${isDecided}`;

/** The files are gone from their source, or will never be looked at again there. */
export async function releaseArrivals(tx: TenantTx, arrivalIds: readonly string[]): Promise<void> {
  if (arrivalIds.length > 0) await tx.query(updateReleased, [tx.tenantId, arrivalIds]);
}

/** The id in a stored object's name: the pack's, where the object lies in one. The orphan sweep asks for it. */
export function storedObjectId(object: Pick<SealedObject, 'name' | 'objectId'>): string {
  return object.name.slice(object.name.lastIndexOf('/') + 1).slice(0, object.objectId.length);
}

/** Ids of files are made when they are read, those of arrivals when they are first seen, which may be long before. */
const countRecent = `/* count recently accepted */
  select count(*) as files from headgate.files f
  join headgate.arrivals a on a.tenant_id = $1 and a.arrival_id = f.arrival_id and a.source_id = $3
  where f.tenant_id = $1 and f.flow_id = $2 and f.accepted_at > headgate.clock() - interval '1 minute'
    and f.file_id > (lpad(to_hex((extract(epoch from headgate.clock() - interval '1 day') * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid`;

/** Files of a source accepted within the last minute. Asked only where the source has a limit of its own. */
export async function countRecentlyAccepted(tx: TenantTx, source: { readonly flowId: string; readonly sourceId: string }): Promise<number> {
  return (await tx.query<{ files: number }>(countRecent, [tx.tenantId, source.flowId, source.sourceId])).rows[0]!.files;
}

const selectHeld = `/* get held arrival */
  select a.flow_id as "flowId", f.name as "flowName", a.source_id as "sourceId", a.name, a.sha256, a.object, a.trace_id as "traceId", a.trace_parent as "traceParent",
    a.size_bytes as "sizeBytes",
    case when c.arrival_id is not null then json_build_object('arrivalId', c.arrival_id, 'name', c.name, 'bytes', c.size_bytes, 'sha256', c.sha256, 'unpack', c.object -> 'unpack') end as archive
  from headgate.arrivals a join headgate.flows f on f.tenant_id = a.tenant_id and f.flow_id = a.flow_id
  left join headgate.arrivals c on c.tenant_id = a.tenant_id and c.arrival_id = a.container_arrival_id
  where a.tenant_id = $1 and a.arrival_id = $2 and a.state = 'held'`;

export interface HeldArrival {
  readonly flowId: string;
  readonly flowName: string;
  readonly sourceId: string;
  readonly name: string;
  readonly sha256: string;
  readonly object: KeptObject;
  readonly traceId: string | null;
  readonly traceParent: string | null;
  readonly sizeBytes: number;
  readonly archive: ArchiveOfMember | null;
}

/** The file that a member was unpacked from, which has an arrival of its own. */
export interface ArchiveOfMember {
  readonly arrivalId: string;
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly unpack: Unpack;
}

export async function findHeldArrival(tx: TenantTx, arrivalId: string): Promise<HeldArrival | undefined> {
  return (await tx.query<HeldArrival>(selectHeld, [tx.tenantId, arrivalId])).rows[0];
}

/** Fails with E_ARRIVAL_STATE when it is not held, or not there. */
export async function getHeldArrival(tx: TenantTx, arrivalId: string): Promise<HeldArrival> {
  const found = await findHeldArrival(tx, arrivalId);
  if (!found) throw notHeld();
  return found;
}

export function notHeld(): HeadgateError {
  return new HeadgateError(arrivalErrors.E_ARRIVAL_STATE, 'there is no held arrival of this id');
}

const selectDecided = `/* find arrival verdict */
  select from headgate.arrivals where tenant_id = $1 and arrival_id = $2 and ${isDecided}`;

/** Whether an arrival has its verdict: what an answer to COMMIT that was lost is looked up by. */
export async function isArrivalDecided(tx: TenantTx, arrivalId: string): Promise<boolean> {
  return (await tx.query(selectDecided, [tx.tenantId, arrivalId])).rowCount === 1;
}
