/**
 * Takes one claimed batch as far as it goes: what died with another process is recorded first, what is unknown is resolved
 * before it is sent, and an attempt has its row before its first byte. Ends with one transaction, fenced by the claim.
 */
import type { HeadgateError } from '../../platform/base/errors.ts';
import { withSpan } from '../../platform/telemetry/tracing.ts';
import { withTenant } from '../../platform/tenancy/tenant-scope.ts';
import type { DeliveryOutcome, Resolution, Target } from '../connectors/connector.ts';
import { connectorErrors } from '../connectors/connector-errors.ts';
import type { TargetPlan } from '../engine/plan.ts';
import { askTarget, type Sent, sendAttempt, startAttempt } from './attempts/attempt-run.ts';
import { writeAbandoned } from './attempts/attempt-start.ts';
import type { AttemptResolution } from './attempts/attempt-store.ts';
import { reportDecision } from './attempts/decision-report.ts';
import { createHalvingBudget, type HalvingBudget } from './attempts/halving-budget.ts';
import { type Decision, decide } from './attempts/outcome-decision.ts';
import { createRefusedLogins, type RefusedLogins } from './attempts/refused-logins.ts';
import { isExhausted } from './attempts/retry-schedule.ts';
import type { TargetCrowd, TargetPlace } from './attempts/target-crowd.ts';
import { noLane } from './batch.ts';
import type { LoadedBatch } from './batch-load.ts';
import { jittered, waitForTarget, waitMs } from './batch-waits.ts';
import type { StoredBreaker } from './breakers/breaker-store.ts';
import { endingAsParked, endingAsResumed, parkedLookMs } from './breakers/parked-batches.ts';
import { type Health, healthOf } from './breakers/target-health.ts';
import { commitForCertain } from './certain-transaction.ts';
import type { ClaimedBatch } from './claimed-batch.ts';
import { deliveryErrors } from './delivery-errors.ts';
import type { DeliveryServices } from './delivery-services.ts';
import { type Asked, cancelledEvidence } from './endings/asked-evidence.ts';
import type { BatchEnding } from './endings/batch-ending.ts';
import {
  changeOf,
  type EndedAttempt,
  type EndingContext,
  endingAsFoundOut,
  endingAsHeld,
  endingAsRechecked,
  endingOfAttempt,
  endingOfCancelledJobs,
  endingOfLastLost,
  endingOfWork,
  endingWithoutAttempt,
} from './endings/batch-endings.ts';
import { endingAsUnreadable, endingOfUnreadable } from './endings/unreadable-batches.ts';
import { isUnreadable } from './endings/unreadable-codes.ts';
import { endingOfBlocked } from './held/blocked-batches.ts';
import { isConfigurationFault } from './held/configuration-codes.ts';
import { isTargetHeld, sendAllMendedAgain } from './held/held-again.ts';
import { heldLookMs } from './held/held-delay.ts';

export interface HandlerSignals {
  /** Begin nothing new. */
  readonly stopping: AbortSignal;
  /** Give up what is under way. */
  readonly aborting: AbortSignal;
}

/** Of `attempts`, those that its retries are counted by: since it was held last, or since the target decided about a part of what it was cut from. */
const triesOf = ({ heldAttempts, decidedAttempts }: LoadedBatch, attempts: number) => attempts - Math.max(heldAttempts, decidedAttempts);

/** Its settings were at fault; one may have been held without a try. */
const waitedForSettings = ({ heldAttempts, reasonCode }: LoadedBatch) => heldAttempts > 0 || isConfigurationFault(reasonCode);

/** How long a target is asked what became of a batch, about as long as one that is away is tried. */
const askedMaxMs = 4 * 3_600_000;

export class BatchHandler {
  readonly #services: DeliveryServices;

  readonly #crowd: TargetCrowd;
  readonly #halvings: HalvingBudget;
  readonly #logins: RefusedLogins;

  constructor(services: DeliveryServices, crowd: TargetCrowd) {
    this.#services = services;
    this.#crowd = crowd;
    this.#halvings = createHalvingBudget(services.ports.clock);
    this.#logins = createRefusedLogins(services.ports.clock);
  }

