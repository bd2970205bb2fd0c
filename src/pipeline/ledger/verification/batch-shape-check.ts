/**
 * What every batch of a list must look like whoever made it: it holds something, names its lines once and in the order of
 * the file, was sent with lines of other jobs only where its target lets jobs share a batch, and is labelled where its records may
 * have arrived before.
 */
import type { Plan } from '../../engine/plan.ts';
import type { BatchEntry, SegmentRange } from '../batch-list.ts';
import type { ReceiptRedrive } from '../receipt.ts';
import { isShared } from './body-check.ts';
import type { VerificationLog } from './verification-report.ts';

export interface BatchShapes {
  readonly plan: Plan;
  /** Of a job that sends records again. */
  readonly redrive: ReceiptRedrive | undefined;
  readonly log: VerificationLog;
}

export function checkBatchShapes(entries: readonly BatchEntry[], { plan, redrive, log }: BatchShapes): void {
  const apart = new Set(
    plan.targets.filter(({ settings, windowMs }) => settings['rollUp'] === false && windowMs === undefined).map(({ id }) => id),
  );
  entries.forEach((entry, at) => {
    const before = entries[at - 1];
    const check = (isSound: boolean, message: string) =>
      log.check('batches', isSound ? null : { code: 'E_VERIFY_BATCHES', at: `batch ${entry.id}`, message });
    check(before === undefined || before.id < entry.id, 'it is not in its place in the list');
    check(entry.records > 0 && entry.ranges.length > 0, 'it holds nothing');
    check(areInOrder(entry.ranges), 'its lines are not in the order of the file, or named twice');
    check(!isShared(entry) || !apart.has(entry.target), 'its body is not its lines, and its target shares no batches');
    if (redrive?.possibleDuplicate === true) check(entry.unknownAttempts > 0, 'it is not labelled as one that may have arrived before');
  });
}

function areInOrder(ranges: readonly SegmentRange[]): boolean {
  return ranges.every(({ chunk, start, end }, at) => {
    const before = ranges[at - 1];
    return start < end && (before === undefined || before.chunk < chunk || (before.chunk === chunk && before.end <= start));
  });
}
