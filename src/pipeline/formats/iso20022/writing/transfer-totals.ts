/**
 * Counts and sums of the transactions that are written, for numbers of transactions, control sums and settlement totals that the
 * document leaves open: of the message, and of the payment information that is open. Exact; what is no amount is for the reader
 * to find.
 */
import { Buffer } from 'node:buffer';
import { amountText } from '../rules/exact-sum.ts';
import { roles } from '../rules/roles.ts';
import { amountScale, scaledInteger } from '../values/number-values.ts';
import type { Gap, HeldText } from './held-text.ts';

/** At least so many decimals has a sum that is computed, as amounts of most currencies. */
const decimals = 2;

interface Level {
  count: number;
  /** In units of 0.00001. */
  units: bigint;
  readonly gaps: { readonly gap: Gap; readonly isCount: boolean }[];
}

const newLevel = (): Level => ({ count: 0, units: 0n, gaps: [] });

const ofMessage: ReadonlySet<number> = new Set([roles.groupCount, roles.groupSum, roles.groupTotal]);
const ofPayment: ReadonlySet<number> = new Set([roles.paymentCount, roles.paymentSum]);

/** Whether the text of an element with this role may be left to be computed. */
export function isComputed(role: number): boolean {
  return ofMessage.has(role) || ofPayment.has(role);
}

export class TransferTotals {
  readonly #text: HeldText;
  readonly #message = newLevel();
  #payment = newLevel();

  constructor(text: HeldText) {
    this.#text = text;
  }

  openPayment(): void {
    this.#payment = newLevel();
  }

  closePayment(): void {
    this.#fill(this.#payment);
  }

  closeMessage(): void {
    this.#fill(this.#message);
  }

  addTransaction(): void {
    this.#message.count++;
    this.#payment.count++;
  }

  addAmount(text: string): void {
    if (!/^\s*\+?\d{1,18}(?:\.\d{0,18})?\s*$/.test(text)) return;
    const bytes = Buffer.from(text);
    const units = scaledInteger(bytes, 0, bytes.length, amountScale);
    this.#message.units += units;
    this.#payment.units += units;
  }

  /** Leaves the text of an element with a role that is computed open until it is known. */
  leaveOpen(role: number, pointer: string): void {
    const level = ofMessage.has(role) ? this.#message : this.#payment;
    level.gaps.push({ gap: this.#text.gap(pointer), isCount: role === roles.groupCount || role === roles.paymentCount });
  }

  #fill({ gaps, count, units }: Level): void {
    for (const { gap, isCount } of gaps.splice(0)) this.#text.fill(gap, isCount ? String(count) : amountText(units, decimals));
  }
}