  /** Rejects with E_FENCED when the work went to another, and with what the database fails with. */
  async handle(claimed: ClaimedBatch, signals: HandlerSignals): Promise<void> {
    const ending = await this.#early(claimed);
    if (ending !== null) return await this.#end(claimed, ending);
    const { records, bytes } = claimed.batch;
    await withSpan('deliver batch', { attributes: { records, bytes } }, () => this.#withPlace(claimed, signals));
  }

  /** What needs no target. */
  async #early(claimed: ClaimedBatch): Promise<BatchEnding | null> {
    const context = this.#context(claimed);
    const { batch } = claimed;
    switch (batch.state) {
      case 'ready':
        if (batch.isCancelled) return await this.#cancelled(context, ['cancel']);
        // What may be there is sent again as it was: a part of it would go by another id.
        if (batch.cancelledJobs.length > 0 && !batch.isInDoubt) return await this.#readably(context, () => endingOfCancelledJobs(context));
        if (batch.mustWait) return endingOfWork(context, this.#jittered(waitMs.earlierFile));
        if (batch.hasBlockedKeys && !batch.isInDoubt) {
          const blocked = await this.#readably(context, () => endingOfBlocked(context));
          if (blocked !== null) return blocked;
        }
        if (this.#isToPark(claimed)) return endingAsParked(context, claimed.own.breaker!.breakerId);
        return claimed.breaker?.breaker.state === 'open' ? this.#endingAtOpen(context, claimed.breaker) : null;
      case 'parked':
        if (batch.isCancelled) return await this.#cancelled(context, ['cancel']);
        return claimed.own.breaker?.breaker.state === 'closed' ? endingAsResumed(context) : endingOfWork(context, parkedLookMs);
      case 'unknown':
        if (claimed.breaker?.breaker.state !== 'open') return null;
        // A person need not wait for a target that is down: nobody can be asked.
        return batch.isCancelled ? await this.#cancelled(context, ['hold', 'cancel']) : this.#endingAtOpen(context, claimed.breaker);
      case 'sending':
        return null;
      case 'held':
        if (batch.isCancelled) return await this.#cancelled(context, ['cancel']);
        return batch.isToBeRechecked || this.#isToTry(claimed) ? endingAsRechecked(context) : endingOfWork(context, heldLookMs);
      case 'acked':
      case 'refused':
      case 'split':
      case 'dead':
      case 'cancelled':
        return endingOfWork(context, null);
    }
  }

  /**
   * One whose outcome is unknown stays so until its target can be asked, or sent to, again. One that only its backup may get waits
   * for that: the breaker of its own target would let it go on at once, and that of the backup knows nothing of it.
   */
  #endingAtOpen(context: EndingContext, stored: StoredBreaker): BatchEnding {
    if (context.batch.state === 'ready' && context.via === null) return endingAsParked(context, stored.breakerId);
    const { probeInMs, mode } = stored.breaker;
    const { openMin, openMax } = waitMs;
    return endingOfWork(context, this.#jittered(mode === 'auto' ? Math.min(openMax, Math.max(openMin, 2 * probeInMs)) : openMax));
  }

  /** What was never sent waits behind what is parked. */
  #isToPark({ batch, own, via }: ClaimedBatch): boolean {
    return own.breaker !== undefined && ((via === null && own.breaker.breaker.state === 'open') || batch.isBehindParked);
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

  async #cancelled(context: EndingContext, events: readonly ('hold' | 'cancel')[], asked: Asked | null = null): Promise<BatchEnding> {
    const evidence = cancelledEvidence(asked);
    return await endingWithoutAttempt(context, { as: 'cancelled', events, code: null, message: '', evidence });
  }

  async #withPlace(claimed: ClaimedBatch, signals: HandlerSignals): Promise<void> {
    const { batch, gate, target } = claimed;
    const place = await this.#crowd.enter(gate, signals.stopping);
    if (place === null) {
      const delayMs = signals.stopping.aborted ? 0 : this.#jittered(waitMs.crowded);
      return await this.#end(claimed, endingOfWork(this.#context(claimed), delayMs));
    }
    try {
      const { tenantId, flowVersionId } = batch;
      const address = { tenantId, flowVersionId, plan: claimed.flow.plan, target, binding: claimed.binding };
      await this.#services.targets.use(address, (opened) => this.#atTarget(claimed, opened, signals, place));
    } finally {
      place.leave();
    }
  }

