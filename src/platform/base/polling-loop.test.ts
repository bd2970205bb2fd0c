import { expect, it } from 'vitest';
import { createNotifier } from './notifier.ts';
import { createPollingLoop } from './polling-loop.ts';
import type { Sleep } from './ports.ts';
import { systemSleep } from './system-ports.ts';

const rng = { bytes: (length: number) => new Uint8Array(length), fraction: () => 0.5 };

/** Ends each wait at once, and remembers how long it was to be. */
function quickSleep(): Sleep & { readonly waitsMs: number[] } {
  const waitsMs: number[] = [];
  return {
    waitsMs,
    sleep: async (ms) => {
      waitsMs.push(ms);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

/** For `stop`, whose time limit must not be over at once. */
const patient = (sleep: Sleep): Sleep => ({
  sleep: (ms, signal) => (ms >= 1_000 ? systemSleep.sleep(ms, signal) : sleep.sleep(ms, signal)),
});

it('pauses grow while there is nothing to do, and begin anew after work', async () => {
  const sleep = quickSleep();
  const done = Promise.withResolvers<void>();
  let round = 0;
  const loop = createPollingLoop({
    ports: { rng, sleep: patient(sleep) },
    onError: () => {},
    idleMinMs: 10,
    idleMaxMs: 40,
    work: async () => {
      if (++round === 8) done.resolve();
      return round === 5;
    },
  });
  loop.start();
  await done.promise;
  expect(await loop.stop()).toBe(true);
  expect(sleep.waitsMs.slice(0, 6)).toEqual([10, 20, 40, 40, 10, 20]);
});

it('an error is told once, and the loop goes on after a growing pause', async () => {
  const sleep = quickSleep();
  const errors: unknown[] = [];
  const done = Promise.withResolvers<void>();
  let round = 0;
  const loop = createPollingLoop({
    ports: { rng, sleep: patient(sleep) },
    onError: (error) => errors.push(error),
    work: async () => {
      round += 1;
      if (round <= 3) throw new Error(`round ${round}`);
      done.resolve();
      return false;
    },
  });
  loop.start();
  await done.promise;
  await loop.stop();
  expect(errors).toHaveLength(3);
  expect(sleep.waitsMs.slice(0, 3)).toEqual([100, 200, 400]);
});

it('stop waits for the work in hand and begins none', async () => {
  const started = Promise.withResolvers<AbortSignal>();
  const finish = Promise.withResolvers<void>();
  let rounds = 0;
  const loop = createPollingLoop({
    ports: { rng, sleep: systemSleep },
    onError: () => {},
    work: async (signal) => {
      rounds += 1;
      started.resolve(signal);
      await finish.promise;
      return true;
    },
  });
  loop.start();
  loop.start();
  const signal = await started.promise;
  const stopped = loop.stop();
  expect(signal.aborted).toBe(true);
  finish.resolve();
  expect(await stopped).toBe(true);
  expect(rounds).toBe(1);
});

it('stop says when the work in hand did not end in time, and a loop can start again', async () => {
  const finish = Promise.withResolvers<void>();
  let rounds = 0;
  const loop = createPollingLoop({
    ports: { rng, sleep: systemSleep },
    onError: () => {},
    work: async () => {
      rounds += 1;
      await finish.promise;
      return false;
    },
  });
  loop.start();
  expect(await loop.stop(1)).toBe(false);
  finish.resolve();
  expect(await loop.stop()).toBe(true);
  loop.start();
  expect(await loop.stop()).toBe(true);
  expect(rounds).toBe(2);
});

it('a signal ends a wait at once, one before the wait too, and each waiter has its own', async () => {
  const notifier = createNotifier();
  const never = new AbortController().signal;
  const [first, second] = [notifier.waiter(systemSleep), notifier.waiter(systemSleep)];
  const waiting = first.wait(60_000, never);
  notifier.notify();
  await waiting;
  await second.wait(60_000, never);
  const stopping = new AbortController();
  const last = first.wait(60_000, stopping.signal);
  stopping.abort();
  await last;
});

it('a loop that waits is woken by its signal', async () => {
  const notifier = createNotifier();
  const rounds: (() => void)[] = [];
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  rounds.push(first.resolve, second.resolve);
  const loop = createPollingLoop({
    ports: { rng, sleep: systemSleep },
    waiter: notifier.waiter(systemSleep),
    onError: () => {},
    idleMinMs: 60_000,
    idleMaxMs: 60_000,
    work: async () => {
      rounds.shift()?.();
      return false;
    },
  });
  loop.start();
  await first.promise;
  notifier.notify();
  await second.promise;
  expect(await loop.stop()).toBe(true);
});
