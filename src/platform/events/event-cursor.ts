/**
 * Reading the event log in order. A subscriber keeps its place per tenant in a cursor and gets every event at least once,
 * in the tenant's order without gaps. Taking a cursor fences off whoever had it before. Only numbered events are read.
 */
import { HeadgateError } from '../base/errors.ts';
import type { TenantTx } from '../tenancy/tenant-scope.ts';
import { eventErrors } from './event-errors.ts';

export interface StoredEvent {
  /** Gapless from 1 per tenant. */
  readonly seq: number;
  readonly eventId: string;
  readonly envelopeVersion: number;
  readonly type: string;
  readonly objectId: string;
  readonly from: string;
  readonly to: string;
  readonly actor: string;
  readonly traceId: string | null;
  readonly detail: Readonly<Record<string, unknown>> | null;
  readonly at: Date;
}

export interface HeldCursor {
  readonly subscriber: string;
  readonly seq: number;
  readonly fence: number;
}

export const eventsPerReadMax = 1_000;

/** A transaction's events follow each other, so the read starts at the last transaction that begins at or before the place. */
const selectEvents = `/* read events */
  select t.first_seq + e.ordinal as seq, e.event_id as "eventId", e.envelope_version as "envelopeVersion", e.type, e.object_id as "objectId",
         e.from_state as "from", e.to_state as "to", e.actor, e.trace_id as "traceId", e.detail, e.at
  from headgate.event_transactions t
  join headgate.events e on e.tenant_id = t.tenant_id and e.transaction_id = t.transaction_id
  where t.tenant_id = $1
    and t.first_seq >= coalesce((select max(b.first_seq) from headgate.event_transactions b where b.tenant_id = $1 and b.first_seq <= $2 + 1), 0)
    and t.first_seq < $2 + 1 + $3
    and t.first_seq + e.ordinal > $2
  order by t.first_seq, e.ordinal limit $3`;

/** The tenant's events after `after`, in order, at most `limit` (up to 1,000). */
export async function readEvents(tx: TenantTx, range: { readonly after: number; readonly limit: number }): Promise<StoredEvent[]> {
  const limit = Math.max(1, Math.min(range.limit, eventsPerReadMax));
  return (await tx.query<StoredEvent>(selectEvents, [tx.tenantId, range.after, limit])).rows;
}

const upsertCursor = `/* take event cursor */
  insert into headgate.event_cursors as c (tenant_id, subscriber, fence, changed_at) values ($1, $2, 1, headgate.clock())
  on conflict (tenant_id, subscriber) do update set fence = c.fence + 1, changed_at = excluded.changed_at
  returning subscriber, seq, fence`;

/** Takes the subscriber's place; from now on every earlier holder is refused. Starts before the first event. */
export async function takeCursor(tx: TenantTx, subscriber: string): Promise<HeldCursor> {
  return (await tx.query<HeldCursor>(upsertCursor, [tx.tenantId, subscriber])).rows[0]!;
}

const updateCursor = `/* advance event cursor */
  update headgate.event_cursors set seq = $4, changed_at = headgate.clock()
  where tenant_id = $1 and subscriber = $2 and fence = $3 and seq <= $4`;

/** Keeps the new place. In the handler's own transaction its effects happen once. Fails with E_CURSOR_FENCED. */
export async function advanceCursor(tx: TenantTx, held: HeldCursor, seq: number): Promise<HeldCursor> {
  const { rowCount } = await tx.query(updateCursor, [tx.tenantId, held.subscriber, held.fence, seq]);
  if (rowCount !== 1) throw new HeadgateError(eventErrors.E_CURSOR_FENCED, `another process reads on for ${held.subscriber}`);
  return { ...held, seq };
}
