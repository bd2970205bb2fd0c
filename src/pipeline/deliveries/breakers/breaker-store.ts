/**
 * Rows of breakers: read in ms from the database's now, locked, and written with an event for each change of state. Part of the
 * caller's transaction. A row is made at the first failure of its target; without one a breaker is closed.
 */
import type { Ids } from '../../../platform/base/ports.ts';
import { recordEvents } from '../../../platform/events/event-log.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import type { Breaker, Ruling } from './breaker-rules.ts';
import { type BreakerEvent, type BreakerState, nextBreakerState } from './breaker-state.ts';
import type { Calls } from './call-window.ts';

/** A target of a flow, over its versions. */
export interface BreakerKey {
  readonly flowId: string;
  readonly targetId: string;
}

export interface StoredBreaker extends BreakerKey {
  readonly breakerId: string;
  /** Whose target it was when it was told of last. */
  readonly flowVersionId: string;
  /** Rises with each change of state. */
  readonly fence: number;
  readonly breaker: Breaker;
}

interface Row extends BreakerKey {
  readonly breakerId: string;
  readonly flowVersionId: string;
  readonly fence: number;
  readonly state: BreakerState;
  readonly mode: Breaker['mode'];
  readonly current: Calls;
  readonly earlier: Calls;
  readonly ageMs: number;
  readonly failuresInARow: number;
  readonly score: number;
  readonly openings: number;
  readonly probeInMs: number;
  readonly limitThousandths: number | null;
  readonly pausedMs: number;
  readonly reasonCode: string | null;
}

const msFromNow = (column: string) => `(extract(epoch from ${column} - (select headgate.clock())) * 1000)::float8`;

export const breakerColumns = `k.flow_id as "flowId", k.target_id as "targetId", k.breaker_id as "breakerId", k.flow_version_id as "flowVersionId", k.fence, k.state, k.mode,
  json_build_object('calls', k.calls, 'failures', k.failures, 'retries', k.retries) as current,
  json_build_object('calls', k.earlier_calls, 'failures', k.earlier_failures, 'retries', k.earlier_retries) as earlier,
  -${msFromNow('k.window_at')} as "ageMs", k.failures_in_a_row as "failuresInARow", k.score, k.openings, ${msFromNow('k.probe_at')} as "probeInMs",
  k.limit_thousandths as "limitThousandths", ${msFromNow('k.paused_until')} as "pausedMs", k.reason_code as "reasonCode"`;

const selectBreakers = `/* read breakers */
  select ${breakerColumns} from headgate.breakers k where k.tenant_id = $1 and k.flow_id = any ($2::uuid[])`;

/** Those of these flows' targets that have one, by `breakerName`. */
export async function readBreakers(tx: TenantTx, flowIds: readonly string[]): Promise<ReadonlyMap<string, StoredBreaker>> {
  const { rows } = await tx.query<Row>(selectBreakers, [tx.tenantId, [...new Set(flowIds)]]);
  return new Map(rows.map((row) => [breakerName(row), storedOf(row)]));
}

const selectOne = `/* read breaker */ select ${breakerColumns} from headgate.breakers k where k.tenant_id = $1 and k.breaker_id = $2`;

export async function readBreaker(tx: TenantTx, breakerId: string): Promise<StoredBreaker | undefined> {
  const [row] = (await tx.query<Row>(selectOne, [tx.tenantId, breakerId])).rows;
  return row && storedOf(row);
}

const insertMissing = `/* make breakers */
  insert into headgate.breakers (tenant_id, breaker_id, flow_id, target_id, flow_version_id, state, mode, since, window_at, calls, failures, retries,
    earlier_calls, earlier_failures, earlier_retries, failures_in_a_row, score, openings, probe_at, paused_until)
  select $1, m.breaker_id, m.flow_id, m.target_id, m.flow_version_id, 'closed', 'auto', c.now, c.now, 0, 0, 0, 0, 0, 0, 0, 0, 0, c.now, c.now
  from unnest($2::uuid[], $3::uuid[], $4::text[], $5::uuid[]) as m (breaker_id, flow_id, target_id, flow_version_id), (select headgate.clock() as now) c
  on conflict (tenant_id, flow_id, target_id) do nothing`;

