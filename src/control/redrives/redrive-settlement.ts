/**
 * What became of dead letters that were sent again, written with the receipt of the job that sent them: delivered, replaced
 * by the dead letter of that job, or open again, where the job was stopped before their turn came.
 */

import { memberRecords, readOutcomes } from '../../pipeline/deliveries/cutting/routed-records.ts';
import { SegmentReaders } from '../../pipeline/deliveries/cutting/segment-readers.ts';
import type { Plan } from '../../pipeline/engine/plan.ts';
import type { Ids } from '../../platform/base/ports.ts';
import { type NewEvent, recordEvents } from '../../platform/events/event-log.ts';
import type { SealedObject, SealedStore } from '../../platform/storage/object-store.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import type { EndedBatch } from '../jobs/closing/closing-batches.ts';

export interface ClosedRedriveJob {
  readonly jobId: string;
  readonly redriveId: string;
  /** Numbers of the records that its target took. */
  readonly delivered: readonly number[];
}

/** `objects`: the outcome segments of the job's batches, by id. */
export function deliveredRecords(
  store: SealedStore,
  tenantId: string,
  job: { readonly jobId: string; readonly plan: Plan; readonly batches: readonly EndedBatch[] },
  objects: ReadonlyMap<string, SealedObject>,
): number[] {
  const readers = new SegmentReaders(store, tenantId);
  try {
    return job.batches
      .filter(({ state }) => state === 'acked')
      .flatMap(({ targetId, members }) => {
        const target = job.plan.targets.findIndex(({ id }) => id === targetId);
        return members.flatMap((member) => {
          const { segmentId, start, end } = member.outcomes;
          const outcomes = readOutcomes(readers.open(objects.get(segmentId)!), start, end);
          return Array.from(memberRecords(outcomes, target, member), ({ record }) => record);
        });
      });
  } finally {
    readers.close();
  }
}

const settleMembers = `/* settle redrive members */
  update headgate.redrive_members m set settled = case
      when m.record_number = any ($3::bigint[]) then 'redriven'
      when exists (select from headgate.dead_letters d where d.tenant_id = $1 and d.job_id = $2 and d.record_number = m.record_number) then 'replaced'
      else 'open' end
  where m.tenant_id = $1 and m.job_id = $2 and m.settled is null
  returning m.dead_letter_id as "deadLetterId", m.settled`;
const settleLetters = `/* settle dead letters */
  update headgate.dead_letters d set state = s.settled, changed_at = (select headgate.clock()),
    may_be_there = d.may_be_there or s.settled = 'open' and exists (
      select from headgate.batch_jobs h join headgate.batches b on b.tenant_id = $1 and b.batch_id = h.batch_id
      where h.tenant_id = $1 and h.job_id = $4 and b.unknown_attempts > 0)
  from unnest($2::uuid[], $3::text[]) as s (dead_letter_id, settled)
  where d.tenant_id = $1 and d.dead_letter_id = any ($2::uuid[]) and d.dead_letter_id = s.dead_letter_id and d.state = 'redriving'`;

const blockAgain = `/* block keys of returned dead letters */
  insert into headgate.blocked_keys (tenant_id, flow_id, target_id, lane, lane_scheme, key_hash, job_id, dead_letter_id, blocked_at)
  select $1, d.flow_id, d.target_id, m.lane, m.lane_scheme, m.key_hash, d.job_id, d.dead_letter_id, (select headgate.clock())
  from headgate.redrive_members m join headgate.dead_letters d on d.tenant_id = $1 and d.dead_letter_id = m.dead_letter_id
  where m.tenant_id = $1 and m.job_id = $2 and m.settled = 'open' and m.key_hash is not null
  on conflict (tenant_id, flow_id, target_id, lane, key_hash) do nothing`;

const pastOf = { redriven: 'dead_letter.redriven', replaced: 'dead_letter.replaced', open: 'dead_letter.returned' } as const;

export async function settleRedrive(tx: TenantTx, ids: Ids, { jobId, redriveId, delivered }: ClosedRedriveJob): Promise<void> {
  const { rows } = await tx.query<{ deadLetterId: string; settled: keyof typeof pastOf }>(settleMembers, [tx.tenantId, jobId, delivered]);
  const moved = await tx.query(settleLetters, [
    tx.tenantId,
    rows.map(({ deadLetterId }) => deadLetterId),
    rows.map(({ settled }) => settled),
    jobId,
  ]);
  if (moved.rowCount !== rows.length) throw new Error('a dead letter is not being sent again by the job that says so');
  await tx.query(blockAgain, [tx.tenantId, jobId]);
  await recordEvents(
    tx,
    ids,
    rows.map(
      ({ deadLetterId, settled }): NewEvent => ({
        type: pastOf[settled],
        objectId: deadLetterId,
        from: 'redriving',
        to: settled,
        actor: 'system',
        detail: { redriveId, jobId },
      }),
    ),
  );
}
