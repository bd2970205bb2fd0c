/**
 * What a breaker does with what it is told: when it opens, when a probe may go, when it closes, and how many batches a target
 * is sent at once (docs/breakers.md). Pure: the same breaker, report and chance give the same. Times are in ms from now, so
 * that the database's clock is the only one.
 */
import type { Rng } from '../../../platform/base/ports.ts';
import type { BreakerPlan } from '../../engine/plan.ts';
import { type BreakerEvent, type BreakerMode, type BreakerState, nextBreakerState } from './breaker-state.ts';
import { addCalls, type CallWindow, callsWithin, emptyWindow } from './call-window.ts';

export interface Breaker {
  readonly state: BreakerState;
  readonly mode: BreakerMode;
  readonly window: CallWindow;
  /** Failures since the last success, over all processes. */
  readonly failuresInARow: number;
  /** Half-open: answers that were successes, less those that were failures. */
  readonly score: number;
  /** How often it opened since the target last took all that it may; the wait for a probe doubles with each. */
  readonly openings: number;
  /** Until the next probe while it is open. */
  readonly probeInMs: number;
  /** Batches at once; null: as many as the flow says. */
  readonly limit: number | null;
  /** Until the time that the target asked for has passed; not above 0: it asked for none. */
  readonly pausedMs: number;
  readonly reasonCode: string | null;
}

export interface Report {
  readonly successes: number;
  readonly failures: number;
  /** Of the failures, those that may open a closed breaker: a batch counts with its first attempts only. */
  readonly countedFailures: number;
  readonly retries: number;
  /** How long the target asked to be left alone. */
  readonly pauseMs: number;
  /** Of the last failure. */
  readonly code: string | null;
}

export interface Ruling {
  readonly breaker: Breaker;
  readonly events: readonly BreakerEvent[];
}

interface Rules {
  readonly plan: BreakerPlan;
  readonly concurrency: number;
  readonly rng: Pick<Rng, 'fraction'>;
  /** Something of the target waits to be sent. */
  readonly isWanted: boolean;
}

export const newBreaker: Breaker = {
  state: 'closed',
  mode: 'auto',
  window: emptyWindow,
  failuresInARow: 0,
  score: 0,
  openings: 0,
  probeInMs: 0,
  limit: null,
  pausedMs: 0,
  reasonCode: null,
};

/** Waits for probes double no further than this: a probe costs a target little, and a wait that is longer is one after it is well again. */
const probeMaxMs = 2 * 60_000;

/** One poison batch never opens a breaker by itself: from its fourth attempt on it is no news about the target. */
export const countedAttempts = 3;

/** After attempts were answered. What was sent before a breaker opened and is answered behind it changes nothing. */
export function afterReport(before: Breaker, report: Report, rules: Rules): Ruling {
  const { plan } = rules;
  const { successes, failures, retries, countedFailures, code } = report;
  if (before.state === 'open') return { breaker: before, events: [] };
  const calls = { calls: successes + countedFailures, failures: countedFailures, retries };
  const paced: Breaker = {
    ...before,
    window: addCalls(before.window, calls, plan.windowMs),
    failuresInARow: (successes > 0 ? 0 : before.failuresInARow) + countedFailures,
    limit: limitAfter(before.limit, report, rules.concurrency),
    pausedMs: Math.max(before.pausedMs, report.pauseMs),
    reasonCode: failures > 0 ? code : before.reasonCode,
  };
  const breaker = isAtFull(paced) ? { ...paced, openings: 0, reasonCode: null } : paced;
  if (before.mode !== 'auto') return { breaker, events: [] };
  // A success opens nothing, though it may be the call that makes enough of them.
  if (before.state === 'closed') return countedFailures > 0 && isToOpen(breaker, plan) ? opened(breaker, rules) : { breaker, events: [] };
  const score = before.score + successes - failures;
  if (score < 0) return opened(breaker, rules);
  // A single batch that waited can tell no more than that it was taken.
  const needed = rules.isWanted ? plan.probes : 1;
  return score >= needed ? closed(breaker, rules) : { breaker: { ...breaker, score }, events: [] };
}

/** After the target was asked, without a record, while the breaker was open. */
export function afterProbe(before: Breaker, answer: { readonly isReachable: boolean; readonly code: string | null }, rules: Rules): Ruling {
  if (before.state !== 'open' || before.mode !== 'auto') return { breaker: before, events: [] };
  if (answer.isReachable) return { breaker: { ...before, state: nextBreakerState('open', 'try'), score: 0 }, events: ['try'] };
  const openings = before.openings + 1;
  return { breaker: { ...before, openings, probeInMs: probeWaitMs(openings, rules), reasonCode: answer.code }, events: [] };
}

