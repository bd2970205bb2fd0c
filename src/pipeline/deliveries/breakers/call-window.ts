/**
 * How many attempts a target was sent lately, how many of them failed, and how many were tries again: two slices of time, each
 * as long as the window, of which the older one counts for the part of it that the window still covers. Pure.
 */

export interface Calls {
  readonly calls: number;
  readonly failures: number;
  /** Second and later attempts of their batches. */
  readonly retries: number;
}

export interface CallWindow {
  readonly current: Calls;
  readonly earlier: Calls;
  /** Since the current slice began. */
  readonly ageMs: number;
}

export const noCalls: Calls = { calls: 0, failures: 0, retries: 0 };
export const emptyWindow: CallWindow = { current: noCalls, earlier: noCalls, ageMs: 0 };

/** The slices as they stand now, with these calls added. */
export function addCalls(window: CallWindow, added: Calls, windowMs: number): CallWindow {
  const { current, earlier, ageMs } = turned(window, windowMs);
  return { current: sum(current, added, 1), earlier, ageMs };
}

/** What the window covers now. */
export function callsWithin(window: CallWindow, windowMs: number): Calls {
  const { current, earlier, ageMs } = turned(window, windowMs);
  return sum(current, earlier, 1 - ageMs / windowMs);
}

function turned(window: CallWindow, windowMs: number): CallWindow {
  const { current, ageMs } = window;
  if (ageMs < windowMs) return window;
  if (ageMs < 2 * windowMs) return { current: noCalls, earlier: current, ageMs: ageMs - windowMs };
  return emptyWindow;
}

function sum(a: Calls, b: Calls, share: number): Calls {
  return { calls: a.calls + b.calls * share, failures: a.failures + b.failures * share, retries: a.retries + b.retries * share };
}
