/** What a run over a chunk needs besides bytes, and what a run over an open range says about its end. */
import type { ChunkSummary, EnvelopeRecord } from './chunk.ts';

export interface RunOptions {
  /** 16 bytes: the tenant's search key, or the public one of `headgate run`. */
  readonly hashKey: Uint8Array;
  /** Kept in the segment's header; 0 for the public key. */
  readonly hashKeyVersion?: number;
  /** Without line end; default 16 MiB. A longer record is damage that ends the chunk. */
  readonly maxRecordBytes?: number;
  /** Default 1 MiB. */
  readonly blockBytes?: number;
  /** The header record that the file begins with, null where it has none. Left out: nothing of the file comes before this chunk. */
  readonly header?: EnvelopeRecord | null;
  /** `slow`: every record by the slow path. Results are equal. */
  readonly path?: 'fast' | 'slow';
  /** With `path: 'slow'`: ends behind the first record, header or trailer, however many blank lines and comments are before it. */
  readonly stopsAtFirst?: boolean;
}

export interface OpenRangeResult {
  readonly summary: ChunkSummary;
  /** Where the next range starts, at a record's first byte. */
  readonly end: number;
  /** Number of its first data record. */
  readonly nextRecord: number;
  /** Records, headers and trailers that took the slow path. */
  readonly slowRecords: number;
}
