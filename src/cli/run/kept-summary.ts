/**
 * What a run keeps of a chunk's summary until the file's end. Amounts of stripes are for those who cut batches; a run cuts none, and
 * a big file has thousands of stripes.
 */
import type { ChunkSummary } from '../../pipeline/engine/chunk.ts';

const noAmounts = {};

export function keptSummary(summary: ChunkSummary): ChunkSummary {
  const targets = summary.targets.map((target) => ({
    ...target,
    stripes: target.stripes.map((stripe) => ({ ...stripe, amounts: noAmounts })),
  }));
  return { ...summary, targets };
}
