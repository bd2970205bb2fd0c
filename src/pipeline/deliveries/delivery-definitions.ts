/**
 * What deliveries need of flows, connections and policies. `control/flows` knows them; the wiring in `main` gives this in,
 * because this wing may not import that one.
 */
import type { TenantTx } from '../../platform/tenancy/tenant-scope.ts';
import type { Connection, EgressPolicy } from '../connectors/connector.ts';
import type { Plan } from '../engine/plan.ts';

export interface DeliveryFlow {
  readonly flowName: string;
  /** The same object for the same version, as long as it is cached. */
  readonly plan: Plan;
}

export interface TargetBinding {
  /** Name of the tenant whose scope it was read in, from the tenant's own row: it decides which secrets the connection may have. */
  readonly tenant: string;
  readonly connection: Connection;
  readonly egress: EgressPolicy;
  /** Changes whenever connection or policy do. */
  readonly hash: string;
}

export interface DeliveryDefinitions {
  loadFlow(tx: TenantTx, flowVersionId: string): Promise<DeliveryFlow>;
  /** The connection that stands behind the name now. Fails with a coded error when there is none. */
  loadBinding(tx: TenantTx, connection: string): Promise<TargetBinding>;
}
