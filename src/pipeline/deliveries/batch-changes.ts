/** Moves batches through their states, many in one statement, with the event of each move. Part of the caller's transaction. */
import type { Ids } from '../../platform/base/ports.ts';
import { type NewEvent, recordEvents } from '../../platform/events/event-log.ts';
import { parseTraceparent } from '../../platform/telemetry/trace-context.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import { type BatchEvent, type BatchState, nextBatchState, openBatchStates } from './batch-state.ts';

/** One move. Moves of the same batch are made in the order given. */
export interface BatchChange {
  readonly batchId: string;
  readonly from: BatchState;
  readonly event: BatchEvent;
  readonly actor: string;
  readonly traceParent: string | null;
  readonly reasonCode?: string | null;
  readonly evidence?: string | null;
  /** Added to the batch's counts. */
  readonly attempts?: number;
  readonly unknownAttempts?: number;
  /** Of `send`: the backup that it goes to. */
  readonly via?: string | null;
  /** For the event; numbers, codes, and why a person decided so. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

const pastOf = {
  cut: 'cut',
  send: 'sent',
  acknowledge: 'acknowledged',
  refuse: 'refused',
  retry: 'returned',
  split: 'split',
  exhaust: 'exhausted',
  lose: 'lost',
  hold: 'held',
  cancel: 'cancelled',
  block: 'blocked',
  park: 'parked',
  resume: 'resumed',
} as const satisfies Record<BatchEvent, string>;

const isOpen = `c.to_state in (${openBatchStates.map((state) => `'${state}'`).join(', ')})`;

/** How its end is known is said by what ends it: why it was sent again before says nothing of that. */
const updateBatches = `/* move batches */
  update headgate.batches b
  set state = c.to_state, reason_code = c.reason_code,
    resolution_evidence = case when ${isOpen} then coalesce(c.evidence, b.resolution_evidence) else c.evidence end,
    attempts = b.attempts + c.attempts, unknown_attempts = b.unknown_attempts + c.unknown_attempts,
    held_attempts = case c.to_state when 'held' then b.attempts + c.attempts else b.held_attempts end,
    parked_at = case c.to_state when 'parked' then (select headgate.clock()) else b.parked_at end,
    via = case c.to_state when 'sending' then c.via else b.via end, changed_at = (select headgate.clock())
  from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[], $8::int[], $9::text[])
    as c (batch_id, from_state, to_state, reason_code, evidence, attempts, unknown_attempts, via)
  where b.tenant_id = $1 and b.batch_id = any ($2::uuid[]) and b.batch_id = c.batch_id and b.state = c.from_state`;

/** A batch that is not in the state it should be in is a programmer's error: its work item's fence lets one in at a time. */
export async function moveBatches(tx: TenantTx, ids: Ids, changes: readonly BatchChange[]): Promise<void> {
  for (const round of roundsOf(changes)) {
    const { rowCount } = await tx.query(updateBatches, [
      tx.tenantId,
      round.map((change) => change.batchId),
      round.map((change) => change.from),
      round.map((change) => nextBatchState(change.from, change.event)),
      round.map((change) => change.reasonCode ?? null),
      round.map((change) => change.evidence ?? null),
      round.map((change) => change.attempts ?? 0),
      round.map((change) => change.unknownAttempts ?? 0),
      round.map((change) => change.via ?? null),
    ]);
    if (rowCount !== round.length) throw new Error('a delivery batch is not in the state that its work says');
  }
  await recordEvents(tx, ids, changes.map(eventOf));
}

/** The first moves of all batches, then the second ones, and so on. */
function roundsOf(changes: readonly BatchChange[]): BatchChange[][] {
  const rounds: BatchChange[][] = [];
  const counts = new Map<string, number>();
  for (const change of changes) {
    const round = counts.get(change.batchId) ?? 0;
    counts.set(change.batchId, round + 1);
    (rounds[round] ??= []).push(change);
  }
  return rounds;
}

function eventOf(change: BatchChange): NewEvent {
  const { batchId, from, event, actor, traceParent, reasonCode, detail } = change;
  return {
    type: `batch.${pastOf[event]}`,
    objectId: batchId,
    from,
    to: nextBatchState(from, event),
    actor,
    traceId: parseTraceparent(traceParent)?.traceId ?? null,
    detail: { ...detail, ...(reasonCode ? { code: reasonCode } : {}) },
  };
}
