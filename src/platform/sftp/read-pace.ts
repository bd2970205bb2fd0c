/**
 * Tells whether the answers to the reads of a file come too slowly to go on. Only time counts in which one is owed: who reads may
 * take his own. What other files got over the same connection meanwhile counts as well, because they share its speed.
 */
import type { Clock } from '../base/ports.ts';

const paceMs = 120_000;
const paceBytesMin = 512 * 1024;
export const leastPace = `${paceBytesMin / 1024} KiB in ${paceMs / 1_000} s`;

export class ReadPace {
  readonly #clock: Clock;
  /** By all reads of the connection, so far. */
  readonly #bytesRead: () => number;
  #owed = 0;
  #countedAtMs = 0;
  #countedMs = 0;
  #bytesBefore = 0;

  constructor(clock: Clock, bytesRead: () => number) {
    this.#clock = clock;
    this.#bytesRead = bytesRead;
    this.#bytesBefore = bytesRead();
  }

  begin(): void {
    if (this.#owed++ === 0) this.#countedAtMs = this.#clock.monotonicMs();
  }

  /** Of one that has its answer. True: too little has come since this was last looked at. */
  end(): boolean {
    const nowMs = this.#clock.monotonicMs();
    this.#owed -= 1;
    this.#countedMs += nowMs - this.#countedAtMs;
    this.#countedAtMs = nowMs;
    if (this.#countedMs < paceMs) return false;
    const bytes = this.#bytesRead() - this.#bytesBefore;
    this.#countedMs = 0;
    this.#bytesBefore += bytes;
    return bytes < paceBytesMin;
  }
}
