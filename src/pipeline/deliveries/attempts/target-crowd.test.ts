import { describe, expect, it } from 'vitest';
import { createTargetCrowd } from './target-crowd.ts';
import { createTargetGate } from './target-gate.ts';

const open = new AbortController().signal;

describe('batches at their targets', () => {
  it('are given back where one target has twice its concurrency of very many, and not at others', async () => {
    const clock = { nowMs: () => 0, monotonicMs: () => 0 };
    const gateOf = (concurrency: number) => createTargetGate({ concurrency, ratePerSecond: null }, clock);
    const [silent, other] = [gateOf(2), gateOf(2)];
    const crowd = createTargetCrowd(6);
    const leaving = new AbortController();
    const waiting = Array.from({ length: 6 }, () => crowd.enter(silent, leaving.signal));
    const [first, second] = await Promise.all(waiting.slice(0, 2));
    expect(await crowd.enter(silent, open)).toBeNull();
    expect(silent.load).toBe(6);
    const place = await crowd.enter(other, open);
    expect(place).not.toBeNull();
    leaving.abort();
    expect(await Promise.all(waiting.slice(2))).toEqual([null, null, null, null]);
    first!.leave();
    second!.leave();
    place!.leave();
    expect([silent.load, other.load, crowd.room(0)]).toEqual([0, 0, 6]);
  });

  it('leave room for as many more as the targets that flow will take soon, those not there yet counted', async () => {
    let nowMs = 0;
    const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
    const crowd = createTargetCrowd(8);
    const gate = createTargetGate({ concurrency: 4, ratePerSecond: null }, clock);
    const places = await Promise.all([1, 2, 3].map(() => crowd.enter(gate, open)));
    expect([crowd.room(3), crowd.room(5)]).toEqual([5, 3]);
    // The next may come, and the batch is still in hand.
    places[0]!.passOn();
    expect(crowd.room(3)).toBe(6);
    places[0]!.leave();
    expect(crowd.room(2)).toBe(6);
    nowMs = 300;
    expect(crowd.room(2)).toBe(6);
    // Nobody has left since: who knows when one will.
    nowMs = 600;
    expect([gate.isFlowing, crowd.room(2)]).toEqual([false, 8]);
  });
});
