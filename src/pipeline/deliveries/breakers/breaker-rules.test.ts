/** The rules of breakers over simulated time: a target that fails as it likes, batches that come as they like. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterDecision,
  afterProbe,
  afterReport,
  type Breaker,
  isAtRest,
  mayRetry,
  newBreaker,
  type Report,
  roomOf,
} from './breaker-rules.ts';
import { nextBreakerState } from './breaker-state.ts';
import { addCalls, callsWithin, emptyWindow } from './call-window.ts';

const plan = { windowMs: 30_000, failureRatio: 0.5, minCalls: 10, probeEveryMs: 15_000, probes: 3 };
const concurrency = 8;
const rules = { plan, concurrency, rng: { fraction: () => 0.5 }, isWanted: true };
const success: Report = { successes: 1, failures: 0, countedFailures: 0, retries: 0, pauseMs: 0, code: null };
const failure: Report = { ...success, successes: 0, failures: 1, countedFailures: 1, code: 'E_TARGET_BUSY' };

/** As it is read again this much later. */
function later(breaker: Breaker, ms: number): Breaker {
  const { window, probeInMs, pausedMs } = breaker;
  return { ...breaker, window: { ...window, ageMs: window.ageMs + ms }, probeInMs: probeInMs - ms, pausedMs: pausedMs - ms };
}

function told(breaker: Breaker, reports: readonly Report[], more: Partial<typeof rules> = {}): Breaker {
  return reports.reduce((before, report) => afterReport(before, report, { ...rules, ...more }).breaker, breaker);
}

const times = <Thing>(count: number, thing: Thing): Thing[] => Array.from({ length: count }, () => thing);
const opened = told(newBreaker, times(10, failure));
const halfOpen = afterProbe(later(opened, 20_000), { isReachable: true, code: null }, rules).breaker;

describe('a closed breaker', () => {
  it('opens at as many failures in a row as it needs calls, whatever went before', () => {
    const busy = told(newBreaker, times(10_000, success));
    expect(told(busy, times(9, failure)).state).toBe('closed');
    expect(told(busy, times(10, failure))).toMatchObject({ state: 'open', openings: 1, reasonCode: 'E_TARGET_BUSY' });
    expect(told(busy, [...times(9, failure), success, ...times(9, failure)]).state).toBe('closed');
  });

  it('opens at a share of failures within the window, and forgets what is older', () => {
    const mixed = Array.from({ length: 10 }, (_, index) => (index % 2 === 0 ? success : failure));
    expect(told(newBreaker, mixed).state).toBe('open');
    expect(told(newBreaker, mixed.slice(0, 9)).state).toBe('closed');
    const old = later(told(newBreaker, times(4, failure)), 61_000);
    expect(told(old, [success, ...times(5, failure)]).state).toBe('closed');
  });

  it('is not opened by the success that makes enough calls to judge by', () => {
    expect(told(newBreaker, [...times(5, failure), ...times(50, success)])).toMatchObject({ state: 'closed', limit: null });
    expect(told(newBreaker, [...times(5, failure), ...times(5, success), failure]).state).toBe('open');
  });

  it('is not opened by one batch that its target can not take', () => {
    const poison = { ...failure, countedFailures: 0, retries: 1 };
    expect(told(newBreaker, [...times(3, failure), ...times(50, poison)])).toMatchObject({ state: 'closed', failuresInARow: 3 });
  });

  it('halves what the target gets at once with each failure, and gives it back in eight rounds without one', () => {
    const cut = told(newBreaker, times(3, failure));
    expect(roomOf(cut, plan, concurrency)).toBe(1);
    let breaker = cut;
    let rounds = 0;
    for (; !isAtRest(breaker); rounds++) breaker = told(breaker, times(Math.floor(breaker.limit ?? 1), success));
    expect(rounds).toBeLessThanOrEqual(12);
    expect(breaker).toMatchObject({ limit: null, openings: 0, reasonCode: null });
  });

  it('waits as long as the target asked for', () => {
    expect(told(newBreaker, [{ ...failure, pauseMs: 7_000 }])).toMatchObject({ pausedMs: 7_000, state: 'closed' });
    expect(told(newBreaker, times(10, { ...failure, pauseMs: 100_000 })).probeInMs).toBe(100_000);
  });
});

