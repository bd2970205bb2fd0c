/** How a batch is numbered within its flow and target, and what tells a part of a split one from the others: in names of files too. */
import { batchesPerFileMax, sequenceOf } from './batch.ts';
import type { LoadedBatch } from './batch-load.ts';

type Numbered = Pick<LoadedBatch, 'orderNumber' | 'batchId' | 'parentBatchId'>;

/** `<acceptance number>-<place>`; children of a split batch add the end of their id. */
export function numberOf(batch: Numbered): string {
  const { orderNumber } = batch;
  const number = `${Math.floor(orderNumber / batchesPerFileMax)}-${String(sequenceOf(orderNumber)).padStart(4, '0')}`;
  const part = partOf(batch);
  return part === '' ? number : `${number}-${part}`;
}

export function partOf({ batchId, parentBatchId }: Pick<Numbered, 'batchId' | 'parentBatchId'>): string {
  return parentBatchId === null ? '' : batchId.slice(-12);
}
