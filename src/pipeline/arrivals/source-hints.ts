/**
 * Names that somebody said are new at a source. A hint makes the source look for exactly these names before its next listing, and
 * is believed in nothing else. Hints that are lost, late or too many cost nothing but time: the listing finds what is there.
 */
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import { fenced, type SourceLease } from './source-lease.ts';

/** Kept for one source; beyond that a listing costs less than looking for each. */
export const hintsMax = 1_000;

const markHinted = `/* mark source hinted */
  update headgate.source_schedules
  set hinted = true, due_at = least(due_at, greatest(headgate.clock(), retry_at)),
    list_due_at = case when $4 then least(list_due_at, headgate.clock()) else list_due_at end
  where tenant_id = $1 and flow_id = $2 and source_id = $3`;

const insertHints = `/* add source hints */
  insert into headgate.source_hints (tenant_id, flow_id, source_id, name, hinted_at)
  select $1, $2, $3, n, headgate.clock() from unnest($4::text[]) n
  limit greatest(0, ${hintsMax} - (select count(*) from headgate.source_hints h where h.tenant_id = $1 and h.flow_id = $2 and h.source_id = $3))
  on conflict do nothing`;

/**
 * The source is due at once, unless its place failed a moment ago. Of more than `hintsMax` names the source is listed instead.
 * Takes the source's row first, as `takeHints` does, so that the two wait for each other.
 */
export async function addHints(
  tx: TenantTx,
  source: { readonly flowId: string; readonly sourceId: string },
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return;
  const key = [tx.tenantId, source.flowId, source.sourceId];
  const { rowCount } = await tx.query(markHinted, [...key, names.length > hintsMax]);
  if (rowCount === 1 && names.length <= hintsMax) await tx.query(insertHints, [...key, names]);
}

const unmarkHinted = `/* unmark source hinted */
  update headgate.source_schedules set hinted = false
  where tenant_id = $1 and flow_id = $2 and source_id = $3 and fence = $4 and lease_until is not null`;

const deleteHints = `/* take source hints */
  delete from headgate.source_hints where tenant_id = $1 and flow_id = $2 and source_id = $3 returning name`;

/** They are gone then: what is not done with them is found by the next listing. Fails with E_SOURCE_FENCED. */
export async function takeHints(tx: TenantTx, { flowId, sourceId, fence }: SourceLease): Promise<string[]> {
  const { rowCount } = await tx.query(unmarkHinted, [tx.tenantId, flowId, sourceId, fence]);
  if (rowCount !== 1) throw fenced();
  return (await tx.query<{ name: string }>(deleteHints, [tx.tenantId, flowId, sourceId])).rows.map(({ name }) => name);
}
