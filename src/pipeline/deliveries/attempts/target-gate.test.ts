import { describe, expect, it } from 'vitest';
import { createTargetGate } from './target-gate.ts';

const open = new AbortController().signal;

describe('a gate', () => {
  it('lets in as many as the target takes at once, then one for each that leaves, in order', async () => {
    const gate = createTargetGate({ concurrency: 2, ratePerSecond: null });
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
    const gate = createTargetGate({ concurrency: 1, ratePerSecond: null });
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
    const gate = createTargetGate({ concurrency: 1, ratePerSecond: null });
    const leave = (await gate.enter(open))!;
    const waiting = gate.enter(open);
    leave();
    const newcomer = gate.enter(open);
    expect(gate.load).toBe(2);
    (await waiting)!();
    (await newcomer)!();
    expect(gate.load).toBe(0);
  });
});
