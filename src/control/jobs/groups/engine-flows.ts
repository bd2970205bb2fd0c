/** Flows as the engine runs them, compiled once per thread and flow version, the last few kept. */
import { type CompiledFlow, compileFlow } from '../../../pipeline/engine/compile-flow.ts';
import type { Plan } from '../../../pipeline/engine/plan.ts';

const compiledMax = 64;
const compiled = new Map<string, CompiledFlow>();

export function compiledFlowOf(run: { readonly tenantId: string; readonly flowVersionId: string; readonly plan: Plan }): CompiledFlow {
  const name = `${run.tenantId}/${run.flowVersionId}/${run.plan.redriveTo === undefined ? '' : JSON.stringify(run.plan.redriveTo)}`;
  let flow = compiled.get(name);
  if (flow === undefined) {
    if (compiled.size >= compiledMax) compiled.delete(compiled.keys().next().value!);
    compiled.set(name, (flow = compileFlow(run.plan)));
  }
  return flow;
}
