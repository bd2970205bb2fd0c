/** What outside parties write into their journals for what came to them. */

/** One request that the HTTP sink took. */
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

/** One message that a consumer took from a topic or a queue. */
export interface MessageEntry {
  readonly id: string;
  /** Of the header headgate-delivery-key. */
  readonly key: string;
  /** The header headgate-possible-duplicate was `true`. */
  readonly isLabelled: boolean;
}
