/** Queries for lists and pages of flows and their versions. */

import { HeadgateError } from '../../../platform/base/errors.ts';
import { nearestName } from '../../../platform/base/nearest-name.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { flowStoreErrors } from './flow-store-errors.ts';

export interface FlowView {
  readonly flowId: string;
  readonly name: string;
  readonly service: string;
  readonly subService: string | null;
  readonly enabled: boolean;
  readonly version: string | null;
  readonly flowVersionId: string | null;
  readonly hash: string | null;
  readonly createdAt: Date;
}

export const flowVersionStates = ['active', 'superseded', 'disabled'] as const;

export interface FlowVersionView {
  readonly flowVersionId: string;
  readonly version: string;
  readonly hash: string;
  readonly state: (typeof flowVersionStates)[number];
  readonly appliedAt: Date;
  readonly appliedBy: string;
}

const flowColumns = `f.flow_id as "flowId", f.name, f.service, f.sub_service as "subService", f.enabled, v.version,
  f.active_version_id as "flowVersionId", v.hash, f.created_at as "createdAt"`;
const flowTables = `from headgate.flows f
  left join headgate.flow_versions v on v.tenant_id = f.tenant_id and v.flow_version_id = f.active_version_id`;

const selectFlows = `/* list flows */ select ${flowColumns} ${flowTables} where f.tenant_id = $1 and f.name > $2 order by f.name limit $3`;
const selectFlow = `/* get flow */ select ${flowColumns} ${flowTables} where f.tenant_id = $1 and f.name = $2`;
const selectFlowById = `/* get flow by id */ select ${flowColumns} ${flowTables} where f.tenant_id = $1 and f.flow_id = $2`;

/** By name, those after `after`. */
export async function listFlows(tx: TenantTx, page: { readonly after?: string; readonly limit: number }): Promise<FlowView[]> {
  return (await tx.query<FlowView>(selectFlows, [tx.tenantId, page.after ?? '', page.limit])).rows;
}

export async function findFlow(tx: TenantTx, name: string): Promise<FlowView | undefined> {
  return (await tx.query<FlowView>(selectFlow, [tx.tenantId, name])).rows[0];
}

export async function findFlowById(tx: TenantTx, flowId: string): Promise<FlowView | undefined> {
  return (await tx.query<FlowView>(selectFlowById, [tx.tenantId, flowId])).rows[0];
}

/** Fails with E_FLOW_UNKNOWN. */
export async function getFlow(tx: TenantTx, name: string): Promise<FlowView> {
  const flow = await findFlow(tx, name);
  if (!flow) throw await unknownFlow(tx, name);
  return flow;
}

/** What a list of one flow holds, which is nothing only where there is such a flow. Fails with E_FLOW_UNKNOWN. */
export async function ofKnownFlow<Row>(tx: TenantTx, name: string | undefined, rows: readonly Row[]): Promise<readonly Row[]> {
  if (rows.length === 0 && name !== undefined) await getFlow(tx, name);
  return rows;
}

const selectNames = '/* list flow names */ select name from headgate.flows where tenant_id = $1 order by name limit 1000';

/** With the tenant's flow that was meant, where one has nearly that name. */
export async function unknownFlow(tx: TenantTx, name: string): Promise<HeadgateError> {
  const { rows } = await tx.query<{ name: string }>(selectNames, [tx.tenantId]);
  const nearest = nearestName(
    name,
    rows.map((row) => row.name),
  );
  const meant = nearest === null || nearest === name ? '' : `; did you mean ${nearest}?`;
  return new HeadgateError(flowStoreErrors.E_FLOW_UNKNOWN, `there is no flow of this name${meant}`);
}

const selectVersions = `/* list flow versions */
  select flow_version_id as "flowVersionId", version, hash, state, applied_at as "appliedAt", applied_by as "appliedBy"
  from headgate.flow_versions where tenant_id = $1 and flow_id = $2 order by flow_version_id desc limit $3`;

/** Newest first. */
export async function listFlowVersions(tx: TenantTx, flowId: string, limit = 100): Promise<FlowVersionView[]> {
  return (await tx.query<FlowVersionView>(selectVersions, [tx.tenantId, flowId, limit])).rows;
}

const selectSource = `/* get flow source */
  select v.version, v.hash, v.source from headgate.flow_versions v
  join headgate.flows f on f.tenant_id = v.tenant_id and f.flow_id = v.flow_id
  where v.tenant_id = $1 and f.name = $2 and ((v.flow_version_id = f.active_version_id and $3::text is null) or v.version = $3)`;

/** The author's text of a version, of the one in force when none is named. Fails with E_FLOW_UNKNOWN. */
export async function getFlowSource(
  tx: TenantTx,
  name: string,
  version: string | null = null,
): Promise<{ version: string; hash: string; source: string }> {
  const found = (await tx.query<{ version: string; hash: string; source: string }>(selectSource, [tx.tenantId, name, version])).rows[0];
  if (!found) throw new HeadgateError(flowStoreErrors.E_FLOW_UNKNOWN, 'there is no flow, or no version of it, of this name');
  return found;
}
