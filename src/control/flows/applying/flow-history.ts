/** What each version of a flow changed in meaning against the one before it: for people who ask since when something is so. */
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { type DocumentChange, documentChanges } from './flow-changes.ts';
import { type FlowVersionView, getFlow } from './flow-views.ts';

export interface FlowHistoryEntry extends FlowVersionView {
  /** The version before it; null: it is the first. */
  readonly previous: string | null;
  /** In order of the document, at most `changesMax`; of the first version: `spec` was added. */
  readonly changes: readonly DocumentChange[];
  readonly changeCount: number;
}

/** Of one version: more is better read in the texts themselves. */
const changesMax = 200;

type Canonical = Readonly<Record<string, unknown>>;

const selectHistory = `/* read flow history */
  select flow_version_id as "flowVersionId", version, hash, state, applied_at as "appliedAt", applied_by as "appliedBy", document
  from headgate.flow_versions where tenant_id = $1 and flow_id = $2 and ($3::uuid is null or flow_version_id < $3) order by flow_version_id desc limit $4`;

/** Newest first; `before`: the last id of the page before. Fails with E_FLOW_UNKNOWN. */
export async function readFlowHistory(
  tx: TenantTx,
  name: string,
  { before, limit }: { readonly before?: string; readonly limit: number },
): Promise<FlowHistoryEntry[]> {
  const { flowId } = await getFlow(tx, name);
  const { rows } = await tx.query<FlowVersionView & { document: Canonical }>(selectHistory, [
    tx.tenantId,
    flowId,
    before ?? null,
    // Each is held against the one before it.
    limit + 1,
  ]);
  return rows.slice(0, limit).map(({ document, ...version }, index) => {
    const previous = rows[index + 1];
    const changes = documentChanges(previous?.document ?? null, document).map((change) =>
      previous === undefined ? whole(change) : change,
    );
    return { ...version, previous: previous?.version ?? null, changes: changes.slice(0, changesMax), changeCount: changes.length };
  });
}

/** The text of the first version says what it holds. */
function whole({ change, path }: DocumentChange): DocumentChange {
  return { change, path };
}