  async #atTarget(claimed: ClaimedBatch, opened: Target, signals: HandlerSignals, place: TargetPlace): Promise<void> {
    const known = claimed.batch.state === 'sending' ? await this.#abandon(claimed) : claimed;
    let resolution: AttemptResolution | null = null;
    if (known.batch.state === 'unknown') {
      const resolved = await this.#resolve(known, opened, signals);
      if ('work' in resolved) return await this.#end(known, resolved);
      resolution = resolved;
    }
    const ending = await this.#attempt(known, opened, resolution, signals);
    // The target has answered: others need not wait until that is written down.
    place.passOn();
    await this.#end(known, ending);
    if (waitedForSettings(known.batch) && isSettled(ending)) await this.#releaseOthers(known);
    this.#services.crashPoints.reach('deliveries.after-commit');
  }

  /** What waits for the same target's settings is sent too. A process that ends before leaves it to their own rechecks. */
  async #releaseOthers({ batch }: ClaimedBatch): Promise<void> {
    const { actor, logger } = this.#services;
    const { tenantId, batchId, flowId, targetId } = batch;
    const by = { actor, evidence: `batch ${batchId}, which waited for the same settings, was answered`, flowId, targetId };
    const sent = await sendAllMendedAgain(this.#services, tenantId, by);
    if (sent > 0) logger.info('settings were mended: batches that were held are sent', { batches: sent });
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
    return {
      ...claimed,
      batch: {
        ...batch,
        state: 'unknown',
        unchangedMs: 0,
        unknownAttempts: batch.unknownAttempts + 1,
        lostAttempts: batch.lostAttempts + 1,
        isInDoubt: true,
        reasonCode: change.reasonCode ?? null,
      },
    };
  }

  /** How the batch ends without being sent, or on what ground it may be sent again. */
  async #resolve(claimed: ClaimedBatch, opened: Target, signals: HandlerSignals): Promise<BatchEnding | AttemptResolution> {
    const { batch, own } = claimed;
    const { target } = own;
    const context = this.#context(claimed);
    const asked = opened.resolve === undefined ? null : await askTarget(this.#services, claimed, opened, signals.aborting);
    if (asked?.kind === 'acked') {
      return await endingWithoutAttempt(context, {
        as: 'acked',
        events: ['acknowledge'],
        code: null,
        message: '',
        evidence: asked.evidence,
      });
    }
    const isLast = isExhausted(target.retry, triesOf(batch, batch.attempts));
    const isToBeSent = !batch.isCancelled && !isLast && opened.unknownResolution !== 'person' && target.onUnknown === 'resend';
    if (asked?.kind === 'unresolved' && (asked.mustWait || (asked.isForNow && !isToBeSent))) return await this.#askLater(claimed);
    const said = asked?.kind === 'resendable' ? { evidence: asked.evidence, isAbsent: isAllAbsent(asked, batch, target) } : null;
    if (batch.isCancelled) return await this.#cancelled(context, ['hold', 'cancel'], said);
    if (isLast) return await this.#readably(context, () => endingOfLastLost(context, said));
    const isSafe = said !== null || opened.unknownResolution === 'key';
    if (!isSafe && !isToBeSent) return endingAsHeld(context);
    const evidence = said?.evidence ?? `sent again as attempt ${batch.attempts + 1}, labelled as a possible duplicate`;
    return { batchId: batch.batchId, resolvedAs: 'resent', evidence, isAbsent: asked?.kind === 'resendable' && asked.absent !== undefined };
  }

  /** The target can say what became of it, and does not yet: it is asked ever more rarely, and in the end a person is. */
  async #askLater(claimed: ClaimedBatch): Promise<BatchEnding> {
    const { batch, target } = claimed;
    const context = this.#context(claimed);
    if (batch.unchangedMs >= askedMaxMs && batch.isCancelled) return await this.#cancelled(context, ['hold', 'cancel']);
    if (batch.unchangedMs >= askedMaxMs) return endingAsHeld(context);
    return endingOfWork(context, this.#jittered(Math.min(target.retry.capMs, Math.max(target.retry.initialMs, batch.unchangedMs))));
  }

  async #attempt(
    claimed: ClaimedBatch,
    opened: Target,
    resolution: AttemptResolution | null,
    signals: HandlerSignals,
  ): Promise<BatchEnding> {
    const { ports, crashPoints } = this.#services;
    const { batch, own, backup, gate } = claimed;
    const context = this.#context(claimed);
    // One that was held before is to be tried: its settings may have been mended.
    const isNew = batch.state === 'ready' && batch.attempts === 0 && !isConfigurationFault(batch.reasonCode);
    const advice = isNew ? this.#logins.adviceFor(claimed) : 'send';
    if (advice === 'hold') return endingAsFoundOut(context, connectorErrors.E_TARGET_FORBIDDEN);
    if (advice === 'wait') return endingOfWork(context, this.#jittered(waitMs.login));
    const ended = await startAttempt(this.#services, { claimed, context, resolution }, signals.stopping);
    if ('openBreaker' in ended) {
      // Claimed again it finds its way to the backup, or from there.
      const isFree = backup !== null && batch.state === 'ready' && batch.unknownAttempts === 0;
      return isFree ? endingOfWork(context, this.#jittered(waitMs.crowded)) : this.#endingAtOpen(context, ended.openBreaker);
    }
    if ('waitMs' in ended) return endingOfWork(context, signals.stopping.aborted ? 0 : waitForTarget(ports.rng, ended.waitMs));
    let sent: Sent;
    try {
      crashPoints.reach('deliveries.after-attempt-commit');
      sent = await sendAttempt(this.#services, claimed, opened, signals.aborting);
    } finally {
      gate.endSending();
    }
    crashPoints.reach('deliveries.after-outcome');
    this.#logins.told(claimed, sent.outcome);
    const decision = decide(sent.outcome, {
      target: own.target,
      tries: triesOf(batch, ended.attempt),
      isFoundOut: batch.heldAttempts > 0 || (await this.#isFoundOut(batch, sent.outcome)),
      records: batch.records,
      isOrdered: batch.lane !== noLane,
      // What may be there already goes to nobody under other batch ids.
      mayHalve: () => batch.unknownAttempts === 0 && this.#halvings.take(batch),
      rng: ports.rng,
    });
    reportDecision(this.#services, claimed, sent.outcome, decision);
    const ending = await this.#endingAfter(context, decision, ended, sent.unreadable);
    const health = healthOf(sent.outcome, { records: batch.records, isUnreadable: sent.unreadable !== null });
    // What was given up here says nothing about the target.
    if (!signals.aborting.aborted) await this.#tell(claimed, ended.attempt, health);
    return ending;
  }

  /** Held without a try of its own: what was refused then may have been a fault of those that were tried. */
  #isToTry(claimed: ClaimedBatch): boolean {
    const { attempts, reasonCode } = claimed.batch;
    return attempts === 0 && isConfigurationFault(reasonCode) && !this.#logins.isRecent(claimed);
  }

  async #tell({ batch, flow, target }: ClaimedBatch, attempt: number, health: Health): Promise<void> {
    const { tenantId, flowId, flowVersionId, heldAttempts } = batch;
    const of = { tenantId, tenant: flow.plan.flow.tenant, flowId, targetId: target.id, flowVersionId, target };
    const told = { ...of, attempt, isRetry: attempt - heldAttempts > 1, health };
    await this.#services.breakers.tell(told);
  }

  /** One batch found out that settings are at fault: more tries with a wrong password could lock the account. */
  async #isFoundOut(batch: LoadedBatch, outcome: DeliveryOutcome): Promise<boolean> {
    const codes =
      outcome.kind === 'refused' ? [outcome.code] : outcome.kind === 'acked' ? (outcome.perRecord ?? []).map(({ code }) => code) : [];
    const faults = codes.filter(isConfigurationFault);
    if (faults.length === 0) return false;
    return await withTenant(this.#services.db, batch.tenantId, (tx) => isTargetHeld(tx, batch, [...new Set(faults)]), { readOnly: true });
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

  #context({ batch, flow, item, via }: ClaimedBatch): EndingContext {
    return { batch, plan: flow.plan, work: item, via, actor: this.#services.actor, services: this.#services };
  }

  async #end({ batch, flow }: ClaimedBatch, ending: BatchEnding): Promise<void> {
    await this.#services.endings.submit(batch.tenantId, ending);
    const letters = ending.deadLetters.length + (ending.letterPages?.count ?? 0);
    const labels = { tenant: flow.plan.flow.tenant, target: batch.targetId };
    if (letters > 0) this.#services.metrics.add('headgate_dead_letters_total', labels, letters);
    for (const { event, reasonCode } of ending.changes)
      if (event === 'hold') this.#services.metrics.add('headgate_batches_held_total', { ...labels, code: reasonCode ?? 'none' }, 1);
      else if (event === 'park') this.#services.metrics.add('headgate_batches_parked_total', labels, 1);
  }

  /** Between half and all of it. */
  #jittered(ms: number): number {
    return jittered(this.#services.ports.rng, ms);
  }
}

/** Of its own attempts, and of those that were made before with what it was cut from, which may have gone to its backup. */
function isAllAbsent(
  { absent }: Extract<Resolution, { kind: 'resendable' }>,
  { unknownAttempts, lostAttempts }: LoadedBatch,
  { backup }: TargetPlan,
): boolean {
  return (absent === 'records' && backup === null) || (absent !== undefined && unknownAttempts === lostAttempts);
}

/** The target took its records or refused them, so that its settings are in order. */
function isSettled({ changes }: BatchEnding): boolean {
  return changes.some(({ event }) => event === 'acknowledge' || event === 'refuse' || event === 'split');
}
