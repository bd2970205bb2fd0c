/** What cancelling a job now would do to its records at each target, by the same rule as `delivery-cancel.ts`. Changes and locks nothing. */
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { addAmounts } from '../../engine/amount-totals.ts';
import type { FieldAmounts } from '../../engine/chunk.ts';
import { mayHaveIt } from '../attempts/lost-attempts.ts';
import { batchesOfPageMax, batchIdsOfJob } from '../batches-of-job.ts';

export interface CancelPreview {
  readonly delivered: number;
  /** Would not be delivered any more. */
  readonly withdrawable: { readonly records: number; readonly amounts: FieldAmounts };
  /** Being sent, of unknown outcome, or in one batch with records of other jobs that is held, or may be there: ends as it ends. */
  readonly underWay: number;
}

const selectTargets = `/* preview cancellation */ select t.target_id as "targetId", t.delivered, t.routed - t.delivered - t.refused - t.dead - t.cancelled as open
  from headgate.job_targets t where t.tenant_id = $1 and t.job_id = $2`;
const selectOfBatches = `/* list withdrawable records */
  select b.target_id as "targetId", (m ->> 'records')::int8 as records, m -> 'amounts' as amounts
  from headgate.batches b cross join lateral jsonb_array_elements(b.members) m
  where b.tenant_id = $1 and b.batch_id = any ($3::uuid[])
    and (b.state in ('ready', 'parked') and not ${mayHaveIt} or (b.state in ('ready', 'parked', 'held') and not exists (select from headgate.jobs o where o.tenant_id = $1 and o.job_id = any (b.job_ids) and o.job_id <> $2
      and o.decision is distinct from 'cancel' and o.state <> 'cancelled'))) and (m ->> 'jobId')::uuid = $2`;
const selectOfParts = `/* list withdrawable records of parts */
  select p.part_id as "partId", c.target_id as "targetId", (m ->> 'records')::int8 as records, m -> 'amounts' as amounts
  from (select * from headgate.collected_parts o where o.tenant_id = $1 and o.job_id = $2 and ($3::uuid is null or o.part_id > $3) order by o.part_id limit $4) p
  join headgate.collections c on c.tenant_id = $1 and c.collection_id = p.collection_id
  cross join lateral jsonb_array_elements(p.members) m order by p.part_id`;

interface Withdrawable {
  readonly targetId: string;
  readonly records: number;
  readonly amounts: FieldAmounts;
}

async function* withdrawablePages(tx: TenantTx, jobId: string): AsyncGenerator<readonly Withdrawable[]> {
  for await (const batchIds of batchIdsOfJob(tx, jobId))
    yield (await tx.query<Withdrawable>(selectOfBatches, [tx.tenantId, jobId, batchIds])).rows;
  for (let last: string | null = null; ; ) {
    const page: readonly (Withdrawable & { readonly partId: string })[] = await partsAfter(tx, jobId, last);
    if (page.length === 0) return;
    yield page;
    last = page.at(-1)!.partId;
  }
}

async function partsAfter(tx: TenantTx, jobId: string, last: string | null) {
  return (await tx.query<Withdrawable & { partId: string }>(selectOfParts, [tx.tenantId, jobId, last, batchesOfPageMax])).rows;
}

/** By target, of a job whose batches were cut. Read in pages: `tx` sees the same all along (repeatable read). */
export async function previewCancel(tx: TenantTx, jobId: string): Promise<ReadonlyMap<string, CancelPreview>> {
  const targets = await tx.query<{ targetId: string; delivered: number; open: number }>(selectTargets, [tx.tenantId, jobId]);
  const sums = new Map<string, { readonly records: number; readonly amounts: FieldAmounts }>();
  for await (const page of withdrawablePages(tx, jobId))
    for (const { targetId, records, amounts } of page) {
      const sum = sums.get(targetId) ?? nothing;
      sums.set(targetId, { records: sum.records + records, amounts: addAmounts(sum.amounts, amounts) });
    }
  return new Map(
    targets.rows.map(({ targetId, delivered, open }) => {
      const withdrawable = sums.get(targetId) ?? nothing;
      return [targetId, { delivered, withdrawable, underWay: open - withdrawable.records }];
    }),
  );
}

const nothing = { records: 0, amounts: {} } as const;
