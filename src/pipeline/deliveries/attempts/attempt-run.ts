/**
 * One attempt: its row is committed before its first byte leaves, within what its target takes from all processes together;
 * then the connector sends, under a deadline. Asking a target about an earlier attempt goes the same way.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import { formatTraceparent } from '../../../platform/telemetry/trace-context.ts';
import { withSpan } from '../../../platform/telemetry/tracing.ts';
import type { DeliveryOutcome, Resolution, Target } from '../../connectors/connector.ts';
import type { ClaimedBatch } from '../claimed-batch.ts';
import { deliveryErrors } from '../delivery-errors.ts';
import type { DeliveryServices } from '../delivery-services.ts';
import { changeOf, type EndedAttempt, type EndingContext } from '../endings/batch-endings.ts';
import { isUnreadable } from '../endings/unreadable-codes.ts';
import type { AttemptResolution } from './attempt-store.ts';
import { withDeadline } from './deadline.ts';
import { type OpenedBatch, openOutgoingBatch } from './outgoing-batch.ts';
import type { Refusal } from './target-admission.ts';

export interface Sent {
  readonly outcome: DeliveryOutcome;
  /** Why the batch's own bytes could not be read, if so. */
  readonly unreadable: HeadgateError | null;
}

/** How long a batch that may not start yet keeps its place, and how long it waits at most between two tries. */
const placeMs = 2_000;
const triesMs = 100;

/** It may not start for now: for this long, or because the breaker of its target is open. */
export type NotStarted = NonNullable<Refusal>;

/** Once it is started, it is counted as being sent by the batch's gate. Fails with E_FENCED when the work went to another. */
export async function startAttempt(
  { starts, ports, crashPoints, leases }: DeliveryServices,
  attempt: { readonly claimed: ClaimedBatch; readonly context: EndingContext; readonly resolution: AttemptResolution | null },
  stopping: AbortSignal,
): Promise<EndedAttempt | NotStarted> {
  const { claimed, context, resolution } = attempt;
  const { batch, item, gate } = claimed;
  const ended = { attemptId: ports.ids.next(), attempt: batch.attempts + 1 };
  crashPoints.reach('deliveries.before-attempt-commit');
  const untilMs = ports.clock.monotonicMs() + placeMs;
  for (let tries = 0; ; tries++) {
    const askedAtMs = ports.clock.monotonicMs();
    const refusal = await starts.submit(batch.tenantId, {
      work: item,
      change: changeOf(context, batch.state, 'send', {
        attempts: 1,
        via: context.via,
        detail: { attempt: ended.attempt, ...(context.via === null ? {} : { via: context.via }) },
      }),
      attempt: {
        attemptId: ended.attemptId,
        batchId: batch.batchId,
        attemptNumber: ended.attempt,
        fence: item.fence,
        possibleDuplicate: batch.unknownAttempts > 0,
        via: context.via,
      },
      resolution,
      admission: {
        flowId: batch.flowId,
        targetId: claimed.target.id,
        records: batch.records,
        batchRecords: claimed.target.batchRecords,
        attempt: ended.attempt - batch.heldAttempts,
        breaker: claimed.target.breaker,
        gate,
      },
    });
    leases.extend(item, askedAtMs);
    if (refusal === null) return ended;
    if ('openBreaker' in refusal) return refusal;
    const waitMs = Math.max(refusal.waitMs, Math.min(triesMs, 10 * 2 ** tries)) * (0.5 + ports.rng.fraction());
    if (stopping.aborted || ports.clock.monotonicMs() + waitMs > untilMs) return refusal;
    await ports.sleep.sleep(waitMs, stopping);
  }
}

/** Ends with an outcome whatever happens. */
export async function sendAttempt(services: DeliveryServices, claimed: ClaimedBatch, opened: Target, aborting: AbortSignal): Promise<Sent> {
  const { ports, metrics } = services;
  const { attempts, records, bytes } = claimed.batch;
  const targetId = claimed.target.id;
  const attributes = { target: targetId, attempt: attempts + 1, records, bytes };
  return await withSpan('attempt', { attributes, kind: 'producer' }, async (span) => {
    const startedMs = ports.clock.monotonicMs();
    const sent = await deliver(services, { claimed, opened, traceparent: formatTraceparent(span.context) }, aborting);
    span.set({ outcome: sent.outcome.kind });
    metrics.observe('headgate_attempt_seconds', { target: targetId }, (ports.clock.monotonicMs() - startedMs) / 1_000);
    return sent;
  });
}

async function deliver(
  services: DeliveryServices,
  attempt: { readonly claimed: ClaimedBatch; readonly opened: Target; readonly traceparent: string },
  aborting: AbortSignal,
): Promise<Sent> {
  const { leases, ports } = services;
  const { claimed, opened, traceparent } = attempt;
  let outgoing: OpenedBatch;
  try {
    if (!leases.isCertain(claimed.item)) throw new HeadgateError(deliveryErrors.E_ATTEMPT_ABANDONED, 'the lease of the batch has run out');
    outgoing = openBatch(services, claimed, traceparent);
  } catch (error) {
    if (!(error instanceof HeadgateError)) throw error;
    const outcome = { kind: 'refused', retryable: true, code: error.code, message: error.message } as const;
    return { outcome, unreadable: isUnreadable(error) ? error : null };
  }
  try {
    const outcome = await withDeadline(ports.sleep, timeoutMsOf(claimed, opened), aborting, (signal) =>
      opened.deliver(outgoing.batch, signal),
    );
    const { unreadable } = outgoing;
    // Not the target's verdict: the bytes may be back at the next attempt.
    if (unreadable !== null && outcome.kind === 'refused') return { outcome: { ...outcome, retryable: true }, unreadable };
    return { outcome, unreadable };
  } finally {
    outgoing.close();
  }
}

/** Of a target that can be asked. With a batch that can't be read nothing can be asked; the attempt that follows says so. */
export async function askTarget(
  services: DeliveryServices,
  claimed: ClaimedBatch,
  opened: Target,
  aborting: AbortSignal,
): Promise<Resolution> {
  let outgoing: OpenedBatch;
  try {
    outgoing = openBatch(services, claimed, '');
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return { kind: 'unresolved', code: error.code };
  }
  try {
    return await withDeadline(services.ports.sleep, timeoutMsOf(claimed, opened), aborting, (signal) =>
      opened.resolve!(outgoing.batch, signal),
    );
  } finally {
    outgoing.close();
  }
}

function openBatch({ db, store, leases }: DeliveryServices, { batch, flow, item }: ClaimedBatch, traceparent: string): OpenedBatch {
  return openOutgoingBatch({
    source: { db, store },
    batch,
    plan: flow.plan,
    flowName: flow.flowName,
    attempt: batch.attempts + 1,
    possibleDuplicate: batch.unknownAttempts > 0,
    traceparent,
    isOurs: () => leases.isCertain(item),
    oursForMs: leases.certainMs,
  });
}

function timeoutMsOf({ batch, target }: ClaimedBatch, opened: Target): number {
  return opened.attemptTimeoutMs?.({ records: batch.records, bytes: batch.bytes }) ?? target.timeoutMs;
}
