/** From claimed work to batches that can be handled: rows, flows, connections and gates, one read transaction per tenant. */
import { HeadgateError } from '../../platform/base/errors.ts';
import type { Ports } from '../../platform/base/ports.ts';
import type { Db } from '../../platform/postgres/database.ts';
import { retryTransient } from '../../platform/postgres/transient-retry.ts';
import { type TenantTx, withTenant } from '../../platform/tenancy/tenant-scope.ts';
import { connectorErrors } from '../connectors/connector-errors.ts';
import type { TargetPlan } from '../engine/plan.ts';
import { createTargetGate, type SendingCount, type TargetGate } from './attempts/target-gate.ts';
import { type LoadedBatch, loadBatches } from './batch-load.ts';
import { routed } from './breakers/backup-route.ts';
import { breakerName, readBreakers } from './breakers/breaker-store.ts';
import type { ClaimedBatch, Destination } from './claimed-batch.ts';
import type { DeliveryDefinitions, DeliveryFlow, TargetBinding } from './delivery-definitions.ts';
import type { WorkItem } from './work-queue-port.ts';

export interface ClaimLoader {
  /** Work whose batch has no row is left out. Fails as the database does. */
  load(tenantId: string, items: readonly WorkItem[]): Promise<ClaimedBatch[]>;
}

export interface ClaimLoaderOptions {
  readonly db: Db;
  readonly definitions: DeliveryDefinitions;
  readonly ports: Ports;
}

/** Gates are kept for as many targets as this; forgetting one costs a moment of more concurrency. */
const gatesMax = 1_000;

export function createClaimLoader({ db, definitions, ports }: ClaimLoaderOptions): ClaimLoader {
  const gates = new Map<string, TargetGate>();
  const counts = new Map<string, SendingCount>();

  /** Per flow and target, over its versions; changed limits make a new gate, which counts what is sent through the old one too. */
  function gateOf({ tenantId, flowId }: LoadedBatch, { id, concurrency, ratePerSecond }: TargetPlan): TargetGate {
    const name = `${tenantId} ${flowId} ${id}`;
    const key = `${name} ${concurrency} ${ratePerSecond}`;
    const sending = counts.get(name) ?? { value: 0 };
    counts.set(name, sending);
    const gate = gates.get(key) ?? createTargetGate({ concurrency, ratePerSecond }, ports.clock, sending);
    gates.delete(key);
    gates.set(key, gate);
    for (const [oldKey, old] of gates) {
      if (gates.size <= gatesMax) break;
      if (old.load === 0) gates.delete(oldKey);
    }
    for (const [oldName, { value }] of counts) {
      if (counts.size <= gatesMax) break;
      if (value === 0 && oldName !== name) counts.delete(oldName);
    }
    return gate;
  }

  async function read(tx: TenantTx, items: readonly WorkItem[]): Promise<ClaimedBatch[]> {
    const byBatch = new Map(items.map((item) => [item.referenceId, item]));
    const batches = await loadBatches(tx, [...byBatch.keys()]);
    const flows = new Map<string, DeliveryFlow>();
    const bindings = new Map<string, TargetBinding | HeadgateError>();
    const breakers = await readBreakers(
      tx,
      batches.map(({ flowId }) => flowId),
    );
    async function destinationOf(batch: LoadedBatch, target: TargetPlan): Promise<Destination> {
      const name = target.connection ?? '';
      let binding = bindings.get(name);
      if (binding === undefined) bindings.set(name, (binding = await bindingOf(tx, name)));
      return { target, binding, gate: gateOf(batch, target), breaker: breakers.get(breakerName({ ...batch, targetId: target.id })) };
    }
    const claimed: ClaimedBatch[] = [];
    for (const batch of batches) {
      let flow = flows.get(batch.flowVersionId);
      if (flow === undefined) flows.set(batch.flowVersionId, (flow = await definitions.loadFlow(tx, batch.flowVersionId)));
      const { targets } = flow.plan;
      const own = await destinationOf(batch, targets.find(({ id }) => id === batch.targetId)!);
      const backup = own.target.backup === null ? null : await destinationOf(batch, asBackup(targets, own.target));
      claimed.push(routed({ item: byBatch.get(batch.batchId)!, batch, flow, own, backup }));
    }
    return claimed;
  }

  /** A connection that is missing, or can't be read as one, is a fault of settings and not the batch's. */
  async function bindingOf(tx: TenantTx, name: string): Promise<TargetBinding | HeadgateError> {
    try {
      return await definitions.loadBinding(tx, name);
    } catch (error) {
      if (!(error instanceof HeadgateError) || error.code.startsWith('E_DATABASE_')) throw error;
      return new HeadgateError(connectorErrors.E_TARGET, error.message, { cause: error });
    }
  }

  return {
    load: (tenantId, items) =>
      retryTransient(() => withTenant(db, tenantId, (tx) => read(tx, items), { readOnly: true }), { ports, attemptsMax: 3 }),
  };
}

/** It keeps the order of whom it stands in for. */
function asBackup(targets: readonly TargetPlan[], { backup, order }: TargetPlan): TargetPlan {
  return { ...targets.find(({ id }) => id === backup)!, order };
}
