/**
 * How often batches of a target may be cut in half because one of their records may be at fault. A record alone is found in
 * as many halvings as its batch has doublings; a target that refuses everything is not asked record by record.
 */
import type { Clock } from '../../../platform/base/ports.ts';

const burst = 64;
const everyMs = 1_000;
/** Beyond, no target that is not known has any. */
const targetsMax = 10_000;

export interface HalvingBudget {
  /** True, and one less is left, where there is one. */
  take(key: { readonly flowId: string; readonly targetId: string }): boolean;
}

export function createHalvingBudget(clock: Pick<Clock, 'monotonicMs'>): HalvingBudget {
  /** When all of them are there again. */
  const fullAt = new Map<string, number>();
  return {
    take({ flowId, targetId }) {
      const key = `${flowId} ${targetId}`;
      const nowMs = clock.monotonicMs();
      if (fullAt.size >= targetsMax) for (const [known, atMs] of fullAt) if (atMs <= nowMs) fullAt.delete(known);
      if (fullAt.size >= targetsMax && !fullAt.has(key)) return false;
      const nextMs = Math.max(nowMs, fullAt.get(key) ?? 0) + everyMs;
      if (nextMs - nowMs > burst * everyMs) return false;
      fullAt.set(key, nextMs);
      return true;
    },
  };
}
