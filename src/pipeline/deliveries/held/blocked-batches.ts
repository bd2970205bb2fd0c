/**
 * Takes the records of blocked keys out of a batch before it is sent (decisions 19): they become dead letters that say so,
 * and are counted as dead; what is left goes on in a child. Looked at when a batch is about to be sent rather than when it
 * is cut, because batches that were cut before the key was blocked hold such records too (docs/decisions/0041).
 */
import { withTenant } from '../../../platform/tenancy/tenant-scope.ts';
import { deliveryErrors } from '../delivery-errors.ts';
import type { BatchEnding } from '../endings/batch-ending.ts';
import { changeOf, type EndingContext, endingOfWork } from '../endings/batch-endings.ts';
import { type BatchRecord, readGivenUpRecords } from '../endings/batch-records.ts';
import { splitBatch } from '../endings/batch-split.ts';
import type { NewDeadLetter } from '../endings/dead-letter-store.ts';
import { countBatch } from '../endings/target-counts.ts';
import { everyKey, readBlockedKeys } from './blocked-key-store.ts';

const code = deliveryErrors.E_KEY_BLOCKED;

/** Null: none of its records is held back. The batch is `ready` and its lane is ours, so that no key is blocked meanwhile. */
export async function endingOfBlocked(context: EndingContext): Promise<BatchEnding | null> {
  const { batch, plan, services } = context;
  const blockers = await withTenant(services.db, batch.tenantId, (tx) => readBlockedKeys(tx, batch), { readOnly: true });
  await services.letterRoom.enter(context.work, batch.records);
  const records = await readGivenUpRecords(services, batch, plan);
  const blockerOf = ({ orderKey }: BatchRecord) => (orderKey === null ? undefined : (blockers.get(orderKey) ?? blockers.get(everyKey)));
  const positions = { blocked: [] as number[], free: [] as number[] };
  for (const [position, record] of records.entries()) positions[blockerOf(record) === undefined ? 'free' : 'blocked'].push(position);
  if (positions.blocked.length === 0) {
    services.letterRoom.leave(context.work);
    return null;
  }
  const ending = endingOfWork(context, null);
  if (positions.free.length === 0) {
    return {
      ...ending,
      changes: [changeOf(context, 'ready', 'block', { reasonCode: code, detail: { records: batch.records } })],
      counts: countBatch(batch, 'dead'),
      deadLetters: records.map((record) => letterOf(context, batch.batchId, record, blockerOf(record)!)),
    };
  }
  const [blocked, free] = await splitBatch(services, batch, plan, [positions.blocked, positions.free]);
  return {
    ...ending,
    changes: [
      changeOf(context, 'ready', 'split', { detail: { children: 2 } }),
      changeOf(context, 'ready', 'block', { batchId: blocked!.batchId, reasonCode: code, detail: { records: blocked!.records } }),
    ],
    children: [blocked!, free!],
    childWork: [{ batchId: free!.batchId, delayMs: 0 }],
    counts: countBatch(blocked!, 'dead'),
    deadLetters: positions.blocked.map((position) => {
      const record = records[position]!;
      return letterOf(context, blocked!.batchId, record, blockerOf(record)!);
    }),
  };
}

function letterOf({ batch, services }: EndingContext, batchId: string, record: BatchRecord, blocker: string): NewDeadLetter {
  return {
    deadLetterId: services.ports.ids.next(),
    jobId: record.member.jobId,
    flowId: batch.flowId,
    targetId: batch.targetId,
    batchId,
    recordNumber: record.record,
    cause: 'blocked',
    code,
    message: `an earlier record of the same key was given up: dead letter ${blocker}`,
    deliveryKey: record.deliveryKey,
    amounts: record.amounts,
    mayBeThere: batch.unknownAttempts > 0,
  };
}
