import { describe, expect, it } from 'vitest';
import { createTargetGate, createTokenBucket } from './target-gate.ts';

/** Time passes only when somebody sleeps. */
function fakeTime() {
  let nowMs = 0;
  return {
    nowMs: () => nowMs,
    clock: { nowMs: () => nowMs, monotonicMs: () => nowMs },
    sleep: {
      sleep: async (ms: number) => {
        nowMs += ms;
      },
    },
  };
}
const open = new AbortController().signal;

describe('a gate', () => {
  it('lets in as many as the target takes at once, then one for each that leaves, in order', async () => {
    const gate = createTargetGate({ concurrency: 2, ratePerSecond: null }, fakeTime());
    const order: number[] = [];
    const leaves = new Map<number, () => void>();
    const all = [1, 2, 3, 4].map(async (name) => {
      leaves.set(name, (await gate.enter(1, open))!);
      order.push(name);
    });
    await Promise.all(all.slice(0, 2));
    expect([order, gate.load]).toEqual([[1, 2], 4]);
    leaves.get(1)!();
    leaves.get(1)!();
    await all[2];
    expect([order, gate.load]).toEqual([[1, 2, 3], 3]);
    leaves.get(2)!();
    await all[3];
    expect(order).toEqual([1, 2, 3, 4]);
  });

  it('sends away who waits when the signal fires, and forgets them', async () => {
    const gate = createTargetGate({ concurrency: 1, ratePerSecond: null }, fakeTime());
    const leave = (await gate.enter(1, open))!;
    const stopping = new AbortController();
    const waiting = gate.enter(1, stopping.signal);
    stopping.abort();
    expect(await waiting).toBeNull();
    expect(await gate.enter(1, stopping.signal)).toBeNull();
    leave();
    expect(gate.load).toBe(0);
  });

  it('hands a place on without letting a newcomer take it', async () => {
    const gate = createTargetGate({ concurrency: 1, ratePerSecond: null }, fakeTime());
    const leave = (await gate.enter(1, open))!;
    const waiting = gate.enter(1, open);
    leave();
    const newcomer = gate.enter(1, open);
    expect(gate.load).toBe(2);
    (await waiting)!();
    (await newcomer)!();
    expect(gate.load).toBe(0);
  });
});

describe('a rate', () => {
  it('is kept over time, also by batches larger than a second of it', async () => {
    const time = fakeTime();
    const bucket = createTokenBucket(100, time);
    for (const records of [250, 50, 100, 400, 1]) await bucket.take(records, open);
    // All but the last had to be paid for before the last was let in, and a second's worth is free at the start.
    expect(time.nowMs()).toBeGreaterThanOrEqual(((250 + 50 + 100 + 400 + 1 - 100) / 100) * 1_000);
    expect(time.nowMs()).toBeLessThanOrEqual(((250 + 50 + 100 + 400 + 1) / 100) * 1_000);
  });
});