describe('an open breaker', () => {
  it('lets nothing through, and is not moved by answers to what was sent before it opened', () => {
    expect(roomOf(opened, plan, concurrency)).toBe(0);
    expect(told(opened, [success, failure])).toEqual(opened);
  });

  it('waits twice as long after each probe that fails, up to two minutes, never less than half of it', () => {
    let breaker = opened;
    const waits: number[] = [breaker.probeInMs];
    for (let probes = 0; probes < 10; probes++) {
      breaker = afterProbe(breaker, { isReachable: false, code: 'E_TARGET_UNREACHABLE' }, rules).breaker;
      waits.push(breaker.probeInMs);
    }
    expect(waits.slice(0, 4)).toEqual([11_250, 22_500, 45_000, 90_000]);
    expect(Math.max(...waits)).toBe(90_000);
    expect(breaker).toMatchObject({ state: 'open', reasonCode: 'E_TARGET_UNREACHABLE' });
  });
});

describe('a half-open breaker', () => {
  it('lets a few through, and closes when so many more were taken than failed', () => {
    expect(roomOf(halfOpen, plan, concurrency)).toBe(3);
    expect(told(halfOpen, [success, failure, success, success]).state).toBe('half_open');
    const closed = told(halfOpen, [success, failure, success, success, success]);
    expect(closed).toMatchObject({ state: 'closed', limit: 3, failuresInARow: 0 });
    expect(roomOf(closed, plan, concurrency)).toBe(3);
  });

  it('opens again at the first failure that no success outweighs, and waits longer', () => {
    expect(told(halfOpen, [failure])).toMatchObject({ state: 'open', openings: 2, probeInMs: 22_500 });
    expect(told(halfOpen, [success, failure, failure]).state).toBe('open');
  });

  it('closes at one success where nothing else waits to be sent', () => {
    expect(told(halfOpen, [success], { isWanted: false }).state).toBe('closed');
  });
});

describe("a person's word", () => {
  it('holds until it is taken back, whatever is reported or probed', () => {
    const open = afterDecision(newBreaker, 'open', rules);
    expect(open).toMatchObject({ breaker: { state: 'open', mode: 'open' }, events: ['trip'] });
    expect(afterProbe(open.breaker, { isReachable: true, code: null }, rules).breaker.state).toBe('open');
    const closed = afterDecision(open.breaker, 'close', rules);
    expect(closed).toMatchObject({ breaker: { state: 'closed', mode: 'closed' }, events: ['close'] });
    expect(told(closed.breaker, times(100, failure)).state).toBe('closed');
    const released = afterDecision(open.breaker, 'auto', rules).breaker;
    expect(released).toMatchObject({ state: 'open', mode: 'auto', probeInMs: 0 });
    expect(afterProbe(released, { isReachable: true, code: null }, rules).breaker.state).toBe('half_open');
  });
});

const step = fc.record({
  waitMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 60_000 }), fc.integer({ min: 1, max: 2_000_000 })),
  kind: fc.constantFrom('success', 'failure', 'poison', 'pause', 'reachable', 'unreachable', 'open', 'close', 'auto'),
});

