/** What became of a payment initiation, as a stream: each payment information, and after it its transactions. */
import type { StatusReason } from './reason-codes.ts';

/** Accepted ones are checked only (ACTC), accepted by the customer's profile (ACCP) or being settled (ACSP). */
export const acceptedStatuses = ['ACTC', 'ACCP', 'ACSP'] as const;
export type AcceptedStatus = (typeof acceptedStatuses)[number];
export type TransactionStatus = AcceptedStatus | 'PDNG' | 'RJCT';
export type GroupStatus = TransactionStatus | 'PART';

export interface PaymentOutcome {
  readonly kind: 'payment';
  /** PmtInfId of the original. */
  readonly id: string;
  /** As the original declares them; null: it does not. */
  readonly transactions: string | null;
  readonly controlSum: string | null;
  /** Why the payment information is rejected as a whole, whatever its transactions are; null: it is not. */
  readonly rejection: readonly StatusReason[] | null;
}

export interface TransactionOutcome {
  readonly kind: 'transaction';
  readonly instructionId: string | null;
  readonly endToEndId: string | null;
  readonly uetr: string | null;
  readonly status: TransactionStatus;
  readonly reasons: readonly StatusReason[];
}

export type Outcome = PaymentOutcome | TransactionOutcome;

/** Gives all outcomes in the order of the original, from the beginning, each time it is called. */
export type Outcomes = () => Iterable<Outcome>;

/** Reasons that are kept of the transactions of one status. */
const reasonsMax = 10;

/** How many transactions have which status, and why they are rejected. */
export class StatusTally {
  readonly #counts = new Map<TransactionStatus, number>();
  readonly #reasons = new Map<string, StatusReason>();
  #total = 0;

  add(status: TransactionStatus, count = 1): void {
    this.#counts.set(status, (this.#counts.get(status) ?? 0) + count);
    this.#total += count;
  }

  /** Each once, and no more than a few. */
  addReasons(reasons: readonly StatusReason[]): void {
    for (const reason of reasons) if (this.#reasons.size < reasonsMax) this.#reasons.set(`${reason.code} ${reason.information}`, reason);
  }

  get reasons(): readonly StatusReason[] {
    return [...this.#reasons.values()];
  }

  get total(): number {
    return this.#total;
  }

  /** In the order of `acceptedStatuses`, then PDNG and RJCT, without those that none has. */
  get counts(): (readonly [TransactionStatus, number])[] {
    return [...acceptedStatuses, 'PDNG' as const, 'RJCT' as const].flatMap((status) => {
      const count = this.#counts.get(status);
      return count === undefined ? [] : [[status, count] as const];
    });
  }

  /**
   * Of the group: RJCT or PDNG where all are, PART where only some are accepted, else the least that is true of all.
   * Null: there are no transactions.
   */
  get groupStatus(): GroupStatus | null {
    const statuses = this.counts.map(([status]) => status);
    const [first, ...others] = statuses;
    if (first === undefined) return null;
    if (others.length === 0) return first;
    return statuses.includes('RJCT') || statuses.includes('PDNG') ? 'PART' : first;
  }
}
