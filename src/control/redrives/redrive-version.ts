/**
 * Under which version of their flow records are sent again: that of their job or, where a person says so, the one in force. Records are
 * found and known by the version that read them first, so the one in force must read them alike.
 */
import { isDeepStrictEqual } from 'node:util';
import { hasUniqueKey } from '../../pipeline/deliveries/cutting/record-facts.ts';
import type { FieldPlan, Plan } from '../../pipeline/engine/plan.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import type { JobServices } from '../jobs/job-services.ts';
import { redriveErrors } from './redrive-errors.ts';

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

/** `first`: of the job. Fails with E_REDRIVE_VERSION. */
export async function versionInForce(
  tx: TenantTx,
  services: JobServices,
  { flowId, first, targets }: { readonly flowId: string; readonly first: Plan; readonly targets: readonly string[] | null },
): Promise<RedriveVersion> {
  const [row] = (await tx.query<Omit<RedriveVersion, 'plan'>>(selectInForce, [tx.tenantId, flowId])).rows;
  if (row === undefined) throw refused('no version of the flow is in force');
  const { plan } = await services.flows.load(tx, row.flowVersionId);
  if (!isDeepStrictEqual(plan.format, first.format)) throw refused(`version ${row.flowVersion} has another format`);
  if (!isDeepStrictEqual(identityOf(plan), identityOf(first)))
    throw refused(`version ${row.flowVersion} knows records by other keys or other types`);
  const missing = targets?.find((target) => !plan.targets.some(({ id }) => id === target));
  if (missing !== undefined) throw refused(`version ${row.flowVersion} has no target ${missing}`);
  return { ...row, plan };
}

/** What tells records apart, and so makes their delivery keys and their order. */
function identityOf(plan: Plan) {
  const types = plan.records.map(({ name, role, tag, counted, key, fields }) => ({
    ...{ name, role, tag, counted },
    key: key.map((index) => readingOf(fields[index]!)),
  }));
  return { types, isUnique: hasUniqueKey(plan) };
}

/** What makes the text of a field, and its value. What only refuses some of them does not, nor who may see them. */
const makesText: Readonly<Record<keyof FieldPlan, boolean>> = {
  name: true,
  type: true,
  at: true,
  required: false,
  trim: true,
  minLength: false,
  maxLength: false,
  pattern: false,
  enum: false,
  min: false,
  max: false,
  point: true,
  scale: true,
  usage: true,
  sign: true,
  dateFormat: true,
  unique: false,
  sum: false,
  currencyField: false,
  mask: false,
  class: false,
  search: false,
};

/** The place of a column with a name is not part of it. */
function readingOf(field: FieldPlan) {
  const { at } = field;
  const place = 'column' in at && at.header !== null ? { header: at.header } : at;
  return [place, ...Object.entries(makesText).map(([name, counts]) => (counts && name !== 'at' ? field[name as keyof FieldPlan] : null))];
}

function refused(message: string): HeadgateError {
  return new HeadgateError(redriveErrors.E_REDRIVE_VERSION, message);
}