export type BreakerDecision = 'open' | 'close' | 'auto';

/**
 * A person's word: `open` and `close` hold until `auto`. What is open and decides by itself again is probed at once. Whoever says that a
 * target is to be tried knows better than the time that it asked for.
 */
export function afterDecision(before: Breaker, decision: BreakerDecision | 'probe', rules: Rules): Ruling {
  switch (decision) {
    case 'open': {
      const ruling = before.state === 'open' ? { breaker: before, events: [] } : opened(before, rules);
      return { breaker: { ...ruling.breaker, mode: 'open' }, events: ruling.events };
    }
    case 'close': {
      const ruling = before.state === 'closed' ? { breaker: before, events: [] } : closed(before, rules);
      return { breaker: { ...ruling.breaker, mode: 'closed', pausedMs: 0 }, events: ruling.events };
    }
    case 'auto':
      return { breaker: { ...triedAtOnce(before), mode: 'auto' }, events: [] };
    case 'probe':
      return { breaker: before.mode === 'auto' ? triedAtOnce(before) : before, events: [] };
  }
}

function triedAtOnce(before: Breaker): Breaker {
  return before.state === 'open' ? { ...before, probeInMs: 0, pausedMs: 0 } : before;
}

/** How many batches the target may have at once. 0: none. */
export function roomOf({ state, limit }: Breaker, plan: BreakerPlan, concurrency: number): number {
  if (state === 'open') return 0;
  if (state === 'half_open') return Math.min(plan.probes, concurrency);
  return limit === null ? concurrency : Math.min(concurrency, Math.max(1, Math.floor(limit)));
}

/** Tries again that a target may have whatever it answered, in one window. */
const retriesMin = 20;
/** Beyond that, for each first attempt. */
const retryShare = 0.1;

/** Tries again are paid for by first attempts, a tenth each, and by successes: a target that fails at all gets 1.1 times its load. */
export function mayRetry({ window }: Breaker, { windowMs }: BreakerPlan): boolean {
  const { calls, failures, retries } = callsWithin(window, windowMs);
  // One more than it took: where tries again are all that there is, each pays for the next.
  return retries < Math.max(retriesMin, retryShare * (calls - retries), calls - failures + 1);
}

/** Nothing of it is to be told apart from a target that never failed. */
export function isAtRest({ state, mode, limit, failuresInARow }: Breaker): boolean {
  return state === 'closed' && mode === 'auto' && limit === null && failuresInARow === 0;
}

function isAtFull({ state, limit, failuresInARow }: Breaker): boolean {
  return state === 'closed' && limit === null && failuresInARow === 0;
}

function isToOpen({ window, failuresInARow }: Breaker, { windowMs, minCalls, failureRatio }: BreakerPlan): boolean {
  if (failuresInARow >= minCalls) return true;
  const { calls, failures } = callsWithin(window, windowMs);
  return calls >= minCalls && failures > 0 && failures >= failureRatio * calls;
}

function opened(before: Breaker, rules: Rules): Ruling {
  const openings = before.openings + 1;
  const probeInMs = Math.max(probeWaitMs(openings, rules), before.pausedMs);
  return { breaker: { ...before, state: nextBreakerState(before.state, 'trip'), openings, probeInMs, score: 0 }, events: ['trip'] };
}

/** It begins with as many batches at once as it was probed with: nothing runs at a target that just came back. */
function closed(before: Breaker, { plan, concurrency }: Rules): Ruling {
  const limit = plan.probes < concurrency ? plan.probes : null;
  const breaker: Breaker = {
    ...before,
    state: nextBreakerState(before.state, 'close'),
    window: emptyWindow,
    failuresInARow: 0,
    limit,
    score: 0,
  };
  return { breaker: isAtFull(breaker) ? { ...breaker, openings: 0, reasonCode: null } : breaker, events: ['close'] };
}

/** Between half and all of a wait that doubles. */
function probeWaitMs(openings: number, { plan, rng }: Rules): number {
  const waitMs = Math.min(Math.max(probeMaxMs, plan.probeEveryMs), plan.probeEveryMs * 2 ** Math.min(openings - 1, 20));
  return Math.ceil(waitMs * (0.5 + rng.fraction() / 2));
}

/** Halved where anything failed, raised by an eighth of all for each round that did not: from one to all in eight rounds. */
function limitAfter(limit: number | null, { successes, failures, pauseMs }: Report, concurrency: number): number | null {
  const from = limit ?? concurrency;
  if (failures > 0 || pauseMs > 0) return Math.max(1, from / 2);
  if (limit === null || successes === 0) return limit;
  const raised = from + (successes * Math.max(1, concurrency / 8)) / Math.max(1, from);
  return raised >= concurrency ? null : raised;
}
