import { describe, expect, it } from 'vitest';
import { createTargetGate } from './target-gate.ts';

const open = new AbortController().signal;
let nowMs = 0;
const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };

describe('a gate', () => {
  it('lets in as many as the target takes at once, then one for each that leaves, in order', async () => {
    const gate = createTargetGate({ concurrency: 2, ratePerSecond: null }, clock);
    const order: number[] = [];
    const leaves = new Map<number, () => void>();
    const all = [1, 2, 3, 4].map(async (name) => {
      leaves.set(name, (await gate.enter(open))!);
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
    const gate = createTargetGate({ concurrency: 1, ratePerSecond: null }, clock);
    const leave = (await gate.enter(open))!;
    const stopping = new AbortController();
    const waiting = gate.enter(stopping.signal);
    stopping.abort();
    expect(await waiting).toBeNull();
    expect(await gate.enter(stopping.signal)).toBeNull();
    leave();
    expect(gate.load).toBe(0);
  });

  it('hands a place on without letting a newcomer take it', async () => {
    const gate = createTargetGate({ concurrency: 1, ratePerSecond: null }, clock);
    const leave = (await gate.enter(open))!;
    const waiting = gate.enter(open);
    leave();
    const newcomer = gate.enter(open);
    expect(gate.load).toBe(2);
    (await waiting)!();
    (await newcomer)!();
    expect(gate.load).toBe(0);
  });

  it('flows while who is here will have left within a second, at the pace of late or not known yet', async () => {
    const gate = createTargetGate({ concurrency: 1, ratePerSecond: null }, clock);
    const inside: (() => void)[] = [];
    const enter = () => void gate.enter(open).then((leave) => inside.push(leave!));
    const turn = () => new Promise(setImmediate);
    const pass = async (count: number, eachMs: number) => {
      for (let passed = 0; passed < count; passed++) {
        nowMs += eachMs;
        inside.shift()!();
        enter();
        await turn();
      }
    };
    for (let index = 0; index < 100; index++) enter();
    await turn();
    expect(gate.isFlowing).toBe(true);
    await pass(60, 5);
    expect(gate.isFlowing).toBe(true);
    await pass(60, 20);
    expect([gate.load, gate.isFlowing]).toEqual([100, false]);
    await pass(120, 5);
    expect(gate.isFlowing).toBe(true);
    // Nobody is let out any more.
    nowMs += 600;
    expect(gate.isFlowing).toBe(false);
    while (inside.length > 0) {
      inside.shift()!();
      await turn();
    }
    nowMs += 10_000;
    enter();
    expect([gate.load, gate.isFlowing]).toEqual([1, true]);
  });
});
