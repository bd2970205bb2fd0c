/** Whether a version of a flow is taken by other content, which it keeps for ever, and which version is free. */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import { flowStoreErrors } from './flow-store-errors.ts';

export interface FlowContent {
  readonly name: string;
  readonly version: string;
  readonly hash: string;
}

const selectTaken = `/* find content of flow version */
  select v.hash, (
    select w.version from headgate.flow_versions w where w.tenant_id = v.tenant_id and w.flow_id = v.flow_id
    order by string_to_array(w.version, '.')::int[] desc limit 1
  ) as highest
  from headgate.flow_versions v join headgate.flows f on f.tenant_id = v.tenant_id and f.flow_id = v.flow_id
  where v.tenant_id = $1 and f.name = $2 and v.version = $3`;

/** E_VERSION_CONFLICT that names the next version, to be thrown; null where the version is new or has this very content. */
export async function findVersionConflict(tx: TenantTx, { name, version, hash }: FlowContent): Promise<HeadgateError | null> {
  const taken = (await tx.query<{ hash: string; highest: string }>(selectTaken, [tx.tenantId, name, version])).rows[0];
  if (taken === undefined || taken.hash === hash) return null;
  return new HeadgateError(
    flowStoreErrors.E_VERSION_CONFLICT,
    `version ${version} of ${name} exists already with other content; the next version is ${versionAfter(taken.highest)}`,
  );
}

function versionAfter(version: string): string {
  const [major, minor, patch] = version.split('.').map(Number);
  return `${major}.${minor}.${patch! + 1}`;
}
