/** From what became of the single records of a batch to its outcome. */
import type { DeliveryOutcome, RecordResult } from './connector.ts';

export type FailedRecord = RecordResult & { readonly message: string };

/**
 * One outcome for the batch where its records agree. A batch of which nothing was taken and something may have been is unknown
 * as a whole: it goes again as it is.
 */
export function joinResults(failed: readonly FailedRecord[], records: number): DeliveryOutcome {
  if (failed.length === 0) return { kind: 'acked' };
  if (failed.length < records) return { kind: 'acked', perRecord: failed };
  const unknown = failed.find(({ status }) => status === 'unknown');
  const refused = failed.find(({ status }) => status === 'refused');
  if (unknown !== undefined && refused === undefined) return { kind: 'unknown', code: unknown.code, message: unknown.message };
  const [first] = failed;
  // What is sent again gets another answer; those refused for good keep their own codes.
  const isSame = failed.every(({ status, code }) => status === first!.status && (status !== 'refused' || code === first!.code));
  if (!isSame) return { kind: 'acked', perRecord: failed };
  return { kind: 'refused', retryable: first!.status === 'retry', code: first!.code, message: first!.message };
}
