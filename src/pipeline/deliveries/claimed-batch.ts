/** A batch that this process has claimed, with all that sending it takes. */
import type { HeadgateError } from '../../platform/base/errors.ts';
import type { TargetPlan } from '../engine/plan.ts';
import type { TargetGate } from './attempts/target-gate.ts';
import type { LoadedBatch } from './batch-load.ts';
import type { StoredBreaker } from './breakers/breaker-store.ts';
import type { DeliveryFlow, TargetBinding } from './delivery-definitions.ts';
import type { WorkItem } from './work-queue-port.ts';

export interface ClaimedBatch {
  readonly item: WorkItem;
  readonly batch: LoadedBatch;
  readonly flow: DeliveryFlow;
  readonly target: TargetPlan;
  readonly binding: TargetBinding | HeadgateError;
  readonly gate: TargetGate;
  /** Of the target, as it was when the batch was claimed; undefined: it has none. */
  readonly breaker: StoredBreaker | undefined;
}
