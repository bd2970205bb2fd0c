/**
 * The frame of every background loop: work while there is some, else wait for a signal or the next poll; outlive errors
 * with growing, jittered pauses; stop cleanly. What the work is, and how its errors are logged, is the owner's.
 */
import type { Waiter } from './notifier.ts';
import type { Rng, Sleep } from './ports.ts';

export interface PollingLoop {
  start(): void;
  /** Resolves when the work in hand has ended, or after `timeoutMs`. True when it has. */
  stop(timeoutMs?: number): Promise<boolean>;
}

export interface PollingLoopOptions {
  /** One round. True when there may be more at once. `signal` fires at stop: begin nothing new then. */
  readonly work: (signal: AbortSignal) => Promise<boolean>;
  /** Called once for each failed round; must not throw. */
  readonly onError: (error: unknown) => void;
  readonly ports: { readonly rng: Rng; readonly sleep: Sleep };
  readonly waiter?: Waiter;
  /** Pauses grow from the first to the second while there is nothing to do. */
  readonly idleMinMs?: number;
  readonly idleMaxMs?: number;
  readonly errorPauseMaxMs?: number;
}

export function createPollingLoop(options: PollingLoopOptions): PollingLoop {
  const { work, onError, ports, idleMinMs = 50, idleMaxMs = 500, errorPauseMaxMs = 10_000 } = options;
  const wait = options.waiter ? options.waiter.wait : ports.sleep.sleep;
  let stopping = new AbortController();
  let running: Promise<void> | undefined;

  async function run(signal: AbortSignal): Promise<void> {
    let idleMs = idleMinMs;
    let failures = 0;
    while (!signal.aborted) {
      let isBusy = false;
      try {
        isBusy = await work(signal);
        failures = 0;
      } catch (error) {
        failures += 1;
        onError(error);
      }
      if (signal.aborted) return;
      if (failures > 0) {
        const capMs = Math.min(errorPauseMaxMs, 100 * 2 ** Math.min(failures, 10));
        await ports.sleep.sleep(ports.rng.fraction() * capMs, signal);
      } else if (isBusy) idleMs = idleMinMs;
      else {
        await wait(idleMs * (0.75 + ports.rng.fraction() / 2), signal);
        idleMs = Math.min(idleMaxMs, idleMs * 2);
      }
    }
  }

  return {
    start() {
      if (running) return;
      stopping = new AbortController();
      running = run(stopping.signal);
    },
    async stop(timeoutMs = 5_000) {
      if (!running) return true;
      const ended = running.then(() => true);
      stopping.abort();
      const timeout = new AbortController();
      const isEnded = await Promise.race([ended, ports.sleep.sleep(timeoutMs, timeout.signal).then(() => false)]);
      timeout.abort();
      if (isEnded) running = undefined;
      return isEnded;
    },
  };
}
