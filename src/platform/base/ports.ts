/**
 * The ports through which code meets the world. Production adapters live beside their subject in `platform`; tests and
 * the simulation give seeded ones. Nothing else may read a clock, draw a random number or wait (test/architecture.test.ts).
 */

/** Wall time of this machine: for display, timeouts and telemetry only. Time that decides comes from `headgate.clock()` in SQL. */
export interface Clock {
  nowMs(): number;
  /** Rising, with no relation to wall time. */
  monotonicMs(): number;
}

export interface Rng {
  /** Cryptographically strong in production, seeded in tests. */
  bytes(length: number): Uint8Array;
  /** In [0, 1). For jitter and sampling, never for secrets. */
  fraction(): number;
}

export interface Ids {
  /** UUIDv7, lower case with hyphens; rising within one process. */
  next(): string;
}

export interface Sleep {
  /** Resolves after `ms` or when the signal aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Ports {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly ids: Ids;
  readonly sleep: Sleep;
}
