/**
 * What every message says of itself, so that whoever reads it can find the record and tell a repetition, and a reader of
 * CloudEvents takes it for one (Kafka protocol binding 1.0, binary mode).
 */
import type { OutgoingBatch } from '../connector.ts';

type Header = readonly [name: Buffer, value: Buffer];

const pair = (name: string, value: string): Header => [Buffer.from(name), Buffer.from(value)];

/** The same for every message of an attempt. */
export function commonHeaders(batch: OutgoingBatch, source: string): readonly Header[] {
  return [
    pair('content-type', 'application/json'),
    pair('ce_specversion', '1.0'),
    pair('ce_type', 'headgate.record'),
    pair('ce_source', source),
    pair('ce_time', batch.cutAt.toISOString()),
    pair('headgate-batch-id', batch.batchId),
    pair('headgate-attempt', String(batch.attempt)),
    ...(batch.possibleDuplicate ? [pair('headgate-possible-duplicate', 'true')] : []),
    pair('traceparent', batch.traceparent),
  ];
}

const names = {
  eventId: Buffer.from('ce_id'),
  jobId: Buffer.from('headgate-job-id'),
  recordId: Buffer.from('headgate-record-id'),
  deliveryKey: Buffer.from('headgate-delivery-key'),
};

export function messageHeaders(common: readonly Header[], deliveryKey: string, recordId: string): Map<Buffer, Buffer> {
  const headers = new Map(common);
  const key = Buffer.from(deliveryKey);
  headers.set(names.eventId, key);
  headers.set(names.jobId, Buffer.from(recordId.slice(0, recordId.lastIndexOf('/'))));
  headers.set(names.recordId, Buffer.from(recordId));
  headers.set(names.deliveryKey, key);
  return headers;
}

/** As they are sent, with their lengths. */
export function headerBytes(headers: Iterable<Header>): number {
  let bytes = 0;
  for (const [name, value] of headers) bytes += name.length + value.length + 4;
  return bytes;
}
