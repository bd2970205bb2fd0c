/**
 * Takes one claimed batch as far as it goes: what died with another process is recorded first, what is unknown is resolved
 * before it is sent, and an attempt has its row before its first byte. Ends with one transaction, fenced by the claim.
 */
import { HeadgateError } from '../../platform/base/errors.ts';
import { formatTraceparent } from '../../platform/telemetry/trace-context.ts';
import { withSpan } from '../../platform/telemetry/tracing.ts';
import { withWork } from '../../platform/telemetry/work-context.ts';
import type { DeliveryOutcome, Target } from '../connectors/connector.ts';
import type { TargetPlan } from '../engine/plan.ts';
import { writeAbandoned } from './attempt-start.ts';
import type { AttemptResolution } from './attempt-store.ts';
import type { BatchEnding } from './batch-ending.ts';
import {
  changeOf,
  type EndedAttempt,
  type EndingContext,
  endingAsHeld,
  endingOfAttempt,
  endingOfWork,
  endingWithoutAttempt,
} from './batch-endings.ts';
import type { LoadedBatch } from './batch-load.ts';
import { endingOfBlocked } from './blocked-batches.ts';
import { commitForCertain } from './certain-transaction.ts';
import { withDeadline } from './deadline.ts';
import type { DeliveryFlow, TargetBinding } from './delivery-definitions.ts';
import { deliveryErrors } from './delivery-errors.ts';
import type { DeliveryServices } from './delivery-services.ts';
import { type Decision, decide } from './outcome-decision.ts';
import { openOutgoingBatch } from './outgoing-batch.ts';
import { isExhausted } from './retry-schedule.ts';
import type { TargetGate } from './target-gate.ts';
import { endingAsUnreadable, endingOfUnreadable, heldDelayMs } from './unreadable-batches.ts';
import { isUnreadable } from './unreadable-codes.ts';
import type { WorkItem } from './work-queue-port.ts';

export interface ClaimedBatch {
  readonly item: WorkItem;
  readonly batch: LoadedBatch;
  readonly flow: DeliveryFlow;
  readonly target: TargetPlan;
  readonly binding: TargetBinding | HeadgateError;
  readonly gate: TargetGate;
}

export interface HandlerSignals {
  /** Begin nothing new. */
  readonly stopping: AbortSignal;
  /** Give up what is under way. */
  readonly aborting: AbortSignal;
}

interface Sent {
  readonly outcome: DeliveryOutcome;
  /** Why the batch's own bytes could not be read, if so. */
  readonly unreadable: HeadgateError | null;
}

/** How long a batch waits for files accepted before its own, and for a place at a crowded target. */
const waitMs = { earlierFile: 500, crowded: 250 };

export class BatchHandler {
  readonly #services: DeliveryServices;

  readonly #crowdMax: number;

  /** `crowdMax`: batches in hand at which a target's next ones are given back, unless its concurrency is higher. */
  constructor(services: DeliveryServices, crowdMax: number) {
    this.#services = services;
    this.#crowdMax = crowdMax;
  }

  /** Rejects with E_FENCED when the work went to another, and with what the database fails with. */
  async handle(claimed: ClaimedBatch, signals: HandlerSignals): Promise<void> {
    const { batch, flow, target } = claimed;
    const ids = { tenant: flow.plan.flow.tenant, flow: flow.flowName, target: target.id, batchId: batch.batchId };
    await withWork(ids, async () => {
      const ending = await this.#early(claimed);
      if (ending !== null) return await this.#end(claimed, ending);
      await this.#withPlace(claimed, signals);
    });
  }

