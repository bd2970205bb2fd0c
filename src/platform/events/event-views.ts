/**
 * Looking events up: those about one thing, of one type, or the latest. Each look reads a bounded number of events, whatever
 * it is for: where it ends before it found enough, it says where to go on. Only numbered events are seen.
 */
import type { TenantTx } from '../tenancy/tenant-scope.ts';
import { eventsPerReadMax, type StoredEvent } from './event-cursor.ts';

export interface EventsWanted {
  /** The id of what they are about. */
  readonly about?: string;
  readonly type?: string;
  readonly limit: number;
  /** The last number that was seen, or, where the latest come first, … */
  readonly after: number;
  /** … from the latest one back, before this number. */
  readonly latest?: { readonly before: number };
  /** Of a type: so many are looked at for it at once; 10,000 where it is not said. */
  readonly lookedAtMax?: number;
}

export interface FoundEvents {
  readonly items: readonly StoredEvent[];
  /** The number to go on from; null: all there are now were looked at. */
  readonly next: number | null;
}

const columns = `t.first_seq + e.ordinal as seq, e.event_id as "eventId", e.envelope_version as "envelopeVersion", e.type, e.object_id as "objectId",
  e.from_state as "from", e.to_state as "to", e.actor, e.trace_id as "traceId", e.detail, e.at`;
const tables = `headgate.event_transactions t join headgate.events e on e.tenant_id = t.tenant_id and e.transaction_id = t.transaction_id`;
const isWanted = `t.first_seq + e.ordinal > $2 and t.first_seq + e.ordinal < $3 and ($4::text is null or e.type = $4)`;

/** Between two numbers. A transaction's events follow each other, so the first is in the last transaction that begins at or before it. */
const selectBetween = (direction: 'asc' | 'desc') => `/* find events */ select ${columns} from ${tables}
  where t.tenant_id = $1 and ${isWanted} and t.first_seq < $3
    and t.first_seq >= coalesce((select max(b.first_seq) from headgate.event_transactions b where b.tenant_id = $1 and b.first_seq <= $2 + 1), 0)
  order by t.first_seq ${direction}, e.ordinal ${direction} limit $5`;

const selectAbout = (direction: 'asc' | 'desc') => `/* find events about a thing */ select ${columns} from ${tables}
  where e.tenant_id = $1 and e.object_id = $6 and ${isWanted} order by seq ${direction} limit $5`;

const selectLast = `/* find last event */ select t.first_seq + t.events - 1 as seq from headgate.event_transactions t
  where t.tenant_id = $1 and t.first_seq = (select max(b.first_seq) from headgate.event_transactions b where b.tenant_id = $1)`;

/** In order, or from the latest back; at most `limit` (up to 1,000). */
export async function findEvents(tx: TenantTx, wanted: EventsWanted): Promise<FoundEvents> {
  const { about, type, latest, after, lookedAtMax = 10_000 } = wanted;
  const limit = Math.max(1, Math.min(wanted.limit, eventsPerReadMax));
  const direction = latest === undefined ? 'asc' : 'desc';
  const last = (await tx.query<{ seq: number }>(selectLast, [tx.tenantId])).rows[0]?.seq ?? 0;
  const end = Math.min(latest?.before ?? Number.MAX_SAFE_INTEGER, last + 1);
  const width = about !== undefined ? last : type === undefined ? limit : lookedAtMax;
  const [above, below] = latest === undefined ? [after, Math.min(end, after + 1 + width)] : [Math.max(after, end - 1 - width), end];
  const bounds = [tx.tenantId, above, below, type ?? null, limit];
  const { rows } = await (about === undefined
    ? tx.query<StoredEvent>(selectBetween(direction), bounds)
    : tx.query<StoredEvent>(selectAbout(direction), [...bounds, about]));
  const looked = rows.length === limit ? rows.at(-1)!.seq : latest === undefined ? below - 1 : above + 1;
  const isEnd = latest === undefined ? looked >= end - 1 : looked <= after + 1;
  return { items: rows, next: isEnd ? null : looked };
}
