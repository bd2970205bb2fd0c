/** Opens the outcome segments of a job's finished chunks, for views of single records. */
import { OutcomeSegment } from '../../../pipeline/engine/outcomes/outcome-segment.ts';
import type { SealedObject, SealedReader, SealedStore } from '../../../platform/storage/object-store.ts';
import type { ChunkParts } from '../groups/chunk-parts.ts';

export interface StoredOutcomes {
  readonly segments: Pick<ChunkParts, 'outcomes'> | null;
  readonly object: SealedObject | null;
}

/** The outcome segments of a chunk, one behind the other in its part; closed when the caller is done or stops. */
export function* openOutcomes(
  store: SealedStore,
  tenantId: string,
  chunk: StoredOutcomes,
): Generator<{ source: SealedReader; at: OutcomeSegment }> {
  if (!chunk.segments || !chunk.object) return;
  const source = store.open(tenantId, chunk.object);
  try {
    for (let start = chunk.segments.outcomes.start; start < chunk.segments.outcomes.end; ) {
      const segment = new OutcomeSegment(source, start);
      yield { source, at: segment };
      start += segment.bytes;
    }
  } finally {
    source.close();
  }
}
