/**
 * Batches whose sealed bytes can't be read: lost, damaged, or without their key. They are tried again as a target that is
 * away, then held with the code of the storage, because their bytes may come back from a copy: a person has them sent once
 * the object is restored, or cancels the job. Never dropped: what they hold was not delivered.
 */
import type { HeadgateError } from '../../../platform/base/errors.ts';
import type { AttemptEnding } from '../attempts/attempt-store.ts';
import type { Decision } from '../attempts/outcome-decision.ts';
import type { BatchState } from '../batch-state.ts';
import { heldLookMs } from '../held/held-delay.ts';
import type { BatchEnding } from './batch-ending.ts';
import { changeOf, type EndingContext, endingOfWork } from './batch-endings.ts';

/** After an attempt; the batch is `sending`. What the target said stays with the attempt, as far as it says one thing. */
export function endingOfUnreadable(
  context: EndingContext,
  error: HeadgateError,
  ended: { readonly attemptId: string; readonly decision: Decision },
): BatchEnding {
  const { decision, attemptId } = ended;
  const refusal =
    decision.kind === 'split' ? decision.refusal : decision.kind === 'refused' || decision.kind === 'exhausted' ? decision : undefined;
  const attempt: AttemptEnding = {
    attemptId,
    outcome: refusal ? 'refused' : 'unknown',
    reasonCode: (refusal ?? error).code,
    message: (refusal ?? error).message,
  };
  const first = refusal
    ? changeOf(context, 'sending', 'retry', { reasonCode: refusal.code })
    : changeOf(context, 'sending', 'lose', { reasonCode: error.code, unknownAttempts: 1 });
  const held = endingAsUnreadable(context, error, refusal ? 'ready' : 'unknown');
  return { ...held, attempt, changes: [first, ...held.changes] };
}

/** Without an attempt: the batch waits as `ready` or `unknown`. */
export function endingAsUnreadable(context: EndingContext, error: HeadgateError, from: BatchState): BatchEnding {
  const ending = endingOfWork(context, heldLookMs);
  return { ...ending, changes: [changeOf(context, from, 'hold', { reasonCode: error.code })] };
}
