/**
 * Runs a unit of work again after a passing failure, with full jitter and a bound. Only errors marked retryable are
 * repeated; a COMMIT without an answer (E_COMMIT_UNKNOWN) never is, because it may have happened.
 */
import { HeadgateError } from '../base/errors.ts';
import type { Rng, Sleep } from '../base/ports.ts';

export interface RetryPorts {
  readonly rng: Rng;
  readonly sleep: Sleep;
}

export interface RetryOptions {
  readonly ports: RetryPorts;
  readonly attemptsMax?: number;
  readonly firstDelayMs?: number;
  readonly delayMaxMs?: number;
  readonly signal?: AbortSignal;
  /** Told before each wait, for logs. */
  readonly onRetry?: (error: HeadgateError, attempt: number) => void;
}

/** Rejects with the last error. Waits between 0 and min(delayMaxMs, firstDelayMs * 2^n) before try n + 1. */
export async function retryTransient<T>(work: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const attemptsMax = options.attemptsMax ?? 5;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt);
    } catch (error) {
      if (!(error instanceof HeadgateError) || !error.retryable || attempt >= attemptsMax || options.signal?.aborted) throw error;
      options.onRetry?.(error, attempt);
      const capMs = Math.min(options.delayMaxMs ?? 2_000, (options.firstDelayMs ?? 25) * 2 ** (attempt - 1));
      await options.ports.sleep.sleep(options.ports.rng.fraction() * capMs, options.signal);
    }
  }
}
