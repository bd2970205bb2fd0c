import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createIds, systemClock, systemPorts, systemRng, systemSleep } from './system-ports.ts';

const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function clockAt(timesMs: readonly number[]) {
  let index = 0;
  return { nowMs: () => timesMs[Math.min(index++, timesMs.length - 1)]!, monotonicMs: () => 0 };
}

describe('ids', () => {
  it('are UUIDv7 and rise, whatever the clock does: stand still, jump back, jump ahead', () => {
    const times = fc.array(fc.integer({ min: 1, max: 2 ** 47 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(times, fc.integer({ min: 1, max: 200 }), (timesMs, count) => {
        const ids = createIds(clockAt(timesMs), systemRng);
        const made = Array.from({ length: count }, () => ids.next());
        for (const id of made) expect(id).toMatch(uuidV7);
        expect(made).toEqual([...new Set(made)].sort());
      }),
    );
  });

  it('carry the time in their first 48 bits', () => {
    const id = createIds(clockAt([Date.UTC(2026, 0, 2)]), systemRng).next();
    expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(Date.UTC(2026, 0, 2));
  });

  it('rise through more than the 4,096 that the counter of one millisecond holds', () => {
    const ids = createIds(clockAt([1_000]), systemRng);
    const made = Array.from({ length: 10_000 }, () => ids.next());
    expect(made).toEqual([...new Set(made)].sort());
  });

  it('are the same, however many random bytes are fetched at once, none of which is used twice', () => {
    const counting = () => {
      let next = 0;
      return { bytes: (length: number) => Uint8Array.from({ length }, () => next++), fraction: () => 0 };
    };
    const make = (atOnce: number) => Array.from({ length: 30 }, createIds(clockAt([5, 5, 6]), counting(), atOnce).next);
    expect(make(4)).toEqual(make(1));
    expect(make(1).slice(0, 4)).toEqual([
      '00000000-0005-7000-8001-020304050607',
      '00000000-0005-7001-8809-0a0b0c0d0e0f',
      '00000000-0006-7000-9011-121314151617',
      '00000000-0006-7001-9819-1a1b1c1d1e1f',
    ]);
  });

  it('with the same seed are the same', () => {
    const rng = { bytes: (length: number) => new Uint8Array(length).fill(7), fraction: () => 0 };
    const make = () => Array.from({ length: 3 }, createIds(clockAt([5]), rng).next);
    expect(make()).toEqual(make());
  });
});

describe('sleep', () => {
  it('ends when its signal aborts, before or while it waits, and never rejects', async () => {
    await systemSleep.sleep(60_000, AbortSignal.abort());
    const controller = new AbortController();
    const sleeping = systemSleep.sleep(60_000, controller.signal);
    controller.abort();
    await sleeping;
  });

  it('waits at least as long as asked', async () => {
    const before = systemClock.monotonicMs();
    await systemSleep.sleep(20);
    expect(systemClock.monotonicMs() - before).toBeGreaterThanOrEqual(18);
  });
});

it('random bytes have the length asked for and fractions stay below 1', () => {
  expect(systemPorts.rng.bytes(33)).toHaveLength(33);
  expect(systemPorts.rng.fraction()).toBeLessThan(1);
  expect(systemPorts.ids.next()).toMatch(uuidV7);
});
