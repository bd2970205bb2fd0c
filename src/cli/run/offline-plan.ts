/** The plan of a flow as it runs without a server. */
import type { Plan } from '../../pipeline/engine/plan.ts';

/** Whole stripes are read where records have to be taken out of them. */
const stripeBytesMax = 16 * 1024 * 1024;

/** Nothing is sent here, so the engine need not keep account of small batches. */
export function withoutBatches(plan: Plan): Plan {
  return {
    ...plan,
    targets: plan.targets.map((target) => ({ ...target, batchRecords: Number.MAX_SAFE_INTEGER, batchBytes: stripeBytesMax })),
  };
}
