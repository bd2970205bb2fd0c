/** What a run says where its traffic stands still: how far its batches are, which targets are left alone, and what work waits for what. */
import type { Surroundings } from './surroundings.ts';

const selectStandstill = `/* describe standstill */
  select format('breaker of %s: %s, %s openings, next probe in %s s, %s', target_id, state, openings, round(extract(epoch from probe_at - headgate.clock())), coalesce(reason_code, 'no code')) as line
    from headgate.breakers where state <> 'closed' or openings > 0
  union all
  select format('batches of %s: %s %s%s', target_id, count(*), state, coalesce(' ' || reason_code, ''))
    from headgate.batches where state in ('ready', 'sending', 'unknown', 'parked', 'held') group by target_id, state, reason_code
  union all
  select format('work of %s: %s, %s in hand, the first due in %s s', kind, count(*), count(*) filter (where lease_until > headgate.clock()), round(extract(epoch from min(due_at) - headgate.clock())))
    from headgate.work_items group by kind
  union all
  select format('jobs: %s %s%s', count(*), state, coalesce(' ' || reason_code, '')) from headgate.jobs where closed_at is null group by state, reason_code`;

/** Never rejects: the database may be away, too. */
export async function describeStandstill({ inspection }: Pick<Surroundings, 'inspection'>): Promise<readonly string[]> {
  try {
    return (await inspection.query<{ line: string }>(selectStandstill)).rows.map(({ line }) => line);
  } catch (error) {
    return [`the database does not say: ${error}`];
  }
}
