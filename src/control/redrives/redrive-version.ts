/**
 * Under which version of their flow records are sent again: that of their job or, where a person says so, the one in force. Records are
 * found and known by the version that read them first, so the one in force must read them alike.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Plan } from '../../pipeline/engine/plan.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import type { JobServices } from '../jobs/job-services.ts';
import { redriveErrors } from './redrive-errors.ts';
import { identityOf } from './redrive-identity.ts';
import { otherwiseKnowing } from './redrive-target-keys.ts';

export interface RedriveVersion {
  readonly flowVersionId: string;
  /** As the author numbered it. */
  readonly flowVersion: string;
  readonly plan: Plan;
}

const selectInForce = `/* find version in force */
  select v.flow_version_id as "flowVersionId", v.version as "flowVersion" from headgate.flows f
  join headgate.flow_versions v on v.tenant_id = $1 and v.flow_version_id = f.active_version_id
  where f.tenant_id = $1 and f.flow_id = $2`;

export interface VersionToReplace {
  readonly flowId: string;
  /** Of the job. */
  readonly first: Plan;
  readonly targets: readonly string[] | null;
  /** Whether a target may have one of the records. */
  readonly mayBeThere: boolean;
}

/** Fails with E_REDRIVE_VERSION. */
export async function versionInForce(
  tx: TenantTx,
  services: JobServices,
  { flowId, first, targets, mayBeThere }: VersionToReplace,
): Promise<RedriveVersion> {
  const [row] = (await tx.query<Omit<RedriveVersion, 'plan'>>(selectInForce, [tx.tenantId, flowId])).rows;
  if (row === undefined) throw refused('no version of the flow is in force');
  const { plan } = await services.flows.load(tx, row.flowVersionId);
  if (!isDeepStrictEqual(plan.format, first.format)) throw refused(`version ${row.flowVersion} has another format`);
  if (!isDeepStrictEqual(identityOf(plan), identityOf(first)))
    throw refused(`version ${row.flowVersion} knows records by other keys or other types`);
  const missing = targets?.find((target) => !plan.targets.some(({ id }) => id === target));
  if (missing !== undefined) throw refused(`version ${row.flowVersion} has no target ${missing}`);
  const other = mayBeThere ? otherwiseKnowing({ before: first, after: plan, targets }) : undefined;
  if (other !== undefined)
    throw refused(`version ${row.flowVersion} makes ${other} know records by other keys, and some of the chosen ones may be there`);
  return { ...row, plan };
}

function refused(message: string): HeadgateError {
  return new HeadgateError(redriveErrors.E_REDRIVE_VERSION, message);
}
