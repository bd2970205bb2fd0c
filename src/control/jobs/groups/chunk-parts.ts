/** Where the parts of a finished chunk lie, as its row keeps it (`chunks.segments`): one segment may hold the parts of many chunks. */
import type { Stripe } from '../../../pipeline/engine/chunk.ts';

/** Bytes of a sealed segment; `sha256` is the hash of exactly these. */
export interface SegmentPart {
  readonly segmentId: string;
  readonly start: number;
  readonly end: number;
  readonly sha256: string;
}

/** Stripes count from the part's start. */
export type OutputPart = SegmentPart & { readonly stripes: readonly Stripe[] };

export interface ChunkParts {
  readonly outcomes: SegmentPart;
  /** Null: no record of the chunk was rejected. */
  readonly rejections: SegmentPart | null;
  /** By index of the plan's targets; null: no record was routed there. */
  readonly outputs: readonly (OutputPart | null)[];
}