it('every move is one that the table has, bounds hold, and from anywhere a well target ends closed and a dead one open', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (steps, fraction) => {
      const own = { ...rules, rng: { fraction: () => fraction } };
      let breaker: Breaker = newBreaker;
      for (const { waitMs, kind } of steps) {
        breaker = later(breaker, waitMs);
        const ruling =
          kind === 'open' || kind === 'close' || kind === 'auto'
            ? afterDecision(breaker, kind, own)
            : kind === 'reachable' || kind === 'unreachable'
              ? afterProbe(breaker, { isReachable: kind === 'reachable', code: null }, own)
              : afterReport(breaker, reportOf(kind), own);
        expect(ruling.events.reduce(nextBreakerState, breaker.state)).toBe(ruling.breaker.state);
        breaker = ruling.breaker;
        const room = roomOf(breaker, plan, concurrency);
        expect(room >= (breaker.state === 'open' ? 0 : 1) && room <= (breaker.state === 'half_open' ? 3 : concurrency)).toBe(true);
        expect(breaker.probeInMs).toBeLessThanOrEqual(Math.max(120_000, 100_000));
        expect(breaker.limit === null || (breaker.limit >= 1 && breaker.limit < concurrency)).toBe(true);
        const { calls, failures, retries } = callsWithin(breaker.window, plan.windowMs);
        expect(failures <= calls && retries >= 0 && failures >= 0).toBe(true);
      }
      let well = afterDecision(breaker, 'auto', own).breaker;
      if (well.state === 'open') well = afterProbe(well, { isReachable: true, code: null }, own).breaker;
      expect(isAtRest(told(well, times(200, success)))).toBe(true);
      let dead = told(afterDecision(breaker, 'auto', own).breaker, times(20, failure));
      for (let rounds = 0; rounds < 5; rounds++) {
        expect(dead.state).toBe('open');
        dead = told(afterProbe(dead, { isReachable: true, code: null }, own).breaker, [failure]);
      }
    }),
  );
});

function reportOf(kind: 'success' | 'failure' | 'poison' | 'pause'): Report {
  if (kind === 'success') return success;
  if (kind === 'poison') return { ...failure, countedFailures: 0, retries: 1 };
  return kind === 'pause' ? { ...failure, pauseMs: 30_000 } : failure;
}

it('the window counts what its time covers, in whatever steps it is told', () => {
  const calls = fc.array(fc.record({ waitMs: fc.integer({ min: 0, max: 20_000 }), isFailed: fc.boolean() }), { maxLength: 60 });
  fc.assert(
    fc.property(calls, (list) => {
      let window = emptyWindow;
      let atMs = 0;
      const all: number[] = [];
      for (const { waitMs, isFailed } of list) {
        atMs += waitMs;
        window = addCalls({ ...window, ageMs: window.ageMs + waitMs }, { calls: 1, failures: isFailed ? 1 : 0, retries: 0 }, plan.windowMs);
        all.push(atMs);
        const counted = callsWithin(window, plan.windowMs).calls;
        const within = (ms: number) => all.filter((each) => each > atMs - ms).length;
        // Between what came in the slice that runs, and all of the two that are kept.
        expect(counted).toBeGreaterThanOrEqual(1);
        expect(counted).toBeLessThanOrEqual(within(2 * plan.windowMs) + 1e-9);
      }
    }),
  );
});

/**
 * A target that takes nothing, batches that come at any pace, tries again as fast as they may; a second is a step. What is sent
 * beyond the first attempts is a tenth of them, and the tries that one window has free.
 */
it('at a target that takes nothing, tries again add a tenth to its load, even where its breaker is kept closed', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 60, max: 400 }), (perSecond, seconds) => {
      const kept = { ...rules, plan: { ...plan, minCalls: 10_000 } };
      let breaker: Breaker = afterDecision(newBreaker, 'close', kept).breaker;
      let first = 0;
      let again = 0;
      for (let second = 0; second < seconds; second++) {
        breaker = later(breaker, 1_000);
        for (let batch = 0; batch < perSecond; batch++) {
          first++;
          breaker = told(breaker, [failure]);
          while (again < first && mayRetry(breaker, kept.plan)) {
            again++;
            breaker = told(breaker, [{ ...failure, countedFailures: 1, retries: 1 }]);
          }
        }
      }
      const windows = Math.ceil((seconds * 1_000) / plan.windowMs);
      expect(again).toBeLessThanOrEqual(Math.max(first * 0.1 + perSecond, 0) + 21 * (windows + 1));
      if (perSecond * 30 * 0.1 >= 60) expect(again).toBeLessThanOrEqual(first * 0.1 + 60);
    }),
    { numRuns: 20 },
  );
});

it('at a target that takes all, tries again go on, though there is nothing else', () => {
  let breaker = told(newBreaker, [failure]);
  for (let again = 0; again < 100; again++) {
    breaker = told(breaker, [{ ...success, retries: 1 }]);
    expect(mayRetry(breaker, plan)).toBe(true);
  }
});
