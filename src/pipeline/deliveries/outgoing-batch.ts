/** A batch as its connector sees it: exact bytes from the sealed segments, keys on demand. */
import { hash } from 'node:crypto';
import { HeadgateError } from '../../platform/base/errors.ts';
import { isPlanted } from '../../platform/base/planted-faults.ts';
import type { BatchBody, OutgoingBatch } from '../connectors/connector.ts';
import { segmentPreamble } from '../engine/bodies/body-writer.ts';
import type { Plan } from '../engine/plan.ts';
import { segmentLines } from '../engine/segment-lines.ts';
import { batchesPerFileMax, recordsByJob, sequenceOf } from './batch.ts';
import type { LoadedBatch } from './batch-load.ts';
import { type RecordSource, readBatchRecords } from './batch-records.ts';
import { bodyPieces } from './body-hash.ts';
import { deliveryErrors } from './delivery-errors.ts';
import { readRange, SegmentReaders } from './segment-readers.ts';

export interface OutgoingContext {
  readonly source: RecordSource;
  readonly batch: LoadedBatch;
  readonly plan: Plan;
  readonly flowName: string;
  readonly attempt: number;
  readonly possibleDuplicate: boolean;
  readonly traceparent: string;
  /** False once the lease has run out: no byte may leave then, because another worker may be sending. */
  isOurs(): boolean;
}

/** Opens every segment, so that one that can't be read fails before anything is sent. Close it after the attempt. */
export function openOutgoingBatch(context: OutgoingContext): { readonly batch: OutgoingBatch; close(): void } {
  const { source, batch, plan, flowName } = context;
  const readers = new SegmentReaders(source.store, batch.tenantId);
  try {
    for (const object of batch.segments.values()) readers.open(object);
  } catch (error) {
    readers.close();
    throw error;
  }
  let keys: Promise<readonly string[]> | undefined;
  const keyOf = isPlanted('new-key-on-retry') ? (key: string) => hash('sha256', `${key} ${context.attempt}`) : (key: string) => key;
  return {
    batch: {
      batchId: batch.batchId,
      attempt: context.attempt,
      possibleDuplicate: context.possibleDuplicate,
      jobIds: [...recordsByJob(batch.members).keys()],
      flowName,
      fileName: batch.fileName,
      number: numberOf(batch),
      cutAt: batch.cutAt,
      records: batch.records,
      body: bodyOf(context, readers),
      deliveryKeys: () =>
        (keys ??= readBatchRecords(source, batch, plan).then((records) => records.map((record) => keyOf(record.deliveryKey)))),
      traceparent: context.traceparent,
    },
    close: () => readers.close(),
  };
}

/** `<acceptance number>-<place>`; children of a split batch add the end of their id. */
function numberOf({ batchId, orderNumber, parentBatchId }: LoadedBatch): string {
  const number = `${Math.floor(orderNumber / batchesPerFileMax)}-${String(sequenceOf(orderNumber)).padStart(4, '0')}`;
  return parentBatchId === null ? number : `${number}-${batchId.slice(-12)}`;
}

function bodyOf({ batch, plan, isOurs }: OutgoingContext, readers: SegmentReaders): BatchBody {
  const target = plan.targets.findIndex(({ id }) => id === batch.targetId);
  const { body } = plan.targets[target]!;
  const open = (segmentId: string) => readers.open(batch.segments.get(segmentId)!);
  const assertOurs = () => {
    if (!isOurs()) throw new HeadgateError(deliveryErrors.E_ATTEMPT_ABANDONED, 'the lease of the batch has run out');
  };
  return {
    sizeBytes: batch.bytes,
    sha256: batch.bodySha256,
    preamble: segmentPreamble(plan, target),
    *pieces(options) {
      assertOurs();
      yield* bodyPieces(batch.spans, open, options);
    },
    *lines() {
      assertOurs();
      for (const { segmentId, ranges } of batch.spans) {
        for (let index = 0; index < ranges.length; index += 2) {
          yield* segmentLines(body, readRange(open(segmentId), ranges[index]!, ranges[index + 1]!));
        }
      }
    },
  };
}
