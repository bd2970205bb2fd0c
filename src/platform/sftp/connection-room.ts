/**
 * How many connections a server lets be there: at all, of those who have not shown who they are, and of those from one
 * address; and addresses from which too many came who were not let in. Counts in memory, each process its own.
 */
import type { Clock } from '../base/ports.ts';

export interface RoomLimits {
  readonly connectionsMax: number;
  /** Without a user yet. */
  readonly strangersMax: number;
  readonly strangersPerAddressMax: number;
  /** From one address, within a minute. */
  readonly failuresPerMinuteMax: number;
}

export interface Stay {
  /** It has shown who it is: its place among the strangers is free. */
  enter(): void;
  leave(): void;
}

const addressesMax = 10_000;
const minuteMs = 60_000;

export class ConnectionRoom {
  readonly #limits: RoomLimits;
  readonly #clock: Clock;
  readonly #strangersAt = new Map<string, number>();
  /** Oldest first. */
  readonly #failures = new Map<string, { readonly sinceMs: number; count: number }>();
  #all = 0;
  #strangers = 0;

  constructor(limits: RoomLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Undefined: there is no room, or the address has failed too often. */
  admit(address: string): Stay | undefined {
    const here = this.#strangersAt.get(address) ?? 0;
    const { connectionsMax, strangersMax, strangersPerAddressMax } = this.#limits;
    if (this.#all >= connectionsMax || this.#strangers >= strangersMax || here >= strangersPerAddressMax) return undefined;
    if (this.#failuresOf(address) >= this.#limits.failuresPerMinuteMax) return undefined;
    this.#all += 1;
    this.#strangers += 1;
    this.#strangersAt.set(address, here + 1);
    let [isStranger, isHere] = [true, true];
    const enter = (): void => {
      if (!isStranger) return;
      isStranger = false;
      this.#strangers -= 1;
      const left = this.#strangersAt.get(address)! - 1;
      if (left === 0) this.#strangersAt.delete(address);
      else this.#strangersAt.set(address, left);
    };
    return {
      enter,
      leave: () => {
        enter();
        if (isHere) this.#all -= 1;
        isHere = false;
      },
    };
  }

  countFailure(address: string): void {
    const count = this.#failuresOf(address);
    if (count > 0) this.#failures.get(address)!.count += 1;
    else this.#failures.set(address, { sinceMs: this.#clock.monotonicMs(), count: 1 });
    if (this.#failures.size > addressesMax) this.#failures.delete(this.#failures.keys().next().value!);
  }

  #failuresOf(address: string): number {
    const found = this.#failures.get(address);
    if (found === undefined) return 0;
    if (this.#clock.monotonicMs() - found.sinceMs < minuteMs) return found.count;
    this.#failures.delete(address);
    return 0;
  }
}
