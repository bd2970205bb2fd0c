/**
 * The transactional event log: whoever changes a state writes its events here in the same transaction. They have no number
 * yet: the sequencer gives it once no older transaction can still commit (event-sequencer.ts), and readers see only what
 * has one (event-cursor.ts). Events are never changed or removed, and hold ids, states and numbers, never content.
 */
import type { Ids } from '../base/ports.ts';
import type { TenantTx } from '../tenancy/tenant-scope.ts';
import type { EventType } from './event-types.ts';

export interface NewEvent {
  /** `<object>.<what happened>`, such as `job.completed`. */
  readonly type: EventType;
  readonly objectId: string;
  /** Empty where the object did not exist before. */
  readonly from: string;
  readonly to: string;
  /** `system`, `key:<id>`, `source:<id>` or a person. */
  readonly actor: string;
  readonly traceId?: string | null;
  /** Ids, numbers and codes; no content. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

const insertEvents = `/* record events */
  with recorded as (
    insert into headgate.events (tenant_id, event_id, transaction_id, ordinal, type, object_id, from_state, to_state, actor, trace_id, detail, at)
    select $1, e.event_id, $2, e.ordinal - 1, e.type, e.object_id, e.from_state, e.to_state, e.actor, e.trace_id, e.detail::json, (select headgate.clock())
    from unnest($3::uuid[], $4::text[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[]) with ordinality
      as e (event_id, type, object_id, from_state, to_state, actor, trace_id, detail, ordinal)
  )
  insert into headgate.event_transactions (tenant_id, transaction_id, events) values ($1, $2, cardinality($3::uuid[]))`;

/** One statement for all of them, in the order given. They exist exactly when the caller's transaction commits. */
export async function recordEvents(tx: TenantTx, ids: Ids, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  await tx.query(insertEvents, [
    tx.tenantId,
    ids.next(),
    events.map(() => ids.next()),
    events.map((event) => event.type),
    events.map((event) => event.objectId),
    events.map((event) => event.from),
    events.map((event) => event.to),
    events.map((event) => event.actor),
    events.map((event) => event.traceId ?? null),
    events.map((event) => (event.detail === undefined ? null : JSON.stringify(event.detail))),
  ]);
}