/** In a fixed order, so that two transactions never wait for each other. */
const lockRows = `/* lock breakers */
  select ${breakerColumns} from headgate.breakers k
  where k.tenant_id = $1 and (k.flow_id, k.target_id) in (select * from unnest($2::uuid[], $3::text[]))
  order by k.flow_id, k.target_id for update`;

/** Locks the breakers of these targets, made where they are missing. */
export async function lockBreakers(
  tx: TenantTx,
  ids: Ids,
  keys: readonly (BreakerKey & { readonly flowVersionId: string })[],
): Promise<ReadonlyMap<string, StoredBreaker>> {
  const columns = [keys.map(({ flowId }) => flowId), keys.map(({ targetId }) => targetId)];
  const versions = keys.map(({ flowVersionId }) => flowVersionId);
  await tx.query(insertMissing, [tx.tenantId, keys.map(() => ids.next()), ...columns, versions]);
  const { rows } = await tx.query<Row>(lockRows, [tx.tenantId, ...columns]);
  return new Map(rows.map((row) => [breakerName(row), storedOf(row)]));
}

const updateRow = `/* write breaker */
  update headgate.breakers k set flow_version_id = $3, state = $4, mode = $5, fence = k.fence + $6, since = case when $6 > 0 then c.now else k.since end,
    window_at = c.now - $7 * interval '1 millisecond', calls = $8, failures = $9, retries = $10, earlier_calls = $11, earlier_failures = $12, earlier_retries = $13,
    failures_in_a_row = $14, score = $15, openings = $16, probe_at = c.now + $17 * interval '1 millisecond', limit_thousandths = $18,
    paused_until = c.now + $19 * interval '1 millisecond', reason_code = $20
  from (select headgate.clock() as now) c where k.tenant_id = $1 and k.breaker_id = $2`;

const pastOf = { trip: 'opened', try: 'probed', close: 'closed' } as const satisfies Record<BreakerEvent, string>;

export interface BreakerChange {
  readonly stored: StoredBreaker;
  readonly flowVersionId: string;
  readonly ruling: Ruling;
  readonly actor: string;
  /** For the events; numbers and codes, and a person's reason. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** The row is locked by the caller's transaction. */
export async function writeBreaker(tx: TenantTx, ids: Ids, { stored, flowVersionId, ruling, actor, detail }: BreakerChange): Promise<void> {
  const { breaker, events } = ruling;
  const { current, earlier, ageMs } = breaker.window;
  await tx.query(updateRow, [
    tx.tenantId,
    stored.breakerId,
    flowVersionId,
    breaker.state,
    breaker.mode,
    events.length,
    Math.round(ageMs),
    current.calls,
    current.failures,
    current.retries,
    earlier.calls,
    earlier.failures,
    earlier.retries,
    breaker.failuresInARow,
    breaker.score,
    breaker.openings,
    Math.round(breaker.probeInMs),
    breaker.limit === null ? null : Math.round(breaker.limit * 1_000),
    Math.round(Math.max(0, breaker.pausedMs)),
    breaker.reasonCode,
  ]);
  let from = stored.breaker.state;
  await recordEvents(
    tx,
    ids,
    events.map((event) => {
      const to = nextBreakerState(from, event);
      const moved = { type: `breaker.${pastOf[event]}`, objectId: stored.breakerId, from, to, actor } as const;
      from = to;
      const { targetId, flowId } = stored;
      const { reasonCode, openings } = breaker;
      return { ...moved, detail: { flowId, target: targetId, openings, ...(reasonCode === null ? {} : { code: reasonCode }), ...detail } };
    }),
  );
}

export function breakerName({ flowId, targetId }: BreakerKey): string {
  return `${flowId} ${targetId}`;
}

function storedOf(row: Row): StoredBreaker {
  const { flowId, targetId, breakerId, flowVersionId, fence, current, earlier, ageMs, limitThousandths, ...rest } = row;
  const window = { current, earlier, ageMs: Math.max(0, ageMs) };
  const limit = limitThousandths === null ? null : limitThousandths / 1_000;
  const { state, mode, failuresInARow, score, openings, probeInMs, pausedMs, reasonCode } = rest;
  const breaker = { state, mode, window, failuresInARow, score, openings, probeInMs, limit, pausedMs, reasonCode };
  return { flowId, targetId, breakerId, flowVersionId, fence, breaker };
}
