/** What the receipt says of a file: entries or payments, their sums by currency, and closing balances as declared and computed. */
import { CurrencySums, type Units } from '../exact-sum.ts';
import { decimalsOf } from './decimal-amounts.ts';

export class FileTotals {
  read = 0;
  rejected = 0;
  readonly messages = new Map<string, number>();
  readonly #sums = { credit: new CurrencySums(), debit: new CurrencySums(), payments: new CurrencySums() };
  readonly #closing = { declared: new CurrencySums(), computed: new CurrencySums() };

  countMessage(type: string): void {
    this.messages.set(type, (this.messages.get(type) ?? 0) + 1);
  }

  add(kind: 'credit' | 'debit' | 'payments', currency: string, units: Units): void {
    this.#sums[kind].add(currency, decimalsOf(currency), units);
  }

  addClosing(kind: 'declared' | 'computed', currency: string, units: Units): void {
    this.#closing[kind].add(currency, decimalsOf(currency), units);
  }

  amounts(): Record<string, Record<string, string>> {
    const all = { credit: this.#sums.credit.texts(), debit: this.#sums.debit.texts(), payments: this.#sums.payments.texts() };
    return Object.fromEntries(Object.entries(all).filter(([, sums]) => Object.keys(sums).length > 0));
  }

  closingBalances(kind: 'declared' | 'computed'): Record<string, string> {
    return Object.fromEntries(Object.entries(this.#closing[kind].texts()).map(([currency, text]) => [`closingBalance.${currency}`, text]));
  }
}
