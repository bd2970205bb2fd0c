/** What cancelling a job now would do to its records at each target, by the same rule as `delivery-cancel.ts`. Changes and locks nothing. */
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { addAmounts } from '../../engine/amount-totals.ts';
import type { FieldAmounts } from '../../engine/chunk.ts';

export interface CancelPreview {
  readonly delivered: number;
  /** Would not be delivered any more. */
  readonly withdrawable: { readonly records: number; readonly amounts: FieldAmounts };
  /** Being sent, of unknown outcome, or held in one batch with records of other jobs: ends as it ends. */
  readonly underWay: number;
}

const selectTargets = `/* preview cancellation */ select t.target_id as "targetId", t.delivered, t.routed - t.delivered - t.refused - t.dead - t.cancelled as open
  from headgate.job_targets t where t.tenant_id = $1 and t.job_id = $2`;
const selectWithdrawable = `/* list withdrawable records */
  select b.target_id as "targetId", (m ->> 'records')::int8 as records, m -> 'amounts' as amounts
  from headgate.batches b cross join lateral jsonb_array_elements(b.members) m
  where b.tenant_id = $1 and b.batch_id = any (array(select h.batch_id from headgate.batch_jobs h where h.tenant_id = $1 and h.job_id = $2))
    and (b.state in ('ready', 'parked') or (b.state = 'held' and not exists (select from headgate.jobs o where o.tenant_id = $1 and o.job_id = any (b.job_ids) and o.job_id <> $2
      and o.decision is distinct from 'cancel' and o.state <> 'cancelled'))) and (m ->> 'jobId')::uuid = $2
  union all
  select c.target_id, (m ->> 'records')::int8, m -> 'amounts'
  from headgate.collected_parts p join headgate.collections c on c.tenant_id = $1 and c.collection_id = p.collection_id
  cross join lateral jsonb_array_elements(p.members) m
  where p.tenant_id = $1 and p.job_id = $2`;

/** By target, of a job whose batches were cut. */
export async function previewCancel(tx: TenantTx, jobId: string): Promise<ReadonlyMap<string, CancelPreview>> {
  const targets = await tx.query<{ targetId: string; delivered: number; open: number }>(selectTargets, [tx.tenantId, jobId]);
  const { rows } = await tx.query<{ targetId: string; records: number; amounts: FieldAmounts }>(selectWithdrawable, [tx.tenantId, jobId]);
  const byTarget = Map.groupBy(rows, ({ targetId }) => targetId);
  return new Map(
    targets.rows.map(({ targetId, delivered, open }) => {
      const own = byTarget.get(targetId) ?? [];
      const records = own.reduce((sum, part) => sum + part.records, 0);
      const amounts = own.reduce<FieldAmounts>((sum, part) => addAmounts(sum, part.amounts), {});
      return [targetId, { delivered, withdrawable: { records, amounts }, underWay: open - records }];
    }),
  );
}
