/**
 * What was begun while its flow was enabled is accepted only while it is: the flow stays enabled until the accepting transaction ends,
 * and once somebody was told that it is disabled, nothing is accepted for it. Polled sources prove the same by their lease.
 */
import { HeadgateError } from '../../platform/base/errors.ts';
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import { arrivalErrors } from './arrival-errors.ts';
import type { ArrivalFlow } from './arrival-plan.ts';

const lockFlow = '/* prove flow enabled */ select enabled from headgate.flows where tenant_id = $1 and flow_id = $2 for share';

/** Fails with E_FLOW_DISABLED. */
export async function proveEnabled(tx: TenantTx, { flowId, flowName }: Pick<ArrivalFlow, 'flowId' | 'flowName'>): Promise<void> {
  const { rows } = await tx.query<{ enabled: boolean }>(lockFlow, [tx.tenantId, flowId]);
  if (rows[0]?.enabled !== true) throw new HeadgateError(arrivalErrors.E_FLOW_DISABLED, `the flow ${flowName} was disabled meanwhile`);
}
