/**
 * How many batches, and how many records a second, go to one target from this process. Who waits is let in in order; the
 * limits hold per process, so a fleet of n sends up to n times as much.
 */
import type { Clock, Sleep } from '../../platform/base/ports.ts';

export interface TargetGate {
  /** Batches inside and waiting. */
  readonly load: number;
  /** Resolves with the way out, or with null when the signal fires first. */
  enter(records: number, signal: AbortSignal): Promise<(() => void) | null>;
}

export interface GateLimits {
  readonly concurrency: number;
  /** Null: unlimited. */
  readonly ratePerSecond: number | null;
}

export function createTargetGate(limits: GateLimits, ports: { readonly clock: Clock; readonly sleep: Sleep }): TargetGate {
  const bucket = limits.ratePerSecond === null ? null : createTokenBucket(limits.ratePerSecond, ports);
  const waiting: (() => void)[] = [];
  let inside = 0;

  /** A place is handed on without being free in between, so that nobody overtakes. */
  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) inside -= 1;
    else next();
  }
  /** False when the signal fired first. */
  async function takePlace(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    if (inside < limits.concurrency) {
      inside += 1;
      return true;
    }
    return await new Promise<boolean>((resolve) => {
      const admit = () => {
        signal.removeEventListener('abort', giveUp);
        resolve(true);
      };
      const giveUp = () => {
        const at = waiting.indexOf(admit);
        if (at < 0) return;
        waiting.splice(at, 1);
        resolve(false);
      };
      waiting.push(admit);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }
  return {
    get load() {
      return inside + waiting.length;
    },
    async enter(records, signal) {
      if (!(await takePlace(signal))) return null;
      if (bucket !== null && !(await bucket.take(records, signal))) {
        leave();
        return null;
      }
      let isInside = true;
      return () => {
        if (isInside) leave();
        isInside = false;
      };
    },
  };
}

interface TokenBucket {
  /** False when the signal fired first. */
  take(tokens: number, signal: AbortSignal): Promise<boolean>;
}

/** Holds at most one second's worth. More than that at once leaves a debt that the next ones wait for. */
export function createTokenBucket(perSecond: number, ports: { readonly clock: Clock; readonly sleep: Sleep }): TokenBucket {
  let tokens = perSecond;
  let atMs = ports.clock.monotonicMs();
  return {
    async take(wanted, signal) {
      for (;;) {
        const nowMs = ports.clock.monotonicMs();
        tokens = Math.min(perSecond, tokens + ((nowMs - atMs) / 1_000) * perSecond);
        atMs = nowMs;
        const needed = Math.min(wanted, perSecond);
        if (tokens >= needed) {
          tokens -= wanted;
          return true;
        }
        if (signal.aborted) return false;
        await ports.sleep.sleep(Math.ceil(((needed - tokens) / perSecond) * 1_000), signal);
        if (signal.aborted) return false;
      }
    },
  };
}
