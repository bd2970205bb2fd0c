/**
 * Wakes loops of this process at once when there may be work. A hint only: whoever waits also polls, because the work of
 * other processes sends no signal here.
 */
import type { Sleep } from './ports.ts';

export interface Notifier {
  /** Wakes all that wait; one that does not wait now is woken at its next wait. */
  notify(): void;
  /** A waiter of its own for each loop. */
  waiter(sleep: Sleep): Waiter;
}

export interface Waiter {
  /** Resolves after `ms`, at a signal (also one sent since the last wait), or when `abort` fires. Never rejects. */
  wait(ms: number, abort: AbortSignal): Promise<void>;
}

export function createNotifier(): Notifier {
  const waiters = new Set<{ isSignalled: boolean; wake: (() => void) | undefined }>();
  return {
    notify() {
      for (const waiter of waiters) {
        waiter.isSignalled = true;
        waiter.wake?.();
      }
    },
    waiter(sleep) {
      const state: { isSignalled: boolean; wake: (() => void) | undefined } = { isSignalled: false, wake: undefined };
      waiters.add(state);
      return {
        async wait(ms, abort) {
          const woken = new AbortController();
          const wake = () => woken.abort();
          abort.addEventListener('abort', wake, { once: true });
          state.wake = wake;
          if (state.isSignalled || abort.aborted) wake();
          await sleep.sleep(ms, woken.signal);
          state.wake = undefined;
          state.isSignalled = false;
          abort.removeEventListener('abort', wake);
        },
      };
    },
  };
}
