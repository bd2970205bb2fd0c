/**
 * Withdraws the work of a job that will not go on: its check, and the chunk groups that are its alone, waiting or running.
 * Whoever runs one of them is fenced off. A group that other jobs share goes on without it.
 */
import { recordEvents } from '../../platform/events/event-log.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import type { JobServices } from './job-services.ts';

const selectGroups = `/* find groups of job alone */
  select g.group_id as "groupId" from headgate.chunk_groups g
  join (select c.group_id, count(*) as chunks from headgate.chunks c where c.tenant_id = $1 and c.job_id = $2 group by c.group_id) own on own.group_id = g.group_id
  where g.tenant_id = $1 and g.chunks = own.chunks and g.state in ('ready', 'running')`;

/** All work of the job is locked before the job is, in the order in which workers lock theirs: its closing too, which stays. */
const deleteWork = `/* withdraw work */
  with own as materialized (
    select l.kind, l.reference_id
    from (select 'check' as kind, $3::uuid as reference_id union all select 'chunks', u from unnest($2::uuid[]) u union all select 'close', $3::uuid order by 1, 2) d
    cross join lateral (select w.kind, w.reference_id from headgate.work_items w
      where w.tenant_id = $1 and w.kind = d.kind and w.reference_id = d.reference_id limit 1 for update) l)
  delete from headgate.work_items w where w.tenant_id = $1 and w.kind in ('check', 'chunks')
    and w.reference_id = any (array(select o.reference_id from own o where o.kind <> 'close'))`;

const cancelGroups = `/* withdraw chunk groups */
  update headgate.chunk_groups g set state = 'cancelled', changed_at = headgate.clock()
  from (select group_id, state from headgate.chunk_groups where tenant_id = $1 and group_id = any ($2::uuid[]) for update) before
  where g.tenant_id = $1 and g.group_id = before.group_id and g.state in ('ready', 'running')
  returning g.group_id as "groupId", g.chunks, before.state as "from"`;

/** Returns how many chunks are not in flight any more. */
export async function withdrawWork(tx: TenantTx, services: JobServices, jobId: string, actor: string): Promise<number> {
  const groups = (await tx.query<{ groupId: string }>(selectGroups, [tx.tenantId, jobId])).rows.map((row) => row.groupId);
  await tx.query(deleteWork, [tx.tenantId, groups, jobId]);
  if (groups.length === 0) return 0;
  const { rows } = await tx.query<{ groupId: string; chunks: number; from: string }>(cancelGroups, [tx.tenantId, groups]);
  await recordEvents(
    tx,
    services.ports.ids,
    rows.map(({ groupId, from }) => ({ type: 'chunk_group.cancelled', objectId: groupId, from, to: 'cancelled', actor })),
  );
  return rows.reduce((sum, row) => sum + row.chunks, 0);
}
