/** What one page of a statement hands to the next: its number and, where it does not end the statement, its closing balance. */
import type { Place } from '../statements/rule-findings.ts';
import type { Balance } from './balances.ts';
import type { SwiftFindings } from './swift-findings.ts';

export interface Page {
  /** Of the account, as field 25 has it. */
  readonly account: string;
  readonly statement: number | null;
  readonly page: number | null;
  /** Intermediate closing balance; null where the statement ends with it. */
  readonly carried: Balance | null;
}

export class StatementPages {
  #last: Page | null = null;

  /** Holds the opening balance of a page that begins with 60M against the page before. */
  checkOpening(opening: Balance, { account, statement }: Page, place: Place, findings: SwiftFindings): void {
    const last = this.#last;
    if (last === null || last.carried === null || last.account !== account || last.statement !== statement) return;
    const { carried } = last;
    if (carried.currency !== opening.currency || BigInt(carried.units) !== BigInt(opening.units)) {
      findings.tell('page-balance', place, '60M', `the page before closed with ${carried.units}, this one opens with ${opening.units}`);
    }
  }

  checkNumber({ account, statement, page }: Page, place: Place, findings: SwiftFindings): void {
    const last = this.#last;
    if (last === null || last.carried === null || last.account !== account || last.statement !== statement) return;
    if (page !== null && last.page !== null && page !== last.page + 1) {
      findings.tell('page-number', place, '28C', `page ${page} follows page ${last.page}`);
    }
  }

  turn(page: Page): void {
    this.#last = page;
  }
}
