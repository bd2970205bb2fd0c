/** A batch that this process has claimed, with all that sending it takes. */
import type { HeadgateError } from '../../platform/base/errors.ts';
import { parseTraceparent } from '../../platform/telemetry/trace-context.ts';
import type { WorkContext } from '../../platform/telemetry/work-context.ts';
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

/** A batch of several jobs belongs to none of them; its trace is that of the first. */
export function workOf({ batch, flow }: Pick<ClaimedBatch, 'batch' | 'flow'>): WorkContext {
  const jobId = batch.members[0]?.jobId;
  const isOfOne = batch.members.every((member) => member.jobId === jobId);
  return {
    trace: parseTraceparent(batch.traceParent),
    tenant: flow.plan.flow.tenant,
    flow: flow.flowName,
    target: batch.targetId,
    batchId: batch.batchId,
    ...(isOfOne && { jobId }),
  };
}
