/**
 * Compiled flow versions by id, for everything that works on one. A version never changes, so that a bounded cache can not
 * be wrong: the rows of other tenants are still out of reach, because the key holds the tenant of the scope.
 */

import type { Plan } from '../../../pipeline/engine/plan.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { TenantTx } from '../../../platform/tenancy/tenant-scope.ts';
import type { FlowDefinition } from '../definition.ts';
import { loadFlow } from '../load-flow.ts';
import { flowStoreErrors } from './flow-store-errors.ts';

export interface StoredFlowVersion {
  readonly flowVersionId: string;
  readonly flowId: string;
  readonly flowName: string;
  readonly version: string;
  readonly hash: string;
  readonly source: string;
}

export interface FlowVersions<Compiled> {
  /** Fails with E_FLOW_UNKNOWN, and with what compiling fails with. */
  load(tx: TenantTx, flowVersionId: string): Promise<Compiled & StoredFlowVersion>;
}

export interface FlowVersionsOptions<Compiled> {
  readonly compile: (stored: StoredFlowVersion) => Compiled;
  readonly entriesMax?: number;
}

const selectVersion = `/* load flow version */
  select v.flow_version_id as "flowVersionId", v.flow_id as "flowId", f.name as "flowName", v.version, v.hash, v.source
  from headgate.flow_versions v join headgate.flows f on f.tenant_id = v.tenant_id and f.flow_id = v.flow_id
  where v.tenant_id = $1 and v.flow_version_id = $2`;

export function createFlowVersions<Compiled>(options: FlowVersionsOptions<Compiled>): FlowVersions<Compiled> {
  const { compile, entriesMax = 256 } = options;
  /** Least recently used first. */
  const cache = new Map<string, Compiled & StoredFlowVersion>();
  return {
    async load(tx, flowVersionId) {
      const key = `${tx.tenantId}/${flowVersionId}`;
      let loaded = cache.get(key);
      if (loaded) cache.delete(key);
      else {
        const stored = (await tx.query<StoredFlowVersion>(selectVersion, [tx.tenantId, flowVersionId])).rows[0];
        if (!stored) throw new HeadgateError(flowStoreErrors.E_FLOW_UNKNOWN, 'there is no flow version of this id');
        loaded = { ...compile(stored), ...stored };
      }
      cache.set(key, loaded);
      if (cache.size > entriesMax) cache.delete(cache.keys().next().value!);
      return loaded;
    },
  };
}

export interface CompiledFlow {
  readonly plan: Plan;
  readonly definition: FlowDefinition;
}

/** The cache of this process. */
const flowVersions = createFlowVersions({ compile: compileStored });

/** A version's plan and definition. Fails with E_FLOW_UNKNOWN, and with E_FLOW_CHANGED when the stored text was tampered with. */
export function loadFlowVersion(tx: TenantTx, flowVersionId: string): Promise<CompiledFlow & StoredFlowVersion> {
  return flowVersions.load(tx, flowVersionId);
}

function compileStored(stored: StoredFlowVersion): CompiledFlow {
  const { plan, definition, hash } = loadFlow(stored.source);
  if (plan === null || definition === null || hash !== stored.hash)
    throw new HeadgateError(
      flowStoreErrors.E_FLOW_CHANGED,
      `the stored text of ${stored.flowName} ${stored.version} is not the one that was applied`,
    );
  return { plan, definition };
}
