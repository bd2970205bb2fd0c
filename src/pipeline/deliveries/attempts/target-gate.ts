/**
 * How many batches of this process are at one target or wait for it; who waits is let in in order. What all processes
 * together may send is counted in the database when an attempt starts (target-admission.ts).
 */
import type { Clock } from '../../../platform/base/ports.ts';

export interface TargetGate {
  readonly limits: GateLimits;
  /** Batches inside and waiting. */
  readonly load: number;
  /** At the pace of the last quarter of a second, or not known better yet: who is here now will have left within a second. */
  readonly isFlowing: boolean;
  /** Attempts that were let start and have not been answered yet. */
  readonly sending: number;
  /** Resolves with the way out, or with null when the signal fires first. */
  enter(signal: AbortSignal): Promise<(() => void) | null>;
  beginSending(): void;
  endSending(): void;
}

export interface GateLimits {
  readonly concurrency: number;
  /** Records; null: unlimited. */
  readonly ratePerSecond: number | null;
}

/** How many attempts are under way at a target, whatever limits the versions of its flow set. */
export interface SendingCount {
  value: number;
}

const paceWindowMs = 250;
const flowingWithinMs = 1_000;

/** Gates of one target share `sending`. */
export function createTargetGate(limits: GateLimits, clock: Clock, sending: SendingCount = { value: 0 }): TargetGate {
  const waiting: (() => void)[] = [];
  let inside = 0;
  let windowAtMs = 0;
  let leftInWindow = 0;
  let leftPerMs = Number.POSITIVE_INFINITY;

  function turnWindow(): void {
    const nowMs = clock.monotonicMs();
    if (nowMs - windowAtMs < paceWindowMs) return;
    leftPerMs = leftInWindow / (nowMs - windowAtMs);
    windowAtMs = nowMs;
    leftInWindow = 0;
  }

  /** Of a gate that nobody stands at, nothing is known. */
  function forgetPace(): void {
    windowAtMs = clock.monotonicMs();
    leftInWindow = 0;
    leftPerMs = Number.POSITIVE_INFINITY;
  }

  /** A place is handed on without being free in between, so that nobody overtakes. */
  function leave(): void {
    turnWindow();
    leftInWindow += 1;
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
    limits,
    get load() {
      return inside + waiting.length;
    },
    get isFlowing() {
      turnWindow();
      return inside + waiting.length <= leftPerMs * flowingWithinMs;
    },
    get sending() {
      return sending.value;
    },
    async enter(signal) {
      if (inside + waiting.length === 0) forgetPace();
      if (!(await takePlace(signal))) return null;
      let isInside = true;
      return () => {
        if (isInside) leave();
        isInside = false;
      };
    },
    beginSending() {
      sending.value += 1;
    },
    endSending() {
      sending.value -= 1;
    },
  };
}
