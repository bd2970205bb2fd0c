/** The targets of flows: those of the versions in force, and those that earlier ones left behind with batches on their way. */
import type { TargetPlan } from '../../../pipeline/engine/plan.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { loadFlowVersion } from './flow-store-versions.ts';
import { type FlowView, findFlow, listFlows } from './flow-views.ts';

/** `flowVersionId`: the version in force or, of a target that this one has not any more, the last whose attempts, or a person's word, its breaker was told of. */
export interface FlowTarget {
  readonly flowId: string;
  readonly flow: string;
  readonly flowVersionId: string;
  readonly targetId: string;
  readonly target: TargetPlan;
}

/** Targets that are left, of one flow. */
const leftMax = 100;

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
  const current = flowVersionId === null ? [] : await targetsOfVersion(tx, { flowId, name, flowVersionId });
  const parameters = [tx.tenantId, flowId, current.map(({ targetId }) => targetId)];
  const { rows } = await tx.query<{ targetId: string; flowVersionId: string }>(selectLeft, parameters);
  const left: FlowTarget[] = [];
  for (const row of rows) {
    const ofVersion = await targetsOfVersion(tx, { flowId, name, flowVersionId: row.flowVersionId });
    left.push(...ofVersion.filter(({ targetId }) => targetId === row.targetId));
  }
  return [...current, ...left];
}

/** Targets that the version in force has not, of which batches are on their way and whose breaker may stand in their way. */
const selectLeft = `/* list targets that are left */
  select k.target_id as "targetId", k.flow_version_id as "flowVersionId" from headgate.breakers k
  where k.tenant_id = $1 and k.flow_id = $2 and k.target_id <> all ($3::text[]) and exists (
    select from headgate.batches b where b.tenant_id = $1 and b.flow_id = $2 and b.target_id = k.target_id and b.state in ('ready', 'sending', 'unknown', 'held', 'parked'))
  order by k.target_id limit ${leftMax}`;

async function targetsOfVersion(
  tx: TenantTx,
  { flowId, name, flowVersionId }: Pick<FlowView, 'flowId' | 'name'> & { readonly flowVersionId: string },
): Promise<FlowTarget[]> {
  const { plan } = await loadFlowVersion(tx, flowVersionId);
  return plan.targets.map((target) => ({ flowId, flow: name, flowVersionId, targetId: target.id, target }));
}
