/**
 * Open dead letters by what they have in common: how many, how much money, since when, and a few of them to look at. Counted
 * when asked; the shape of the message stands for those of all of them.
 */
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { amountTexts, type FieldTexts } from '../../engine/amount-texts.ts';
import type { FieldAmounts } from '../../engine/chunk.ts';
import type { DeadLetterCause } from './dead-letter-store.ts';

export interface DeadLetterGroup {
  readonly groupId: string;
  readonly flow: string;
  readonly targetId: string;
  readonly code: string;
  readonly causes: readonly DeadLetterCause[];
  /** What was said, without numbers, ids and quoted texts. */
  readonly shape: string;
  readonly records: number;
  readonly jobs: number;
  readonly amounts: FieldTexts;
  readonly oldestAt: Date;
  readonly newestAt: Date;
  /** When its oldest letter expires; null where that was not asked for. */
  readonly expiresAt: Date | null;
  /** The first few, as `<job id>/<record number>`. */
  readonly samples: readonly { readonly deadLetterId: string; readonly recordId: string }[];
}

export interface GroupFilter {
  readonly deadLetterIds?: readonly string[];
  readonly jobId?: string;
  readonly flow?: string;
  readonly targetId?: string;
  readonly groupId?: string;
}

const samplesMax = 5;

const selectGroups = `/* list dead letter groups */
  select d.group_id as "groupId", min(f.name) as flow, min(d.target_id) as "targetId", min(d.code) as code, array_agg(distinct d.cause) as causes, min(d.shape) as shape,
    count(*)::int8 as records, count(distinct d.job_id)::int8 as jobs, min(d.created_at) as "oldestAt", max(d.created_at) as "newestAt",
    min(d.created_at) + $9 * interval '1 millisecond' as "expiresAt",
    (array_agg(json_build_object('deadLetterId', d.dead_letter_id, 'recordId', d.job_id || '/' || d.record_number) order by d.dead_letter_id))[1:${samplesMax}] as samples
  from headgate.dead_letters d join headgate.flows f on f.tenant_id = d.tenant_id and f.flow_id = d.flow_id
  where d.tenant_id = $1 and d.state = 'open' and ($2::uuid is null or d.job_id = $2) and ($3::text is null or f.name = $3)
    and ($4::text is null or d.target_id = $4) and ($5::text is null or d.group_id = $5) and ($6::text is null or d.group_id > $6)
    and ($7::uuid[] is null or d.dead_letter_id = any ($7))
  group by d.group_id order by d.group_id limit $8`;

const sumAmounts = `/* sum amounts of dead letter groups */
  select d.group_id as "groupId", a.key as field, max((a.value ->> 'scale')::int) as scale, sum((a.value ->> 'unreadable')::int8) filter (where c.key is null or c.first)::int8 as unreadable,
    c.key as currency, sum(c.value::numeric)::text as amount
  from headgate.dead_letters d join headgate.flows f on f.tenant_id = d.tenant_id and f.flow_id = d.flow_id
  cross join lateral json_each(d.amounts) a
  left join lateral (select e.key, e.value, row_number() over () = 1 as first from json_each_text(a.value -> 'byCurrency') e) c on true
  where d.tenant_id = $1 and d.state = 'open' and ($2::uuid is null or d.job_id = $2) and ($3::text is null or f.name = $3)
    and ($4::text is null or d.target_id = $4) and d.group_id = any ($5::text[])
    and ($6::uuid[] is null or d.dead_letter_id = any ($6))
  group by 1, 2, 5`;

interface AmountRow {
  readonly groupId: string;
  readonly field: string;
  readonly scale: number;
  readonly unreadable: number | null;
  readonly currency: string | null;
  readonly amount: string | null;
}

/** In the order of their ids; `after`: the last id of the page before; `expireAfterMs`: of the tenant's policy. */
export async function listDeadLetterGroups(
  tx: TenantTx,
  { deadLetterIds, jobId, flow, targetId, groupId }: GroupFilter,
  page: { readonly after?: string; readonly limit: number; readonly expireAfterMs: number },
): Promise<DeadLetterGroup[]> {
  const filter = [tx.tenantId, jobId ?? null, flow ?? null, targetId ?? null];
  const { rows } = await tx.query<Omit<DeadLetterGroup, 'amounts'>>(selectGroups, [
    ...filter,
    groupId ?? null,
    page.after ?? null,
    deadLetterIds ?? null,
    page.limit,
    page.expireAfterMs ?? null,
  ]);
  const sums = await tx.query<AmountRow>(sumAmounts, [...filter, rows.map((row) => row.groupId), deadLetterIds ?? null]);
  const byGroup = Map.groupBy(sums.rows, (row) => row.groupId);
  return rows.map((row) => ({ ...row, amounts: amountTexts(amountsOf(byGroup.get(row.groupId) ?? [])) }));
}

function amountsOf(rows: readonly AmountRow[]): FieldAmounts {
  return Object.fromEntries(
    [...Map.groupBy(rows, ({ field }) => field)].map(([field, own]) => [
      field,
      {
        scale: Math.max(...own.map(({ scale }) => scale)),
        unreadable: own.reduce((sum, { unreadable }) => sum + (unreadable ?? 0), 0),
        byCurrency: Object.fromEntries(
          own.flatMap(({ currency, amount }) => (currency === null || amount === null ? [] : [[currency, amount] as const])),
        ),
      },
    ]),
  );
}
