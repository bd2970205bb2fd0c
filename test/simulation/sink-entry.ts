/** One request that the HTTP sink took: a line of its journal. */
export interface SinkEntry {
  readonly path: string;
  /** Idempotency-Key. */
  readonly key: string;
  /** Headgate-Possible-Duplicate was `true`. */
  readonly isLabelled: boolean;
  readonly attempt: number;
  readonly batchId: string;
  /** Of the records taken, in order. */
  readonly ids: readonly string[];
}
