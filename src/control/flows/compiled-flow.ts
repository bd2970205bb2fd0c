/** A stored flow version as everything that works on it needs it: compiled once, kept in a bounded cache. */

import type { Plan } from '../../pipeline/engine/plan.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import type { FlowDefinition } from './definition.ts';
import { flowStoreErrors } from './flow-store-errors.ts';
import { createFlowVersions, type FlowVersions } from './flow-store-versions.ts';
import { loadFlow } from './load-flow.ts';

export interface CompiledFlow {
  readonly definition: FlowDefinition;
  readonly plan: Plan;
}

export type CompiledFlows = FlowVersions<CompiledFlow>;

/** A version that this program no longer accepts, or compiles to another hash than it was stored under, is E_FLOW_UNKNOWN. */
export function createCompiledFlows(): CompiledFlows {
  return createFlowVersions<CompiledFlow>({
    compile({ source, hash, version }) {
      const { definition, plan, hash: found } = loadFlow(source);
      if (!definition || !plan || found !== hash)
        throw new HeadgateError(
          flowStoreErrors.E_FLOW_UNKNOWN,
          `version ${version} of the flow does not compile to the hash it was applied with`,
        );
      return { definition, plan };
    },
  });
}
