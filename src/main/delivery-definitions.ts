/** What deliveries and probes need of flows, connections and policies, from `control/flows`, with the tenant's own name. */
import { createHash } from 'node:crypto';
import { findBoundConnection, findEgress } from '../control/flows/applying/bound-connections.ts';
import { loadFlowVersion } from '../control/flows/applying/flow-store-versions.ts';
import type { DeliveryDefinitions } from '../pipeline/deliveries/delivery-definitions.ts';
import { findOwnTenant } from '../platform/access/tenants.ts';
import type { TenantTx } from '../platform/tenancy/tenant-scope.ts';

export function createDeliveryDefinitions(environment: string): DeliveryDefinitions {
  /** A tenant is never renamed, and its id never another's. */
  const tenants = new Map<string, string>();
  async function tenantOf(tx: TenantTx): Promise<string> {
    const known = tenants.get(tx.tenantId) ?? (await findOwnTenant(tx)).name;
    tenants.set(tx.tenantId, known);
    return known;
  }
  return {
    loadFlow: loadFlowVersion,
    async loadBinding(tx, name) {
      // A target whose type needs no connection names none.
      const connection = name === '' ? { name, type: 'none', settings: {} } : await findBoundConnection(tx, name, environment);
      const egress = await findEgress(tx);
      return {
        tenant: await tenantOf(tx),
        connection,
        egress,
        hash: createHash('sha256')
          .update(JSON.stringify([connection, egress]))
          .digest('hex'),
      };
    },
  };
}
