/** What every message says of itself, so that whoever reads it can find the record, and tell a repetition. */
import type { OutgoingBatch } from '../connector.ts';

/** The same for every message of an attempt. */
export function commonHeaders(batch: OutgoingBatch): Record<string, string> {
  return {
    'headgate-batch-id': batch.batchId,
    'headgate-attempt': String(batch.attempt),
    ...(batch.possibleDuplicate ? { 'headgate-possible-duplicate': 'true' } : {}),
    traceparent: batch.traceparent,
  };
}

export function recordHeaders(deliveryKey: string, recordId: string): Record<string, string> {
  return {
    'headgate-job-id': recordId.slice(0, recordId.lastIndexOf('/')),
    'headgate-record-id': recordId,
    'headgate-delivery-key': deliveryKey,
  };
}
