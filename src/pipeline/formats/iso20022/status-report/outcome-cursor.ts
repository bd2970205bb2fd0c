/** Reads a stream of outcomes payment information by payment information. */
import type { Outcome, Outcomes, PaymentOutcome, TransactionOutcome } from './outcomes.ts';

/** Goes through outcomes payment by payment; holds one of them. */
export class OutcomeCursor {
  readonly #iterator: Iterator<Outcome>;
  #held: Outcome | null = null;

  constructor(outcomes: Outcomes) {
    this.#iterator = outcomes()[Symbol.iterator]();
  }

  /** The next payment information; null: there are no more. */
  payment(): PaymentOutcome | null {
    const next = this.#next();
    if (next === null) return null;
    if (next.kind !== 'payment') throw new Error('a transaction is in no payment information');
    return next;
  }

  /** The next transaction of the payment information; null: it has no more. */
  transaction(): TransactionOutcome | null {
    const next = this.#next();
    if (next === null || next.kind === 'transaction') return next;
    this.#held = next;
    return null;
  }

  #next(): Outcome | null {
    const held = this.#held;
    this.#held = null;
    if (held !== null) return held;
    const { done, value } = this.#iterator.next();
    return done ? null : value;
  }

  /** Lets go of what the outcomes come from, wherever the reading stands. */
  close(): void {
    this.#iterator.return?.();
  }
}
