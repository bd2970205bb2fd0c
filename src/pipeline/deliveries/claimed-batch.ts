/** A batch that this process has claimed, with all that sending it takes. */
import type { HeadgateError } from '../../platform/base/errors.ts';
import type { TargetPlan } from '../engine/plan.ts';
import type { TargetGate } from './attempts/target-gate.ts';
import type { LoadedBatch } from './batch-load.ts';
import type { StoredBreaker } from './breakers/breaker-store.ts';
import type { DeliveryFlow, TargetBinding } from './delivery-definitions.ts';
import type { WorkItem } from './work-queue-port.ts';

/** Where batches can be sent. */
export interface Destination {
  readonly target: TargetPlan;
  readonly binding: TargetBinding | HeadgateError;
  readonly gate: TargetGate;
  /** Of the target, as it was when the batch was claimed; undefined: it has none. */
  readonly breaker: StoredBreaker | undefined;
}

/** `target` and what belongs to it: where it is sent, its own target or that one's backup. */
export interface ClaimedBatch extends Destination {
  readonly item: WorkItem;
  readonly batch: LoadedBatch;
  readonly flow: DeliveryFlow;
  /** Whose records they are, and whose rules of trying hold. */
  readonly own: Destination;
  readonly backup: Destination | null;
  readonly via: string | null;
}
