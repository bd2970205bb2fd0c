/** A batch as its connector sees it: exact bytes from the sealed segments, keys on demand. */
import { hash } from 'node:crypto';
import { HeadgateError } from '../../../platform/base/errors.ts';
import { isPlanted } from '../../../platform/base/planted-faults.ts';
import type { BatchBody, OutgoingBatch } from '../../connectors/connector.ts';
import { addAmounts } from '../../engine/amount-totals.ts';
import { segmentPreamble } from '../../engine/bodies/body-writer.ts';
import type { FieldAmounts } from '../../engine/chunk.ts';
import type { Plan } from '../../engine/plan.ts';
import { segmentLines } from '../../engine/segment-lines.ts';
import { recordsByJob } from '../batch.ts';
import type { LoadedBatch } from '../batch-load.ts';
import { numberOf, partOf } from '../batch-number.ts';
import { bodyPieces } from '../cutting/body-hash.ts';
import { readRange, SegmentReaders } from '../cutting/segment-readers.ts';
import { deliveryErrors } from '../delivery-errors.ts';
import { type BatchRecord, type RecordSource, readBatchRecords } from '../endings/batch-records.ts';
import { isUnreadable } from '../endings/unreadable-codes.ts';

export interface OutgoingContext {
  readonly source: RecordSource;
  readonly batch: LoadedBatch;
  readonly plan: Plan;
  readonly flowName: string;
  readonly attempt: number;
  readonly possibleDuplicate: boolean;
  readonly traceparent: string;
  /** False once the lease may run out within `oursForMs`: no byte may leave then, because another worker may be sending soon. */
  isOurs(): boolean;
  readonly oursForMs: number;
}

export interface OpenedBatch {
  readonly batch: OutgoingBatch;
  /** Why its bytes or keys could not be read, once they could not. */
  readonly unreadable: HeadgateError | null;
  close(): void;
}

/** Opens every segment, so that one that can't be read fails before anything is sent. Close it after the attempt. */
export function openOutgoingBatch(context: OutgoingContext): OpenedBatch {
  const { source, batch, plan, flowName } = context;
  const readers = new SegmentReaders(source.store, batch.tenantId);
  try {
    for (const object of batch.segments.values()) readers.open(object);
  } catch (error) {
    readers.close();
    throw error;
  }
  let records: Promise<readonly BatchRecord[]> | undefined;
  const readRecords = () => (records ??= readBatchRecords(source, batch, plan).catch(failed));
  const isOrdered = plan.targets.find(({ id }) => id === batch.targetId)!.order === 'by-key';
  let unreadable: HeadgateError | null = null;
  const assertOurs = () => {
    if (!context.isOurs()) throw new HeadgateError(deliveryErrors.E_ATTEMPT_ABANDONED, 'the lease of the batch has run out');
  };
  const failed = (error: unknown): never => {
    if (isUnreadable(error)) unreadable = error;
    throw error;
  };
  const keyOf = isPlanted('new-key-on-retry') ? (key: string) => hash('sha256', `${key} ${context.attempt}`) : (key: string) => key;
  return {
    batch: {
      batchId: batch.batchId,
      attempt: context.attempt,
      possibleDuplicate: context.possibleDuplicate,
      isIdSent: batch.lostAttempts > 0,
      jobIds: [...recordsByJob(batch.members).keys()],
      flowName,
      fileName: batch.fileName,
      number: numberOf(batch),
      sequence: batch.fileSequence,
      part: partOf(batch),
      cutAt: batch.cutAt,
      records: batch.records,
      get amounts() {
        return batch.members.reduce<FieldAmounts>((sum, member) => addAmounts(sum, member.amounts), {});
      },
      body: bodyOf(context, readers, { assertOurs, failed }),
      assertOurs,
      oursForMs: context.oursForMs,
      secretFor: (purpose) =>
        source.store.deriveKey(batch.tenantId, batch.segments.get(batch.spans[0]!.segmentId)!, `${purpose} ${batch.batchId}`),
      deliveryKeys: async () => (await readRecords()).map((record) => keyOf(record.deliveryKey)),
      recordIds: async () => (await readRecords()).map(({ member, record }) => `${member.jobId}/${record}`),
      orderKeys: isOrdered ? async () => (await readRecords()).map((record) => record.orderKey) : null,
      traceparent: context.traceparent,
    },
    get unreadable() {
      return unreadable;
    },
    close: () => readers.close(),
  };
}

/** Behind more than the first, so that a body that fills the socket's buffers ends with a piece that is handed over last. */
const tailBytes = 512;
const tailedBytesMin = 16 * 1024;

/** Nothing is handed over without a look at the lease right before: a body that was begun is not ended by who lost it. */
function bodyOf({ batch, plan }: OutgoingContext, readers: SegmentReaders, guards: BodyGuards): BatchBody {
  const target = plan.targets.findIndex(({ id }) => id === batch.targetId);
  const { body } = plan.targets[target]!;
  const open = (segmentId: string) => readers.open(batch.segments.get(segmentId)!);
  function* linesOf() {
    for (const { segmentId, ranges } of batch.spans) {
      for (let index = 0; index < ranges.length; index += 2) {
        yield* segmentLines(body, readRange(open(segmentId), ranges[index]!, ranges[index + 1]!));
      }
    }
  }
  return {
    sizeBytes: batch.bytes,
    sha256: batch.bodySha256,
    preamble: segmentPreamble(plan, target),
    pieces: (options) => guarded(withTail(bodyPieces(batch.spans, open, options), batch.bytes), guards),
    lines: () => guarded(linesOf(), guards),
  };
}

interface BodyGuards {
  assertOurs(): void;
  failed(error: unknown): never;
}

function* guarded<Piece extends Uint8Array>(pieces: Iterable<Piece>, { assertOurs, failed }: BodyGuards): Generator<Piece> {
  const iterator = pieces[Symbol.iterator]();
  const next = () => {
    try {
      return iterator.next();
    } catch (error) {
      return failed(error);
    }
  };
  for (let piece = next(); !piece.done; piece = next()) {
    assertOurs();
    yield piece.value;
  }
}

function* withTail(pieces: Iterable<Buffer>, bytes: number): Generator<Buffer> {
  let left = bytes;
  for (const piece of pieces) {
    left -= piece.length;
    if (left > 0 || piece.length < tailedBytesMin) yield piece;
    else {
      yield piece.subarray(0, -tailBytes);
      yield piece.subarray(-tailBytes);
    }
  }
}
