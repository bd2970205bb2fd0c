/** The targets of the flow versions in force. */
import type { TargetPlan } from '../../../pipeline/engine/plan.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { loadFlowVersion } from './flow-store-versions.ts';
import { type FlowView, findFlow, listFlows } from './flow-views.ts';

export interface FlowTarget {
  readonly flowId: string;
  readonly flow: string;
  readonly flowVersionId: string;
  readonly targetId: string;
  readonly target: TargetPlan;
}

/** All those of a page of flows by name, or of the one that is named. `nextFlow`: the page after begins behind it. */
export async function listFlowTargets(
  tx: TenantTx,
  filter: { readonly flow?: string },
  page: { readonly after?: string; readonly flows: number },
): Promise<{ readonly targets: readonly FlowTarget[]; readonly nextFlow: string | null }> {
  const flows =
    filter.flow === undefined ? await listFlows(tx, { after: page.after, limit: page.flows + 1 }) : await oneFlow(tx, filter.flow);
  const shown = flows.slice(0, page.flows);
  const targets: FlowTarget[] = [];
  for (const flow of shown) targets.push(...(await targetsOf(tx, flow)));
  return { targets, nextFlow: flows.length > shown.length ? shown.at(-1)!.name : null };
}

async function oneFlow(tx: TenantTx, name: string): Promise<FlowView[]> {
  const flow = await findFlow(tx, name);
  return flow === undefined ? [] : [flow];
}

async function targetsOf(tx: TenantTx, { flowId, name, flowVersionId }: FlowView): Promise<FlowTarget[]> {
  if (flowVersionId === null) return [];
  const { plan } = await loadFlowVersion(tx, flowVersionId);
  return plan.targets.map((target) => ({ flowId, flow: name, flowVersionId, targetId: target.id, target }));
}