  /** What needs no target. */
  async #early(claimed: ClaimedBatch): Promise<BatchEnding | null> {
    const context = this.#context(claimed);
    const { batch } = claimed;
    switch (batch.state) {
      case 'ready':
        if (batch.isCancelled) return await this.#cancelled(context, ['cancel']);
        if (batch.mustWait) return endingOfWork(context, this.#jittered(waitMs.earlierFile));
        return batch.hasBlockedKeys ? await this.#readably(context, () => endingOfBlocked(context)) : null;
      case 'unknown':
        return batch.isCancelled ? await this.#cancelled(context, ['hold', 'cancel']) : null;
      case 'sending':
        return null;
      case 'held':
        if (batch.isDecided) return null;
        return endingOfWork(context, heldDelayMs(batch.lane));
      case 'acked':
      case 'refused':
      case 'split':
      case 'dead':
      case 'cancelled':
        return endingOfWork(context, null);
    }
  }

  /** What can't be built because sealed bytes can't be read is held. */
  async #readably<Ending extends BatchEnding | null>(context: EndingContext, build: () => Promise<Ending>): Promise<Ending | BatchEnding> {
    try {
      return await build();
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      this.#reportUnreadable(error);
      return endingAsUnreadable(context, error, context.batch.state);
    }
  }

  #reportUnreadable(error: HeadgateError): void {
    this.#services.logger.error('a batch can not be read and is held', { code: error.code, error });
  }

  async #cancelled(context: EndingContext, events: readonly ('hold' | 'cancel')[]): Promise<BatchEnding> {
    const evidence = 'every job of the batch was cancelled';
    return await endingWithoutAttempt(context, { as: 'cancelled', events, code: null, message: '', evidence });
  }

  async #withPlace(claimed: ClaimedBatch, signals: HandlerSignals): Promise<void> {
    const { batch, gate, target } = claimed;
    const isCrowded = gate.load >= Math.max(this.#crowdMax, target.concurrency * 2);
    const leave = isCrowded ? null : await gate.enter(batch.records, signals.stopping);
    if (leave === null) {
      const delayMs = signals.stopping.aborted ? 0 : this.#jittered(waitMs.crowded);
      return await this.#end(claimed, endingOfWork(this.#context(claimed), delayMs));
    }
    try {
      const { tenantId, flowVersionId } = batch;
      const address = { tenantId, flowVersionId, plan: claimed.flow.plan, target, binding: claimed.binding };
      await this.#services.targets.use(address, (opened) => this.#atTarget(claimed, opened, signals, leave));
    } finally {
      leave();
    }
  }

  /** `leave` gives the place at the target to the next batch. */
  async #atTarget(claimed: ClaimedBatch, opened: Target, signals: HandlerSignals, leave: () => void): Promise<void> {
    const known = claimed.batch.state === 'sending' ? await this.#abandon(claimed) : claimed;
    let resolution: AttemptResolution | null = null;
    if (known.batch.state === 'unknown') {
      const resolved = await this.#resolve(known, opened, signals);
      if ('work' in resolved) return await this.#end(known, resolved);
      resolution = resolved;
    }
    const ending = await this.#attempt(known, opened, resolution, signals);
    // The target has answered: others need not wait until that is written down.
    leave();
    await this.#end(known, ending);
    this.#services.crashPoints.reach('deliveries.after-commit');
  }

  /** The batch as it is after the attempt of a process that ended was recorded as unknown. */
  async #abandon(claimed: ClaimedBatch): Promise<ClaimedBatch> {
    const services = this.#services;
    const { batch, item } = claimed;
    const change = changeOf(this.#context(claimed), 'sending', 'lose', {
      reasonCode: deliveryErrors.E_ATTEMPT_ABANDONED,
      unknownAttempts: 1,
      detail: { attempt: batch.attempts },
    });
    await commitForCertain(services, batch.tenantId, (tx) => writeAbandoned(tx, item, change, services));
    services.metrics.add('headgate_attempts_total', { target: batch.targetId, outcome: 'unknown' }, 1);
    services.logger.warn('an attempt was abandoned by a process that ended', { attempt: batch.attempts });
    return { ...claimed, batch: { ...batch, state: 'unknown', unknownAttempts: batch.unknownAttempts + 1 } };
  }

  /** How the batch ends without being sent, or on what ground it may be sent again. */
  async #resolve(claimed: ClaimedBatch, opened: Target, signals: HandlerSignals): Promise<BatchEnding | AttemptResolution> {
    const { batch, target } = claimed;
    const context = this.#context(claimed);
    const asked = opened.resolve === undefined ? null : await this.#ask(claimed, opened, signals);
    if (asked?.kind === 'acked') {
      return await endingWithoutAttempt(context, {
        as: 'acked',
        events: ['acknowledge'],
        code: null,
        message: '',
        evidence: asked.evidence,
      });
    }
    if (isExhausted(target.retry, batch.attempts)) {
      const evidence = 'no tries are left and nobody knows whether the last one arrived';
      const end = { as: 'dead', events: ['exhaust'], code: deliveryErrors.E_OUTCOME_UNKNOWN, message: evidence, evidence } as const;
      return await this.#readably(context, () => endingWithoutAttempt(context, end));
    }
    const isSafe = asked?.kind === 'resendable' || opened.unknownResolution === 'key';
    if (!isSafe && (opened.unknownResolution === 'person' || target.onUnknown === 'hold')) {
      return endingAsHeld(context, heldDelayMs(batch.lane));
    }
    const evidence =
      asked?.kind === 'resendable' ? asked.evidence : `sent again as attempt ${batch.attempts + 1}, labelled as a possible duplicate`;
    return { batchId: batch.batchId, resolvedAs: 'resent', evidence };
  }

  async #ask(claimed: ClaimedBatch, opened: Target, signals: HandlerSignals) {
    const outgoing = openOutgoingBatch(this.#outgoing(claimed, ''));
    try {
      return await withDeadline(this.#services.ports.sleep, this.#timeoutMs(claimed, opened), signals.aborting, (signal) =>
        opened.resolve!(outgoing.batch, signal),
      );
    } finally {
      outgoing.close();
    }
  }

  async #attempt(
    claimed: ClaimedBatch,
    opened: Target,
    resolution: AttemptResolution | null,
    signals: HandlerSignals,
  ): Promise<BatchEnding> {
    const { starts, ports, crashPoints, leases } = this.#services;
    const { batch, item, target } = claimed;
    const ended = { attemptId: ports.ids.next(), attempt: batch.attempts + 1 };
    crashPoints.reach('deliveries.before-attempt-commit');
    const askedAtMs = ports.clock.monotonicMs();
    await starts.submit(batch.tenantId, {
      work: item,
      change: changeOf(this.#context(claimed), batch.state, 'send', { attempts: 1, detail: { attempt: ended.attempt } }),
      attempt: {
        attemptId: ended.attemptId,
        batchId: batch.batchId,
        attemptNumber: ended.attempt,
        fence: item.fence,
        possibleDuplicate: batch.unknownAttempts > 0,
      },
      resolution,
    });
    leases.extend(item, askedAtMs);
    crashPoints.reach('deliveries.after-attempt-commit');
    const { outcome, unreadable } = await this.#send(claimed, opened, signals);
    crashPoints.reach('deliveries.after-outcome');
    const decision = decide(outcome, { target, attempt: ended.attempt, records: batch.records, rng: ports.rng });
    this.#report(claimed, outcome, decision);
    return await this.#endingAfter(this.#context(claimed), decision, ended, unreadable);
  }

  async #endingAfter(
    context: EndingContext,
    decision: Decision,
    ended: EndedAttempt,
    unreadable: HeadgateError | null,
  ): Promise<BatchEnding> {
    try {
      if (unreadable !== null && decision.kind === 'exhausted') throw unreadable;
      return await endingOfAttempt(context, decision, ended);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      this.#reportUnreadable(error);
      return endingOfUnreadable(context, error, { attemptId: ended.attemptId, decision });
    }
  }

  async #send(claimed: ClaimedBatch, opened: Target, signals: HandlerSignals): Promise<Sent> {
    const { ports, metrics } = this.#services;
    const { batch } = claimed;
    const attributes = {
      target: batch.targetId,
      batchId: batch.batchId,
      attempt: batch.attempts + 1,
      records: batch.records,
      bytes: batch.bytes,
    };
    return await withSpan('deliver batch', { attributes, parent: batch.traceParent, kind: 'producer' }, async (span) => {
      const startedMs = ports.clock.monotonicMs();
      const sent = await this.#deliver(claimed, opened, formatTraceparent(span.context), signals);
      span.set({ outcome: sent.outcome.kind });
      metrics.observe('headgate_attempt_seconds', { target: batch.targetId }, (ports.clock.monotonicMs() - startedMs) / 1_000);
      return sent;
    });
  }

  async #deliver(claimed: ClaimedBatch, opened: Target, traceparent: string, signals: HandlerSignals): Promise<Sent> {
    const { leases, ports } = this.#services;
    let outgoing: ReturnType<typeof openOutgoingBatch>;
    try {
      if (!leases.isCertain(claimed.item))
        throw new HeadgateError(deliveryErrors.E_ATTEMPT_ABANDONED, 'the lease of the batch has run out');
      outgoing = openOutgoingBatch(this.#outgoing(claimed, traceparent));
    } catch (error) {
      if (!(error instanceof HeadgateError)) throw error;
      const outcome = { kind: 'refused', retryable: true, code: error.code, message: error.message } as const;
      return { outcome, unreadable: isUnreadable(error) ? error : null };
    }
    try {
      const outcome = await withDeadline(ports.sleep, this.#timeoutMs(claimed, opened), signals.aborting, (signal) =>
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

  #outgoing({ batch, flow, item }: ClaimedBatch, traceparent: string) {
    const { db, store, leases } = this.#services;
    return {
      source: { db, store },
      batch,
      plan: flow.plan,
      flowName: flow.flowName,
      attempt: batch.attempts + 1,
      possibleDuplicate: batch.unknownAttempts > 0,
      traceparent,
      isOurs: () => leases.isCertain(item),
      oursForMs: leases.certainMs,
    };
  }

  #timeoutMs({ batch, target }: ClaimedBatch, opened: Target): number {
    return opened.attemptTimeoutMs?.({ records: batch.records, bytes: batch.bytes }) ?? target.timeoutMs;
  }

  #context({ batch, flow, item }: ClaimedBatch): EndingContext {
    return { batch, plan: flow.plan, work: item, actor: this.#services.actor, services: this.#services };
  }

  async #end({ batch, flow }: ClaimedBatch, ending: BatchEnding): Promise<void> {
    await this.#services.endings.submit(batch.tenantId, ending);
    const letters = ending.deadLetters.length;
    const labels = { tenant: flow.plan.flow.tenant, target: batch.targetId };
    if (letters > 0) this.#services.metrics.add('headgate_dead_letters_total', labels, letters);
  }

  #report({ batch, flow }: ClaimedBatch, outcome: DeliveryOutcome, decision: Decision): void {
    const { metrics, logger } = this.#services;
    metrics.add('headgate_attempts_total', { target: batch.targetId, outcome: outcome.kind }, 1);
    const labels = { tenant: flow.plan.flow.tenant, target: batch.targetId, outcome: decision.kind };
    metrics.add('headgate_deliveries_total', labels, batch.records);
    if (decision.kind === 'acked') return;
    const fields = { attempt: batch.attempts + 1, outcome: decision.kind, ...('code' in decision ? { code: decision.code } : {}) };
    logger.warn('a batch was not taken as a whole', fields);
  }

  /** Between half and all of it. */
  #jittered(ms: number): number {
    return Math.ceil(ms * (0.5 + this.#services.ports.rng.fraction() / 2));
  }
}
